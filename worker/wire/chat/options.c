#include "wire/chat/options.h"

#include "wire/formats/path.h"

#define PROVIDER_MAX   128 /* characters */
#define IDENTIFIER_MAX 2048

/* A member of an option's object. */
struct option_member {
    const char *name, *other; /* other: a second spelling; NULL = none */
    const char *choices;      /* `a|b|c`; NULL: a name, or a switch where `is_switch`. Where it is
                                 both, true means the first choice, and false none, as ChatBedrock
                                 has it for the trace */
    bool is_switch, is_required;
    size_t target; /* in struct request: a slice, of a switch a bool; SIZE_MAX = only checked */
};

#define AT(member) offsetof(struct request, member)
static const struct option_member guardrail_members[] = {
    {"guardrail_identifier", "guardrailIdentifier", NULL, false, true, AT(guardrail.identifier)},
    {"guardrail_version", "guardrailVersion", NULL, false, true, AT(guardrail.version)},
    {"trace", NULL, "enabled|disabled|enabled_full", true, false, AT(guardrail.trace)},
    {"stream_processing_mode", "streamProcessingMode", "sync|async", false, false,
     AT(guardrail.stream_mode)},
    {"last_turn_only", NULL, NULL, true, false, AT(guardrail.last_turn_only)},
};
static const struct option_member performance_members[] = {
    {"latency", NULL, "standard|optimized", false, true, AT(performance_latency)},
};
static const struct option_member reasoning_members[] = {
    {"effort", NULL, "none|low|medium|high|xhigh|max", false, true, AT(reasoning_effort)},
};
static const struct option_member cache_members[] = {
    {"type", NULL, "ephemeral", false, true, SIZE_MAX},
    {"ttl", NULL, "5m|1h", false, false, SIZE_MAX},
};

/* --- one of a few texts --- */

static struct slice first_choice(const char *choices)
{
    struct slice all = slice_of_text(choices);
    return slice_sub(all, 0, slice_find(all, '|'));
}

static enum err read_choice(struct reader *reader, const char *path, const struct json *value,
                            const char *choices, struct slice *ret_text)
{
    struct slice text = SLICE_NULL;
    if (value->kind == JSON_STRING && !json_string(reader->arena, value, &text))
        return reader_no_memory(reader);
    if (text.ptr == NULL || !choices_have(choices, text))
        return choices_refuse(reader, path, choices, "");
    *ret_text = text;
    return OK;
}

static enum err read_name(struct reader *reader, const char *path, const struct json *value,
                          size_t max, struct slice *ret_name)
{
    struct slice name = SLICE_NULL;
    enum err err = reader_string(reader, path, value, &name);
    if (err != OK)
        return err;
    if (!request_is_name(name, max))
        return why_set(&reader->why, ERR_INVALID, path,
                       "must be 1 to %zu characters without controls", max);
    *ret_name = name;
    return OK;
}

/* --- objects of known members --- */

struct option {
    const struct option_member *members;
    size_t count;
};

static const struct option_member *find_member(struct option option, struct slice name)
{
    for (size_t i = 0; i < option.count; i++)
        if (slice_equal_text(name, option.members[i].name) ||
            slice_equal_text(name, option.members[i].other))
            return &option.members[i];
    return NULL;
}

static enum err unknown_member(struct reader *reader, const char *path, struct slice name,
                               struct option option)
{
    const char *known[COUNT_OF(guardrail_members)];
    size_t count = 0;
    for (; count < option.count && count < COUNT_OF(known); count++)
        known[count] = option.members[count].name;
    return reader_unknown_member(reader, path, name, known, count);
}

static enum err read_member(struct reader *reader, const char *path,
                            const struct option_member *row, const struct json *value)
{
    void *target = row->target == SIZE_MAX ? NULL : (char *)reader->request + row->target;
    bool is_bool = value->kind == JSON_TRUE || value->kind == JSON_FALSE;
    struct slice text = SLICE_NULL;
    enum err err = OK;
    if (row->is_switch && row->choices == NULL) {
        if (!is_bool)
            return why_set(&reader->why, ERR_INVALID, path, "must be true or false");
        *(bool *)target = value->kind == JSON_TRUE;
        return OK;
    }
    if (row->is_switch && is_bool)
        text = value->kind == JSON_TRUE ? first_choice(row->choices) : SLICE_NULL;
    else if (row->choices != NULL)
        err = read_choice(reader, path, value, row->choices, &text);
    else
        err = read_name(reader, path, value, IDENTIFIER_MAX, &text);
    if (err == OK && target != NULL)
        *(struct slice *)target = text;
    return err;
}

/* A member given in both spellings is given twice. */
static bool is_twice(const struct json *object, const struct option_member *row)
{
    return row->other != NULL && json_member(object, row->name) != NULL &&
           json_member(object, row->other) != NULL;
}

static bool is_given(const struct json *object, const struct option_member *row)
{
    const struct json *member = json_member(object, row->name);
    if (member == NULL && row->other != NULL)
        member = json_member(object, row->other);
    return member != NULL && member->kind != JSON_NULL;
}

/* A member that is null counts as absent. */
static enum err read_members(struct reader *reader, const char *name, const struct json *value,
                             struct option option)
{
    if (value->kind != JSON_OBJECT)
        return why_set(&reader->why, ERR_INVALID, name, "must be an object");
    for (const struct json *member = value->first; member != NULL; member = member->next) {
        const struct option_member *row = find_member(option, member->name);
        struct path path = path_member(name, member->name);
        if (row == NULL)
            return unknown_member(reader, name, member->name, option);
        if (is_twice(value, row))
            return why_set(&reader->why, ERR_INVALID, path.text, "given twice: as %s and as %s",
                           row->name, row->other);
        enum err err = member->kind == JSON_NULL ? OK : read_member(reader, path.text, row, member);
        if (err != OK)
            return err;
    }
    for (size_t i = 0; i < option.count; i++)
        if (option.members[i].is_required && !is_given(value, &option.members[i])) {
            struct path path = path_member(name, slice_of_text(option.members[i].name));
            return why_set(&reader->why, ERR_INVALID, path.text, "missing");
        }
    return OK;
}

#define READ_MEMBERS(members)                                                                      \
    read_members(reader, field->name, value, (struct option){members, COUNT_OF(members)})

enum err request_read_guardrail(struct reader *reader, const struct request_field *field,
                                const struct json *value)
{
    return READ_MEMBERS(guardrail_members);
}

enum err request_read_performance(struct reader *reader, const struct request_field *field,
                                  const struct json *value)
{
    return READ_MEMBERS(performance_members);
}

enum err request_read_reasoning(struct reader *reader, const struct request_field *field,
                                const struct json *value)
{
    return READ_MEMBERS(reasoning_members);
}

/* Kept as it was written: Claude takes it as it is. */
enum err request_read_cache_control(struct reader *reader, const struct request_field *field,
                                    const struct json *value)
{
    enum err err = READ_MEMBERS(cache_members);
    if (err == OK)
        reader->request->cache_control = value->source;
    return err;
}

/* --- texts and switches --- */

enum err request_read_service_tier(struct reader *reader, const struct request_field *field,
                                   const struct json *value)
{
    return read_choice(reader, field->name, value, "priority|default|flex|reserved",
                       &reader->request->service_tier);
}

static bool lower(struct arena *arena, struct slice text, struct slice *ret_lower)
{
    char *copy = arena_new_array(arena, text.len, 1);
    if (copy == NULL)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        bool is_upper = text.ptr[i] >= 'A' && text.ptr[i] <= 'Z';
        copy[i] = is_upper ? (char)(text.ptr[i] - 'A' + 'a') : text.ptr[i];
    }
    *ret_lower = slice_of(copy, text.len);
    return true;
}

/* In lower case, as the ids of models have it. */
enum err request_read_provider(struct reader *reader, const struct request_field *field,
                               const struct json *value)
{
    struct slice name = SLICE_NULL;
    enum err err = read_name(reader, field->name, value, PROVIDER_MAX, &name);
    if (err != OK)
        return err;
    return lower(reader->arena, name, &reader->request->provider) ? OK : reader_no_memory(reader);
}

enum err request_read_base_model(struct reader *reader, const struct request_field *field,
                                 const struct json *value)
{
    return read_name(reader, field->name, value, REQUEST_MODEL_MAX, &reader->request->base_model);
}

enum err request_read_count_tokens(struct reader *reader, const struct request_field *field,
                                   const struct json *value)
{
    if (value->kind != JSON_TRUE && value->kind != JSON_FALSE)
        return why_set(&reader->why, ERR_INVALID, field->name, "must be true or false");
    reader->request->count_tokens = value->kind == JSON_TRUE;
    if (reader->request->count_tokens)
        reader->request->stream = false; /* read before */
    return OK;
}
