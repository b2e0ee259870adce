#include "sim/checks.h"

#include <stdio.h>
#include <string.h>

#include "wire/formats/text.h"

#define MODEL_ID_MAX 2048

/* Bedrock's texts, with `%s` for the path of the member. */
#define WORDS_EMPTY_CONTENT                                                                        \
    "The content field in the Message object at %s is empty. Add a ContentBlock object to the "    \
    "content field and try again."
#define WORDS_BLANK                                                                                \
    "The text field in the ContentBlock object at %s is blank. Add text to the text field, and "   \
    "try again."
#define WORDS_NO_TOOLS                                                                             \
    "The toolConfig field must be defined when using toolUse and toolResult content blocks."
#define WORDS_START                                                                                \
    "A conversation must start with a user message. Try again with a conversation that starts "    \
    "with a user message."
#define WORDS_TWICE                                                                                \
    "The model returned the following errors: messages: roles must alternate between \"user\" "    \
    "and \"assistant\", but found multiple \"%s\" roles in a row"
#define WORDS_SYSTEM                                                                               \
    "The role `system` is not supported in messages by this model. Use the system field."
#define WORDS_TRAILING                                                                             \
    "The model returned the following errors: messages: final assistant content cannot end with "  \
    "trailing whitespace"
#define WORDS_CACHE                                                                                \
    "The model returned the following errors: A maximum of 4 blocks with cachePoint may be "       \
    "provided."
#define WORDS_NO_USE                                                                               \
    "The number of toolResult blocks at %s exceeds the number of toolUse blocks of previous turn."

/* The conversation that is being read. */
struct reading {
    struct arena *arena;
    struct conversation *conversation;
    char *text; /* room for the text of all turns */
    size_t len;
    size_t other_bytes;
    size_t cache_points;
    bool has_tools;
    size_t tool_uses; /* of the turn before */
    char *reason;
};

static enum err refuse_at(struct reading *reading, const char *format, const char *place)
{
    /* The formats are the constants above, with at most one %s. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(reading->reason, CHECK_TEXT_MAX, format, place);
#pragma GCC diagnostic pop
    return ERR_REJECTED;
}

static enum err add_text(struct reading *reading, const struct json *node, bool *ret_blank)
{
    struct slice text;
    if (!json_string(reading->arena, node, &text))
        return ERR_NO_MEMORY;
    if (reading->len > 0)
        reading->text[reading->len++] = '\n';
    if (text.len > 0)
        memcpy(reading->text + reading->len, text.ptr, text.len);
    reading->len += text.len;
    *ret_blank = text_is_blank(text);
    return OK;
}

/* One content block of a message or of the system text. */
static enum err read_block(struct reading *reading, const struct json *block, const char *place)
{
    bool is_blank = false;
    const struct json *text = json_member(block, "text");
    if (json_is(text, JSON_STRING)) {
        enum err err = add_text(reading, text, &is_blank);
        if (err == OK && is_blank)
            err = refuse_at(reading, WORDS_BLANK, place);
        return err;
    }
    if (json_is(json_member(block, "cachePoint"), JSON_OBJECT)) {
        if (++reading->cache_points > CACHE_POINTS_MAX)
            return refuse_at(reading, WORDS_CACHE, place);
        return OK;
    }
    bool is_tool = json_is(json_member(block, "toolUse"), JSON_OBJECT) ||
                   json_is(json_member(block, "toolResult"), JSON_OBJECT);
    if (is_tool && !reading->has_tools)
        return refuse_at(reading, WORDS_NO_TOOLS, place);
    reading->other_bytes += block->source.len;
    return OK;
}

static size_t count_blocks(const struct json *content, const char *name)
{
    size_t count = 0;
    for (const struct json *block = content->first; block != NULL; block = block->next)
        count += json_is(json_member(block, name), JSON_OBJECT) ? 1 : 0;
    return count;
}

static enum err read_message(struct reading *reading, const struct json *message, size_t index)
{
    char place[64];
    const struct json *content = json_member(message, "content");
    (void)snprintf(place, sizeof place, "messages.%zu", index);
    if (content->count == 0)
        return refuse_at(reading, WORDS_EMPTY_CONTENT, place);
    (void)snprintf(place, sizeof place, "messages.%zu.content", index);
    if (count_blocks(content, "toolResult") > reading->tool_uses)
        return refuse_at(reading, reading->has_tools ? WORDS_NO_USE : WORDS_NO_TOOLS, place);
    size_t number = 0;
    for (const struct json *block = content->first; block != NULL; block = block->next) {
        (void)snprintf(place, sizeof place, "messages.%zu.content.%zu", index, number++);
        enum err err = read_block(reading, block, place);
        if (err != OK)
            return err;
    }
    reading->tool_uses = count_blocks(content, "toolUse");
    return OK;
}

static enum err check_role(struct reading *reading, const struct json *message,
                           const struct json *before)
{
    const struct json *role = json_member(message, "role");
    bool is_user = json_equal_text(role, "user");
    if (json_equal_text(role, "system"))
        return refuse_at(reading, WORDS_SYSTEM, "");
    if (before == NULL)
        return is_user ? OK : refuse_at(reading, WORDS_START, "");
    if (json_equal_text(json_member(before, "role"), "user") == is_user)
        return refuse_at(reading, WORDS_TWICE, is_user ? "user" : "assistant");
    return OK;
}

static bool ends_in_white_space(const struct reading *reading)
{
    struct slice text = slice_of(reading->text, reading->len);
    return text_trim_end(text).len < text.len;
}

static enum err read_messages(struct reading *reading, const struct json *messages)
{
    size_t from = 0;
    size_t index = 0;
    const struct json *before = NULL;
    if (messages == NULL || messages->count == 0)
        return refuse_at(reading, WORDS_START, "");
    for (const struct json *message = messages->first; message != NULL; message = message->next) {
        from = reading->len;
        enum err err = check_role(reading, message, before);
        if (err == OK)
            err = read_message(reading, message, index++);
        if (err != OK)
            return err;
        if (json_equal_text(json_member(message, "role"), "user"))
            reading->conversation->prompt =
                slice_trim(slice_of(reading->text + from, reading->len - from));
        before = message;
    }
    if (json_equal_text(json_member(before, "role"), "assistant") && reading->len > from &&
        ends_in_white_space(reading))
        return refuse_at(reading, WORDS_TRAILING, "");
    return OK;
}

static enum err read_conversation(struct reading *reading, const struct json *root)
{
    struct conversation *conversation = reading->conversation;
    const struct json *system = json_member(root, "system");
    size_t number = 0;
    for (const struct json *block = json_is(system, JSON_ARRAY) ? system->first : NULL;
         block != NULL; block = block->next) {
        char place[64];
        (void)snprintf(place, sizeof place, "system.%zu", number++);
        enum err err = read_block(reading, block, place);
        if (err != OK)
            return err;
    }
    conversation->system = slice_of(reading->text, reading->len);
    enum err err = read_messages(reading, json_member(root, "messages"));
    conversation->all = slice_of(reading->text, reading->len);
    conversation->input_bytes = reading->len + reading->other_bytes;
    return err;
}

enum err check_converse(struct arena *arena, struct slice body,
                        struct conversation *ret_conversation, char ret_text[CHECK_TEXT_MAX])
{
    const struct json *root;
    struct json_fault fault;
    *ret_conversation = (struct conversation){.max_tokens = -1};
    enum err err = json_parse(arena, body, &root, &fault);
    if (err == ERR_NO_MEMORY)
        return err;
    if (err != OK) {
        (void)snprintf(ret_text, CHECK_TEXT_MAX,
                       "Malformed input request: not valid JSON at byte %zu: %s, please reformat "
                       "your input and try again.",
                       fault.offset, fault.words);
        return ERR_REJECTED;
    }
    err = check_shape(arena, root, &SHAPE_CONVERSE, ret_text);
    if (err != OK)
        return err;
    const struct json *inference = json_member(root, "inferenceConfig");
    const struct json *max_tokens = json_member(inference, "maxTokens");
    const struct json *stop = json_member(inference, "stopSequences");
    if (json_is(max_tokens, JSON_NUMBER) && !json_int64(max_tokens, &ret_conversation->max_tokens))
        return ERR_REJECTED;
    ret_conversation->stop = json_is(stop, JSON_ARRAY) ? stop : NULL;
    /* Decoded text is never longer than its JSON, whose quotes make room for the line ends. */
    struct reading reading = {.arena = arena,
                              .conversation = ret_conversation,
                              .text = arena_new(arena, body.len),
                              .has_tools = json_is(json_member(root, "toolConfig"), JSON_OBJECT),
                              .reason = ret_text};
    return reading.text != NULL ? read_conversation(&reading, root) : ERR_NO_MEMORY;
}

bool check_model_id(struct slice model)
{
    for (size_t i = 0; i < model.len; i++) {
        char byte = model.ptr[i];
        bool good = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                    (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '.' ||
                    byte == ':' || byte == '/';
        if (!good)
            return false;
    }
    return model.len > 0 && model.len <= MODEL_ID_MAX;
}
