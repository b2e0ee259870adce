#include "wire/chat/reader.h"

#include "base/suggest.h"
#include "wire/formats/path.h"

#define NAMES_SHOWN_MAX 10
/* Behind a list of names: `, and … more); did you mean "…"?` */
#define NAMES_END_BYTES (48 + SUGGEST_NAME_MAX)

static void add_other(struct mistakes *mistakes, const struct why *why)
{
    const char *words = why->message[0] != '\0' ? why->message : err_words(why->err);
    buf_addf(&mistakes->others, "; %s%s%s", why->field, why->field[0] != '\0' ? ": " : "", words);
}

bool reader_note(struct reader *reader, enum err err)
{
    struct mistakes *mistakes = &reader->mistakes;
    bool is_full = mistakes->count == MISTAKES_MAX || mistakes->first.err == ERR_NO_MEMORY;
    if (err == OK || is_full)
        return !is_full;
    if (mistakes->count++ == 0)
        mistakes->first = reader->why;
    else if (mistakes->count <= MISTAKES_SHOWN_MAX)
        add_other(mistakes, &reader->why);
    return err != ERR_NO_MEMORY && mistakes->count < MISTAKES_MAX;
}

enum err reader_no_memory(struct reader *reader)
{
    return why_set(&reader->why, ERR_NO_MEMORY, NULL, "%s", "");
}

enum err reader_string(struct reader *reader, const char *field, const struct json *value,
                       struct slice *ret_text)
{
    if (!json_is(value, JSON_STRING))
        return why_set(&reader->why, ERR_INVALID, field, "must be a string");
    return json_string(reader->arena, value, ret_text) ? OK : reader_no_memory(reader);
}

bool reader_is_full_string(const struct json *node)
{
    return json_is(node, JSON_STRING) && node->source.len > sizeof "\"\"" - 1;
}

bool reader_has_own_field(const struct reader *reader, enum parameter parameter)
{
    const struct parameter_row *row = &parameter_rows[parameter];
    return row->converse == NULL && json_member(reader->additional_fields, row->name) != NULL;
}

enum err reader_unknown_member(struct reader *reader, const char *path, struct slice name,
                               const char *const *known, size_t known_count)
{
    struct path field = path_member(path, name);
    struct suggest suggest;
    suggest_init(&suggest, name);
    bool is_shown = reader->mistakes.count < MISTAKES_SHOWN_MAX;
    for (size_t i = 0; is_shown && i < known_count; i++)
        suggest_offer(&suggest, slice_of_text(known[i]));
    if (suggest.nearest.ptr == NULL)
        return why_set(&reader->why, ERR_INVALID, field.text, "no such field");
    return why_set(&reader->why, ERR_INVALID, field.text, "no such field; did you mean \"%.*s\"?",
                   SLICE_ARG(suggest.nearest));
}

static struct slice name_at(struct names names, size_t index)
{
    return *(const struct slice *)(const void *)((const char *)names.list + index * names.size);
}

void reader_add_names(struct buf *words, struct slice name, struct names names, const char *title,
                      const char *none)
{
    struct suggest suggest;
    size_t shown = 0;
    suggest_init(&suggest, name);
    for (size_t i = 0; i < names.count; i++)
        suggest_offer(&suggest, name_at(names, i));
    buf_addf(words, " (%s", names.count == 0 ? none : title);
    for (; shown < names.count && shown < NAMES_SHOWN_MAX; shown++) {
        struct slice next = name_at(names, shown);
        if (words->len + next.len + NAMES_END_BYTES > WHY_MESSAGE_MAX)
            break;
        buf_addf(words, "%s%.*s", shown > 0 ? ", " : ": ", SLICE_ARG(next));
    }
    if (shown < names.count)
        buf_addf(words, "%s%zu more", shown > 0 ? " and " : ": ", names.count - shown);
    buf_add_byte(words, ')');
    if (suggest.nearest.ptr != NULL)
        buf_addf(words, "; did you mean \"%.*s\"?", SLICE_ARG(suggest.nearest));
}
