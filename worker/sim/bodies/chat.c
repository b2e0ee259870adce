/* Bodies of InvokeModel in the form of OpenAI's chat completions: gpt-oss, qwen, jamba, writer and
 * the vendors after them. */
#include "sim/bodies/parts.h"

static enum err read_tools(struct reading *reading, const struct json *tools)
{
    reading->has_tools = json_is(tools, JSON_ARRAY);
    for (const struct json *tool = reading->has_tools ? tools->first : NULL; tool != NULL;
         tool = tool->next) {
        const struct json *function = json_member(tool, "function");
        reading_add_other(reading, tool);
        enum err err = reading_add_tool(reading, json_member(function, "name"),
                                        json_member(function, "parameters"));
        if (err != OK)
            return err;
    }
    return OK;
}

static enum err read_choice(struct reading *reading, const struct json *choice)
{
    struct conversation *conversation = reading->conversation;
    if (json_is(choice, JSON_OBJECT))
        return check_choice(reading, json_member(json_member(choice, "function"), "name"));
    if (json_equal_text(choice, "none"))
        conversation->choice = CHOICE_NONE;
    else if (json_is(choice, JSON_STRING) && !json_equal_text(choice, "auto"))
        conversation->choice = CHOICE_ANY;
    return OK;
}

/* An image is a data URL; models fetch no other. */
static enum err read_image(struct reading *reading, const struct json *part)
{
    struct slice url;
    enum err err = reading_string(reading, json_member(part, "image_url"), "url", &url);
    if (err != OK)
        return err;
    size_t comma = slice_find(url, ',');
    if (!slice_starts(url, SLICE("data:image/")) || comma == url.len)
        return reading_refuse(reading, "image_url: only base64 data URLs of images are supported");
    struct slice kind = slice_sub(url, sizeof "data:image/" - 1, comma);
    reading_add_other(reading, part);
    reading_add_media(reading, "image", slice_sub(kind, 0, slice_find(kind, ';')),
                      reading_base64_len(slice_sub(url, comma + 1, url.len)));
    return OK;
}

static enum err read_content(struct reading *reading, const struct json *content)
{
    bool is_blank = false;
    if (json_is(content, JSON_STRING))
        return reading_keep_text(reading, content, &is_blank);
    for (const struct json *part = json_is(content, JSON_ARRAY) ? content->first : NULL;
         part != NULL; part = part->next) {
        const struct json *text = json_member(part, "text");
        enum err err = OK;
        if (json_is(text, JSON_STRING))
            err = reading_keep_text(reading, text, &is_blank);
        else if (json_is(json_member(part, "image_url"), JSON_OBJECT))
            err = read_image(reading, part);
        else
            reading_add_other(reading, part);
        if (err != OK)
            return err;
    }
    return OK;
}

/* A tool turn answers a call of the nearest assistant turn before it. */
static enum err check_call(struct reading *reading, const struct json *message,
                           const struct json *caller, size_t index)
{
    struct slice id, called;
    const struct json *calls = json_member(caller, "tool_calls");
    enum err err = reading_string(reading, message, "tool_call_id", &id);
    for (const struct json *call = json_is(calls, JSON_ARRAY) ? calls->first : NULL;
         err == OK && call != NULL; call = call->next) {
        err = reading_string(reading, call, "id", &called);
        if (err == OK && slice_equal(called, id))
            return OK;
    }
    if (err != OK)
        return err;
    return reading_refuse(reading,
                          "messages.%zu: messages with role 'tool' must be a response to a "
                          "preceding message with 'tool_calls'",
                          index);
}

static enum err read_messages(struct reading *reading, const struct json *messages)
{
    size_t index = 0;
    const struct json *caller = NULL;
    for (const struct json *message = messages->first; message != NULL; message = message->next) {
        const struct json *role = json_member(message, "role");
        const struct json *calls = json_member(message, "tool_calls");
        bool is_tool = json_equal_text(role, "tool");
        enum err err = is_tool ? check_call(reading, message, caller, index++) : OK;
        if (!is_tool)
            index++;
        if (json_equal_text(role, "assistant"))
            caller = message;
        reading_turn(reading);
        reading->conversation->has_results = is_tool;
        if (err == OK)
            err = read_content(reading, json_member(message, "content"));
        if (err != OK)
            return err;
        if (json_is(calls, JSON_ARRAY))
            reading_add_other(reading, calls);
        if (is_tool || json_equal_text(role, "user"))
            reading_prompt(reading);
        else if (index == 1)
            reading->conversation->system = slice_of(reading->text, reading->len);
    }
    return OK;
}

enum err check_chat(struct reading *reading, const struct json *root)
{
    struct conversation *conversation = reading->conversation;
    const struct json *max_tokens = json_member(root, "max_completion_tokens");
    if (max_tokens == NULL)
        max_tokens = json_member(root, "max_tokens");
    conversation->stop = json_member(root, "stop");
    if (json_is(max_tokens, JSON_NUMBER) && !json_int64(max_tokens, &conversation->max_tokens))
        return ERR_REJECTED;
    const struct json *format = json_member(root, "response_format");
    const struct json *schema = json_member(json_member(format, "json_schema"), "schema");
    conversation->output_schema = json_is(schema, JSON_OBJECT) ? schema : NULL;
    enum err err = read_tools(reading, json_member(root, "tools"));
    if (err == OK)
        err = read_choice(reading, json_member(root, "tool_choice"));
    if (err == OK)
        err = read_messages(reading, json_member(root, "messages"));
    if (err == OK)
        err = check_sampling(reading, root);
    return err == OK ? check_thinking(reading, root) : err;
}
