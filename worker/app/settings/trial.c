#include "app/settings/trial.h"

#include "wire/formats/json.h"

#define ARENA_BYTES_MAX   ((size_t)64 * 1024 * 1024)
#define REQUEST_BYTES_MAX ((size_t)16 * 1024 * 1024)

static const struct catalog CATALOG = {.default_model = {"m.x", 3}};
static const struct template_message PROBE = {.role = {"human", 5}, .text = {"x", 1}};

void trial_init(struct trial *trial)
{
    arena_init(&trial->arena, ARENA_BYTES_MAX);
    buf_init(&trial->value, REQUEST_BYTES_MAX);
}

void trial_done(struct trial *trial)
{
    arena_done(&trial->arena);
    buf_done(&trial->value);
}

static enum err try(struct trial *trial, const struct catalog *catalog)
{
    struct record record = {.topic = SLICE("check"), .value = buf_slice(&trial->value)};
    if (trial->value.failed != OK)
        return why_set(&trial->why, trial->value.failed, NULL, "is too long; shorten it");
    enum err err = request_from_headers(&trial->arena, &record, &trial->request, &trial->why);
    if (err == OK)
        err = request_read(&trial->arena, &record, catalog, &trial->request, &trial->why);
    return err;
}

const char *trial_reason(const struct trial *trial)
{
    if (trial->why.err == ERR_NO_MEMORY)
        return "out of memory";
    return trial->why.message[0] != '\0' ? trial->why.message : err_words(trial->why.err);
}

static void add_message(struct buf *json, const struct template_message *message)
{
    json_add_comma(json);
    buf_add_byte(json, '[');
    json_add_string(json, message->role);
    json_add_comma(json);
    json_add_string(json, message->text);
    buf_add_byte(json, ']');
}

static void add_messages(struct buf *json, bool has_probe, const struct template_message *messages,
                         size_t count)
{
    buf_add_byte(json, '{');
    json_add_name(json, "messages");
    buf_add_byte(json, '[');
    if (has_probe)
        add_message(json, &PROBE);
    for (size_t i = 0; i < count; i++)
        add_message(json, &messages[i]);
    buf_add_byte(json, ']');
}

enum err trial_field(struct trial *trial, const char *name, struct slice json)
{
    add_messages(&trial->value, true, NULL, 0);
    json_add_member(&trial->value, name, json);
    buf_add_byte(&trial->value, '}');
    return try(trial, &CATALOG);
}

enum err trial_keep(struct arena *arena, struct slice members, const struct request **ret_request)
{
    struct request *request = arena_new_array(arena, 1, sizeof *request);
    struct record record = {.topic = SLICE("check")};
    struct why why;
    struct buf value OWNED_BY(buf_done);
    buf_init(&value, REQUEST_BYTES_MAX);
    add_messages(&value, true, NULL, 0);
    buf_add(&value, members);
    buf_add_byte(&value, '}');
    if (request == NULL || value.failed != OK ||
        !arena_copy(arena, buf_slice(&value), &record.value))
        return ERR_NO_MEMORY;
    enum err err = request_from_headers(arena, &record, request, &why);
    if (err == OK)
        err = request_read(arena, &record, &CATALOG, request, &why);
    *ret_request = err == OK ? request : NULL;
    return err;
}

enum err trial_model(struct trial *trial, const struct catalog *catalog)
{
    add_messages(&trial->value, true, NULL, 0);
    buf_add_byte(&trial->value, '}');
    return try(trial, catalog);
}

static enum err try_messages(struct trial *trial, bool has_probe,
                             const struct template_message *messages, size_t count)
{
    add_messages(&trial->value, has_probe, messages, count);
    buf_add_byte(&trial->value, '}');
    return try(trial, &CATALOG);
}

enum err trial_message(struct trial *trial, const struct template_message *message)
{
    return try_messages(trial, true, message, 1);
}

enum err trial_template(struct trial *trial, const struct template_named *named)
{
    return try_messages(trial, false, named->messages, named->count);
}

size_t trial_index(const struct trial *trial)
{
    struct slice field = slice_of_text(trial->why.field), front = SLICE("messages[");
    int64_t index = 0;
    if (!slice_starts(field, front))
        return SIZE_MAX;
    struct slice rest = slice_sub(field, front.len, field.len);
    bool is_index = slice_to_int64(slice_sub(rest, 0, slice_find(rest, ']')), &index);
    return is_index && index >= 0 ? (size_t)index : SIZE_MAX;
}
