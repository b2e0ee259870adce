/* What a request would meet: aliases, templates and the default model are tried with one, so that
 * `check` refuses what would fail every request that uses them, by the request reader's own rules.
 */
#include "app/settings/parts.h"

#include "wire/formats/json.h"

#define ARENA_BYTES_MAX   ((size_t)64 * 1024 * 1024)
#define REQUEST_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define PROBE_MESSAGE     "[\"human\",\"x\"]"

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

const char *trial_words(const struct trial *trial)
{
    if (trial->why.err == ERR_NO_MEMORY)
        return "out of memory";
    return trial->why.message[0] != '\0' ? trial->why.message : err_words(trial->why.err);
}

enum err trial_field(struct trial *trial, const char *name, struct slice json)
{
    static const struct catalog CATALOG = {.default_model = {"m.x", 3}};
    buf_add_text(&trial->value, "{\"messages\":[" PROBE_MESSAGE "]");
    json_add_member(&trial->value, name, json);
    buf_add_byte(&trial->value, '}');
    return try(trial, &CATALOG);
}

enum err trial_model(struct trial *trial, const struct catalog *catalog)
{
    buf_add_text(&trial->value, "{\"messages\":[" PROBE_MESSAGE "]}");
    return try(trial, catalog);
}

static void add_message(struct buf *json, const struct template_message *message)
{
    buf_add_byte(json, '[');
    json_add_string(json, message->role);
    buf_add_byte(json, ',');
    json_add_string(json, message->text);
    buf_add_byte(json, ']');
}

static enum err trial_messages(struct trial *trial, const struct template_message *messages,
                               size_t count, const char *before)
{
    static const struct catalog CATALOG = {.default_model = {"m.x", 3}};
    buf_add_text(&trial->value, "{\"messages\":[");
    buf_add_text(&trial->value, before);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_byte(&trial->value, ',');
        add_message(&trial->value, &messages[i]);
    }
    buf_add_text(&trial->value, "]}");
    return try(trial, &CATALOG);
}

enum err trial_message(struct trial *trial, const struct template_message *message)
{
    return trial_messages(trial, message, 1, PROBE_MESSAGE ",");
}

enum err trial_template(struct trial *trial, const struct template_named *named)
{
    return trial_messages(trial, named->messages, named->count, "");
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
