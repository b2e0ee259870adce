#include "sim/bodies/reading.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wire/formats/text.h"

bool reading_init(struct reading *ret_reading, struct arena *arena, struct slice body,
                  struct conversation *conversation, char reason[CHECK_TEXT_MAX])
{
    *ret_reading = (struct reading){.arena = arena,
                                    .conversation = conversation,
                                    .text = arena_new(arena, body.len),
                                    .reason = reason};
    return ret_reading->text != NULL;
}

enum err reading_refuse(struct reading *reading, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(reading->reason, CHECK_TEXT_MAX, format, args);
    va_end(args);
    return ERR_REJECTED;
}

static void hash_in(struct reading *reading, struct slice part)
{
    reading->hash = slice_hash(part, reading->hash);
}

/* The quotes around each text, or the colon before its JSON, make room for the line end. */
static void add(struct reading *reading, struct slice text)
{
    if (reading->len > 0)
        reading->text[reading->len++] = '\n';
    if (text.len > 0)
        memcpy(reading->text + reading->len, text.ptr, text.len);
    reading->len += text.len;
    hash_in(reading, text);
}

enum err reading_keep_text(struct reading *reading, const struct json *node, bool *ret_blank)
{
    struct slice text;
    if (!json_string(reading->arena, node, &text))
        return ERR_NO_MEMORY;
    add(reading, text);
    *ret_blank = text_is_blank(text);
    return OK;
}

void reading_add_json(struct reading *reading, const struct json *node)
{
    add(reading, node->source);
}

void reading_add_other(struct reading *reading, const struct json *node)
{
    reading->other_bytes += node->source.len;
    hash_in(reading, node->source);
}

void reading_turn(struct reading *reading)
{
    reading->turn_at = reading->len;
    reading->conversation->has_results = false;
    reading->conversation->media_count = 0;
    hash_in(reading, SLICE("turn"));
}

void reading_prompt(struct reading *reading)
{
    reading->conversation->prompt =
        slice_trim(slice_of(reading->text + reading->turn_at, reading->len - reading->turn_at));
}

const struct asked_tool *reading_tool(const struct reading *reading, struct slice name)
{
    const struct asked_tool *tool = reading->conversation->tools;
    while (tool != NULL && !slice_equal(tool->name, name))
        tool = tool->next;
    return tool;
}

enum err reading_add_tool(struct reading *reading, const struct json *name,
                          const struct json *schema)
{
    struct asked_tool *tool = arena_new(reading->arena, sizeof *tool);
    if (tool == NULL || !json_string(reading->arena, name, &tool->name))
        return ERR_NO_MEMORY;
    if (reading_tool(reading, tool->name) != NULL)
        return reading_refuse(reading,
                              "The model returned the following errors: tools: Tool names must be "
                              "unique.");
    tool->schema = json_is(schema, JSON_OBJECT) ? schema : NULL;
    if (reading->last_tool != NULL)
        reading->last_tool->next = tool;
    else
        reading->conversation->tools = tool;
    reading->last_tool = tool;
    return OK;
}

size_t reading_base64_len(struct slice text)
{
    size_t len = text.len / 4 * 3;
    for (size_t i = 0; i < 2 && i < text.len && text.ptr[text.len - 1 - i] == '='; i++)
        len--;
    return len;
}

void reading_add_media(struct reading *reading, const char *kind, struct slice format, size_t bytes)
{
    struct conversation *conversation = reading->conversation;
    if (conversation->media_count < MEDIA_SHOWN_MAX)
        conversation->media[conversation->media_count++] =
            (struct asked_media){kind, format, bytes};
}

enum err reading_cache_point(struct reading *reading, bool is_long)
{
    struct conversation *conversation = reading->conversation;
    if (++reading->points > CACHE_POINTS_MAX)
        return reading_refuse(reading,
                              "The model returned the following errors: A maximum of 4 blocks with "
                              "cachePoint may be provided. Found %zu.",
                              reading->points);
    if (is_long && reading->had_short)
        return reading_refuse(
            reading, "The model returned the following errors: a ttl='1h' cache_control block must "
                     "not come after a ttl='5m' cache_control block. Note that blocks are "
                     "processed in the following order: `tools`, `system`, `messages`.");
    reading->had_short = reading->had_short || !is_long;
    conversation->marks[conversation->mark_count++] =
        (struct asked_mark){reading->hash, reading->len + reading->other_bytes, is_long};
    return OK;
}

void reading_end(struct reading *reading)
{
    struct conversation *conversation = reading->conversation;
    conversation->all = slice_of(reading->text, reading->len);
    conversation->input_bytes = reading->len + reading->other_bytes;
}

enum err reading_string(struct reading *reading, const struct json *object, const char *name,
                        struct slice *ret_text)
{
    const struct json *member = json_member(object, name);
    *ret_text = SLICE_NULL;
    return !json_is(member, JSON_STRING) || json_string(reading->arena, member, ret_text)
               ? OK
               : ERR_NO_MEMORY;
}
