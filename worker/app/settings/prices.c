/* Reads the price file that a setting names. Its mistakes are problems of the settings, with their
 * places in that file, so that a worker starts or reloads with both or with neither. */
#include "app/settings/parts.h"

uint64_t settings_take_prices(struct settings_reader *reader, const struct setting_row *row,
                              const struct document_node *node, struct setting_prices *ret_value)
{
    struct slice path = slice_of_text(row->path);
    *ret_value = (struct setting_prices){.file = SLICE("")};
    if (!settings_take_text(reader, node, path, &ret_value->file) || ret_value->file.len == 0)
        return 0;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, DOCUMENT_BYTES_MAX);
    const char *fault = settings_read_regular(ret_value->file.ptr, &text);
    if (fault != NULL) {
        problems_add(reader->problems, node->place, path, "%s: %s; check path and permissions",
                     ret_value->file.ptr, fault);
        return 0;
    }
    if (!price_file_read(&reader->settings->arena, buf_slice(&text), ret_value->file.ptr,
                         reader->problems, &ret_value->table))
        ret_value->table = (struct price_table){.rows = NULL};
    return price_file_hash(buf_slice(&text));
}
