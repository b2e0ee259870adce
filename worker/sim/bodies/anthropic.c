/* Bodies of InvokeModel for Claude (Anthropic's Messages API) and for Nova (Converse's messages).
 */
#include <stdio.h>

#include "sim/bodies/parts.h"
#include "sim/signature.h"

static enum err read_point(struct reading *reading, const struct json *block)
{
    const struct json *control = json_member(block, "cache_control");
    if (!json_is(control, JSON_OBJECT))
        return OK;
    return reading_cache_point(reading, json_equal_text(json_member(control, "ttl"), "1h"));
}

static enum err read_tools(struct reading *reading, const struct json *tools)
{
    enum err err = OK;
    reading->has_tools = json_is(tools, JSON_ARRAY);
    for (const struct json *tool = reading->has_tools ? tools->first : NULL;
         err == OK && tool != NULL; tool = tool->next) {
        reading_add_other(reading, tool);
        err =
            reading_add_tool(reading, json_member(tool, "name"), json_member(tool, "input_schema"));
        if (err == OK)
            err = read_point(reading, tool);
    }
    return err;
}

static enum err read_choice(struct reading *reading, const struct json *choice)
{
    const struct json *type = json_member(choice, "type");
    if (json_equal_text(type, "tool"))
        return check_choice(reading, json_member(choice, "name"));
    if (json_equal_text(type, "any"))
        reading->conversation->choice = CHOICE_ANY;
    if (json_equal_text(type, "none"))
        reading->conversation->choice = CHOICE_NONE;
    return OK;
}

static enum err read_text(struct reading *reading, const struct json *text)
{
    bool is_blank = false;
    enum err err = reading_keep_text(reading, text, &is_blank);
    if (err == OK && is_blank)
        err = reading_refuse(reading, text->source.len == 2
                                          ? "messages: text content blocks must be non-empty"
                                          : "messages: text content blocks must contain "
                                            "non-whitespace text");
    return err;
}

/* An image or a document: its format is what follows the last `/` or `.` of the media type. */
static enum err read_media(struct reading *reading, const struct json *block, const char *kind)
{
    struct slice type, data;
    const struct json *source = json_member(block, "source");
    enum err err = reading_string(reading, source, "media_type", &type);
    if (err == OK)
        err = reading_string(reading, source, "data", &data);
    if (err != OK)
        return err;
    reading_add_other(reading, block);
    bool is_text = json_equal_text(json_member(source, "type"), "text");
    reading_add_media(reading, kind, slice_sub(type, slice_find(type, '/') + 1, type.len),
                      is_text ? data.len : reading_base64_len(data));
    if (json_is(json_member(json_member(block, "citations"), "enabled"), JSON_TRUE))
        reading->conversation->cites = true;
    return OK;
}

static enum err read_result(struct reading *reading, const struct json *block)
{
    bool is_blank = false;
    const struct json *content = json_member(block, "content");
    reading->conversation->has_results = true;
    if (json_is(content, JSON_STRING))
        return reading_keep_text(reading, content, &is_blank);
    for (const struct json *part = json_is(content, JSON_ARRAY) ? content->first : NULL;
         part != NULL; part = part->next) {
        const struct json *text = json_member(part, "text");
        enum err err = OK;
        if (json_is(text, JSON_STRING))
            err = reading_keep_text(reading, text, &is_blank);
        else if (json_equal_text(json_member(part, "type"), "image"))
            err = read_media(reading, part, "image");
        else
            reading_add_other(reading, part);
        if (err != OK)
            return err;
    }
    return OK;
}

static enum err read_thinking(struct reading *reading, const struct json *block, const char *place)
{
    struct slice text, signature;
    enum err err = reading_string(reading, block, "thinking", &text);
    if (err == OK)
        err = reading_string(reading, block, "signature", &signature);
    if (err != OK)
        return err;
    reading_add_other(reading, block);
    if (signature_fits(text, signature))
        return OK;
    return reading_refuse(reading, "%s: Invalid `signature` in `thinking` block", place);
}

static enum err read_block(struct reading *reading, const struct json *block, const char *place)
{
    const struct json *type = json_member(block, "type");
    enum err err = OK;
    if (json_equal_text(type, "text"))
        err = read_text(reading, json_member(block, "text"));
    else if (json_equal_text(type, "image"))
        err = read_media(reading, block, "image");
    else if (json_equal_text(type, "document"))
        err = read_media(reading, block, "document");
    else if (json_equal_text(type, "tool_result"))
        err = read_result(reading, block);
    else if (json_equal_text(type, "thinking"))
        err = read_thinking(reading, block, place);
    else
        reading_add_other(reading, block);
    return err == OK ? read_point(reading, block) : err;
}

static bool has_id(struct reading *reading, const struct json *content, const char *member,
                   struct slice id)
{
    struct slice other;
    for (const struct json *block = json_is(content, JSON_ARRAY) ? content->first : NULL;
         block != NULL; block = block->next) {
        if (reading_string(reading, block, member, &other) == OK && other.ptr != NULL &&
            slice_equal(other, id))
            return true;
    }
    return false;
}

/* Each call has its result in the next turn, and each result its call in the turn before. */
static enum err check_claude_pairs(struct reading *reading, const struct json *before,
                                   const struct json *content, size_t index)
{
    struct slice id;
    bool is_list = json_is(content, JSON_ARRAY);
    for (const struct json *block = json_is(before, JSON_ARRAY) ? before->first : NULL;
         block != NULL; block = block->next) {
        if (!json_equal_text(json_member(block, "type"), "tool_use"))
            continue;
        if (reading_string(reading, block, "id", &id) == OK &&
            !has_id(reading, content, "tool_use_id", id))
            return reading_refuse(reading,
                                  "messages.%zu: `tool_use` ids were found without `tool_result` "
                                  "blocks immediately after: %.*s. Each `tool_use` block must have "
                                  "a corresponding `tool_result` block in the next message.",
                                  index - 1, SLICE_ARG(id));
    }
    for (const struct json *block = is_list ? content->first : NULL; block != NULL;
         block = block->next) {
        if (!json_equal_text(json_member(block, "type"), "tool_result"))
            continue;
        if (reading_string(reading, block, "tool_use_id", &id) == OK &&
            !has_id(reading, before, "id", id))
            return reading_refuse(reading,
                                  "messages.%zu: unexpected `tool_use_id` found in `tool_result` "
                                  "blocks: %.*s. Each `tool_result` block must have a "
                                  "corresponding `tool_use` block in the previous message.",
                                  index, SLICE_ARG(id));
    }
    return OK;
}

static enum err read_message(struct reading *reading, const struct json *message,
                             const struct json *before, size_t index)
{
    char place[CHECK_PLACE_MAX];
    size_t number = 0;
    const struct json *content = json_member(message, "content");
    enum err err = check_role(reading, message, before);
    if (err == OK)
        err = check_claude_pairs(reading, json_member(before, "content"), content, index);
    if (err != OK)
        return err;
    reading_turn(reading);
    if (json_is(content, JSON_STRING))
        err = read_text(reading, content);
    for (const struct json *block = json_is(content, JSON_ARRAY) ? content->first : NULL;
         err == OK && block != NULL; block = block->next) {
        (void)snprintf(place, sizeof place, "messages.%zu.content.%zu", index, number++);
        err = read_block(reading, block, place);
    }
    if (err == OK && json_equal_text(json_member(message, "role"), "user"))
        reading_prompt(reading);
    return err;
}

static enum err read_system(struct reading *reading, const struct json *system)
{
    enum err err = OK;
    if (json_is(system, JSON_STRING) && system->source.len > 2)
        err = read_text(reading, system);
    for (const struct json *block = json_is(system, JSON_ARRAY) ? system->first : NULL;
         err == OK && block != NULL; block = block->next)
        err = read_block(reading, block, "system");
    reading->conversation->system = slice_of(reading->text, reading->len);
    return err;
}

enum err check_anthropic(struct reading *reading, const struct json *root)
{
    struct conversation *conversation = reading->conversation;
    size_t index = 0;
    const struct json *before = NULL;
    if (!json_int64(json_member(root, "max_tokens"), &conversation->max_tokens))
        return ERR_REJECTED;
    conversation->stop = json_member(root, "stop_sequences");
    enum err err = read_tools(reading, json_member(root, "tools"));
    if (err == OK)
        err = read_choice(reading, json_member(root, "tool_choice"));
    if (err == OK)
        err = read_system(reading, json_member(root, "system"));
    for (const struct json *message = json_member(root, "messages")->first;
         err == OK && message != NULL; message = message->next) {
        err = read_message(reading, message, before, index++);
        before = message;
    }
    if (err == OK)
        err = check_ending(reading, before);
    if (err == OK)
        err = check_sampling(reading, root);
    return err == OK ? check_thinking(reading, root) : err;
}

enum err check_nova(struct reading *reading, const struct json *root)
{
    struct conversation *conversation = reading->conversation;
    const struct json *inference = json_member(root, "inferenceConfig");
    const struct json *max_tokens = json_member(inference, "maxTokens");
    if (max_tokens == NULL)
        max_tokens = json_member(inference, "max_new_tokens");
    conversation->stop = json_member(inference, "stopSequences");
    if (json_is(max_tokens, JSON_NUMBER) && !json_int64(max_tokens, &conversation->max_tokens))
        return ERR_REJECTED;
    enum err err = check_converse_turns(reading, root);
    return err == OK ? check_thinking(reading, root) : err;
}
