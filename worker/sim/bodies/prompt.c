/* Bodies of InvokeModel with one prompt: titan, llama, mistral, deepseek, imported models; and
 * cohere's, whose turns stand apart from the message. */
#include <string.h>

#include "sim/bodies/parts.h"

/* What vendors' templates put around a user turn. */
static const struct {
    const char *open, *close;
} USER_TURNS[] = {
    {"<|start_header_id|>user<|end_header_id|>", "<|eot_id|>"},
    {"<|header_start|>user<|header_end|>", "<|eot|>"},
    {"<|im_start|>user", "<|im_end|>"},
    {"[INST]", "[/INST]"},
    {"<\xef\xbd\x9cUser\xef\xbd\x9c>", "<\xef\xbd\x9c"
                                       "Assistant\xef\xbd\x9c>"},
    {"<|User|>", "<|Assistant|>"},
    {"User:", "\n\nBot:"},
    {"Human:", "Assistant:"},
};

static size_t find(struct slice text, const char *part, size_t from)
{
    struct slice rest = slice_sub(text, from, text.len);
    const char *found = memmem(rest.ptr, rest.len, part, strlen(part));
    return found != NULL ? (size_t)(found - text.ptr) : text.len;
}

/* Where the last turn of this template begins, behind its mark; 0 = there is none. */
static size_t last_turn(struct slice text, const char *open)
{
    size_t from = 0;
    for (size_t at = find(text, open, 0); at < text.len; at = find(text, open, from))
        from = at + strlen(open);
    return from;
}

/* Splits the prompt at its last user turn. */
static void split(struct conversation *conversation, struct slice text)
{
    size_t from = 0, end = text.len;
    for (size_t i = 0; i < COUNT_OF(USER_TURNS); i++) {
        size_t at = last_turn(text, USER_TURNS[i].open);
        if (at <= from)
            continue;
        from = at;
        end = find(text, USER_TURNS[i].close, at);
    }
    conversation->system = slice_sub(text, 0, from);
    conversation->prompt = slice_trim(slice_sub(text, from, end - from));
}

static enum err read_parameters(struct reading *reading, const struct json *root)
{
    struct conversation *conversation = reading->conversation;
    const struct family *family = reading->family;
    if (family->section != NULL)
        root = json_member(root, family->section);
    const struct json *max_tokens = json_member(root, family->max_tokens);
    conversation->stop = family->stop != NULL ? json_member(root, family->stop) : NULL;
    /* nothing is known about the body of a custom model */
    if (json_is(max_tokens, JSON_NUMBER) && !json_int64(max_tokens, &conversation->max_tokens))
        conversation->max_tokens = -1;
    return OK;
}

enum err check_prompt(struct reading *reading, const struct json *root)
{
    bool is_blank = false;
    const struct json *prompt = json_member(root, reading->family->prompt);
    reading_turn(reading);
    if (!json_is(prompt, JSON_STRING)) {
        reading_add_other(reading, root);
        return OK;
    }
    enum err err = reading_keep_text(reading, prompt, &is_blank);
    if (err != OK)
        return err;
    split(reading->conversation, slice_of(reading->text, reading->len));
    return read_parameters(reading, root);
}

enum err check_command(struct reading *reading, const struct json *root)
{
    bool is_blank = false;
    const struct json *preamble = json_member(root, "preamble");
    const struct json *turns = json_member(root, "chat_history");
    enum err err =
        json_is(preamble, JSON_STRING) ? reading_keep_text(reading, preamble, &is_blank) : OK;
    reading->conversation->system = slice_of(reading->text, reading->len);
    for (const struct json *turn = json_is(turns, JSON_ARRAY) ? turns->first : NULL;
         err == OK && turn != NULL; turn = turn->next) {
        const struct json *message = json_member(turn, "message");
        err = json_is(message, JSON_STRING) ? reading_keep_text(reading, message, &is_blank) : OK;
    }
    reading_turn(reading);
    if (err == OK)
        err = reading_keep_text(reading, json_member(root, "message"), &is_blank);
    reading_prompt(reading);
    return err == OK ? read_parameters(reading, root) : err;
}
