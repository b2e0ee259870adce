/* The rules of a conversation in Converse (Bedrock API reference, Converse, ConverseStream). */
#include <stdio.h>

#include "sim/bodies/parts.h"
#include "wire/formats/text.h"

#define WORDS_START                                                                                \
    "A conversation must start with a user message. Try again with a conversation that starts "    \
    "with a user message."

enum err check_role(struct reading *reading, const struct json *message, const struct json *before)
{
    const struct json *role = json_member(message, "role");
    bool is_user = json_equal_text(role, "user");
    if (json_equal_text(role, "system"))
        return reading_refuse(reading, "The role `system` is not supported in messages by this "
                                       "model. Use the system field.");
    if (before == NULL)
        return is_user ? OK : reading_refuse(reading, WORDS_START);
    if (json_equal_text(json_member(before, "role"), "user") == is_user)
        return reading_refuse(reading,
                              SAID "messages: roles must alternate between \"user\" and "
                                   "\"assistant\", but found multiple \"%s\" roles in a row",
                              is_user ? "user" : "assistant");
    return OK;
}

enum err check_ending(struct reading *reading, const struct json *last)
{
    struct slice text = slice_of(reading->text + reading->turn_at, reading->len - reading->turn_at);
    if (!json_equal_text(json_member(last, "role"), "assistant"))
        return OK;
    reading->conversation->prefill = slice_trim(text);
    if (text_trim_end(text).len < text.len)
        return reading_refuse(
            reading, SAID "messages: final assistant content cannot end with trailing whitespace");
    return OK;
}

/* A document needs a text beside it. */
static enum err check_company(struct reading *reading, const struct json *content, size_t index)
{
    bool has_text = false, has_document = false;
    for (const struct json *block = content->first; block != NULL; block = block->next) {
        has_text = has_text || json_is(json_member(block, "text"), JSON_STRING);
        has_document = has_document || json_is(json_member(block, "document"), JSON_OBJECT);
    }
    if (has_document && !has_text)
        return reading_refuse(reading,
                              "The content field in the Message object at messages.%zu has a "
                              "document block and no text block. Add a text block and try again.",
                              index);
    return OK;
}

static enum err read_message(struct reading *reading, const struct json *message,
                             const struct json *before, size_t index)
{
    char text[CHECK_PLACE_MAX];
    const struct json *content = json_member(message, "content");
    struct block_place place = {text, json_equal_text(json_member(message, "role"), "user"), false};
    size_t number = 0;
    if (content->count == 0)
        return reading_refuse(reading,
                              "The content field in the Message object at messages.%zu is empty. "
                              "Add a ContentBlock object to the content field and try again.",
                              index);
    reading_turn(reading);
    enum err err = check_pairs(reading, json_member(before, "content"), content, index);
    if (err == OK)
        err = check_company(reading, content, index);
    for (const struct json *block = content->first; err == OK && block != NULL;
         block = block->next) {
        (void)snprintf(text, sizeof text, "messages.%zu.content.%zu", index, number++);
        err = check_block(reading, block, &place);
    }
    if (err == OK && place.is_user)
        reading_prompt(reading);
    return err;
}

static enum err read_messages(struct reading *reading, const struct json *messages)
{
    size_t index = 0;
    const struct json *before = NULL;
    if (messages == NULL || messages->count == 0)
        return reading_refuse(reading, WORDS_START);
    for (const struct json *message = messages->first; message != NULL; message = message->next) {
        enum err err = check_role(reading, message, before);
        if (err == OK)
            err = read_message(reading, message, before, index++);
        if (err != OK)
            return err;
        before = message;
    }
    return check_ending(reading, before);
}

static enum err read_system(struct reading *reading, const struct json *system)
{
    size_t number = 0;
    char text[CHECK_PLACE_MAX];
    struct block_place place = {text, false, true};
    for (const struct json *block = json_is(system, JSON_ARRAY) ? system->first : NULL;
         block != NULL; block = block->next) {
        (void)snprintf(text, sizeof text, "system.%zu", number++);
        enum err err = check_block(reading, block, &place);
        if (err != OK)
            return err;
    }
    reading->conversation->system = slice_of(reading->text, reading->len);
    return OK;
}

/* In the order in which Bedrock builds the prompt: tools, system, messages. */
enum err check_converse_turns(struct reading *reading, const struct json *root)
{
    enum err err = check_tool_config(reading, json_member(root, "toolConfig"));
    if (err == OK)
        err = read_system(reading, json_member(root, "system"));
    if (err == OK)
        err = read_messages(reading, json_member(root, "messages"));
    return err;
}

enum err check_converse(struct reading *reading, const struct json *root)
{
    enum err err = check_converse_turns(reading, root);
    return err == OK ? check_fields(reading, root) : err;
}
