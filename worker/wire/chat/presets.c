#include "wire/chat/presets.h"

#include <string.h>

#include "wire/chat/merge.h"

static const struct preset_row rows[] = {
#define FIELD(name, read)
#define VALUE(name, read, member)
#define PART(name, kind, member)
#define PRESET(name, read, member, form)                                                           \
    {#name, PRESET_##form, offsetof(struct request, member),                                       \
     sizeof(((struct request *)NULL)->member)},
#include "wire/chat/request_fields.def"
#undef FIELD
#undef VALUE
#undef PART
#undef PRESET
    {"additional_model_request_fields", PRESET_OBJECT, offsetof(struct request, additional_fields),
     sizeof(struct slice)},
};

const struct preset_row *preset_rows(size_t *ret_count)
{
    *ret_count = COUNT_OF(rows);
    return rows;
}

const struct preset_row *preset_find(struct slice name)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (slice_equal_text(name, rows[i].name))
            return &rows[i];
    return NULL;
}

static bool is_given(const struct request *request, const struct preset_row *row)
{
    return ((const struct slice *)(const void *)((const char *)request + row->at))->ptr != NULL;
}

/* Whether the request gives a parameter that goes to the model's own fields, too. */
static bool has_own_parameter(const struct request *request)
{
    for (enum parameter i = 0; i < PARAMETER_COUNT; i++)
        if (parameter_rows[i].converse == NULL && request->parameters[i].ptr != NULL)
            return true;
    return false;
}

enum err presets_apply(struct reader *reader, const struct request *presets)
{
    struct request *request = reader->request;
    bool is_joined = presets->additional_fields.ptr != NULL &&
                     (request->additional_fields.ptr != NULL || has_own_parameter(request));
    enum err err = is_joined ? merge_under(reader, presets->additional_fields) : OK;
    for (const struct preset_row *row = rows; row < rows + COUNT_OF(rows); row++) {
        bool is_settled = is_joined && row->at == offsetof(struct request, additional_fields);
        if (is_given(presets, row) && !is_given(request, row) && !is_settled)
            memcpy((char *)request + row->at, (const char *)presets + row->at, row->size);
    }
    return err;
}
