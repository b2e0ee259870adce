#include "wire/chat/correction.h"

#include "wire/formats/json.h"

#define PREFILL "```json" /* wire/chat/structured_sent.c */
#define FENCE   "```"
/* Bytes of what is said to one answer, and of a message's frame. */
#define WORDS_MAX   8192
#define FRAME_BYTES 256
#define CALLS_MAX   32 /* of an answer that goes back */
/* As a dialect may hold while it decodes the answer, which is over. */
#define CORRECTION_SCRATCH_BYTES(answer_bytes) ((size_t)JSON_NODES_MAX * 128 + 4 * (answer_bytes))

struct correcting {
    struct arena *scratch;
    struct buf *more; /* the messages */
    const struct request *request;
    const struct answer *answer;
    const struct json *calls[2]; /* tool_calls, invalid_tool_calls: arrays, or NULL */
};

static struct slice name_of(const struct request *request)
{
    struct slice name = request->structured.name; /* of letters, digits, _ and - */
    return name.len > 2 ? slice_sub(name, 1, name.len - 2) : SLICE("");
}

static size_t count_calls(const struct correcting *correcting)
{
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(correcting->calls); i++)
        count += correcting->calls[i] == NULL ? 0 : correcting->calls[i]->count;
    return count;
}

static struct slice source_of(const struct json *node)
{
    return node == NULL ? SLICE("null") : node->source;
}

/* --- the answer --- */

/* Arguments that were no JSON object came as a text, and go back as none. */
static void add_call(struct buf *more, const struct json *call)
{
    const struct json *args = json_member(call, "args");
    json_add_comma(more);
    buf_add_byte(more, '{');
    json_add_member(more, "name", source_of(json_member(call, "name")));
    json_add_member(more, "args", json_is(args, JSON_OBJECT) ? args->source : SLICE("{}"));
    json_add_member(more, "id", source_of(json_member(call, "id")));
    buf_add_byte(more, '}');
}

static void add_calls(struct correcting *correcting)
{
    json_add_name(correcting->more, "tool_calls");
    buf_add_byte(correcting->more, '[');
    for (size_t i = 0; i < COUNT_OF(correcting->calls); i++) {
        const struct json *list = correcting->calls[i];
        for (const struct json *call = list == NULL ? NULL : list->first; call != NULL;
             call = call->next)
            add_call(correcting->more, call);
    }
    buf_add_byte(correcting->more, ']');
}

/* The begun answer with what the model added, and the fence that ended it. */
static bool add_prefilled(struct correcting *correcting)
{
    struct slice said = correcting->answer->content, text;
    const struct json *content = NULL;
    struct buf whole OWNED_BY(buf_done);
    buf_init(&whole, said.len + FRAME_BYTES);
    if (json_parse_loosely(correcting->scratch, said, &content, NULL) != OK)
        return false;
    if (json_is(content, JSON_ARRAY) && content->count > 0)
        content = json_member(content->first, "text");
    if (!json_string(correcting->scratch, content, &text))
        return false;
    buf_add_text(&whole, PREFILL);
    buf_add(&whole, text);
    buf_add_text(&whole, FENCE);
    json_add_text_member(correcting->more, "content", buf_slice(&whole));
    return whole.failed == OK;
}

static bool add_answer(struct correcting *correcting)
{
    bool is_prefilled = correcting->request->structured.method == STRUCTURED_PROMPT_PREFILL;
    bool is_said = true;
    json_add_comma(correcting->more);
    buf_add_byte(correcting->more, '{');
    json_add_text_member(correcting->more, "type", SLICE("ai"));
    if (is_prefilled)
        is_said = add_prefilled(correcting);
    else
        json_add_member(correcting->more, "content", correcting->answer->content);
    if (count_calls(correcting) > 0)
        add_calls(correcting);
    buf_add_byte(correcting->more, '}');
    return is_said;
}

/* --- what is said to it --- */

static void add_words(struct correcting *correcting)
{
    struct slice name = name_of(correcting->request);
    struct slice error = correcting->answer->parsing_error;
    struct buf words OWNED_BY(buf_done);
    buf_init(&words, WORDS_MAX);
    if (correcting->request->structured.method != STRUCTURED_FUNCTION_CALLING)
        buf_addf(&words, "%.*s\nAnswer again with the whole JSON, corrected.", SLICE_ARG(error));
    else if (count_calls(correcting) > 0)
        buf_addf(&words, "%.*s\nCall %.*s again with all of its arguments, corrected.",
                 SLICE_ARG(error), SLICE_ARG(name));
    else
        buf_addf(&words, "Answer by a call of the tool %.*s.", SLICE_ARG(name));
    json_add_text_member(correcting->more, "content", buf_slice(&words));
}

static void add_user_turn(struct correcting *correcting)
{
    buf_add_text(correcting->more, ",{");
    json_add_text_member(correcting->more, "type", SLICE("human"));
    add_words(correcting);
    buf_add_byte(correcting->more, '}');
}

/* Each call wants a result. */
static void add_results(struct correcting *correcting, const struct json *calls)
{
    for (const struct json *call = calls == NULL ? NULL : calls->first; call != NULL;
         call = call->next) {
        buf_add_text(correcting->more, ",{");
        json_add_text_member(correcting->more, "type", SLICE("tool"));
        json_add_text_member(correcting->more, "status", SLICE("error"));
        json_add_member(correcting->more, "tool_call_id", source_of(json_member(call, "id")));
        add_words(correcting);
        buf_add_byte(correcting->more, '}');
    }
}

/* --- the whole --- */

static const struct json *list_of(struct arena *scratch, struct slice text)
{
    const struct json *list = NULL;
    if (text.ptr == NULL || json_parse_loosely(scratch, text, &list, NULL) != OK)
        return NULL;
    return json_is(list, JSON_ARRAY) ? list : NULL;
}

static enum err write_more(struct arena *arena, struct correcting *correcting,
                           struct slice *ret_more)
{
    struct slice before = correcting->request->structured.more;
    const struct answer *answer = correcting->answer;
    struct buf more OWNED_BY(buf_done);
    correcting->calls[0] = list_of(correcting->scratch, answer->tool_calls);
    correcting->calls[1] = list_of(correcting->scratch, answer->invalid_tool_calls);
    size_t said = answer->content.len + answer->tool_calls.len + answer->invalid_tool_calls.len;
    buf_init(&more, before.len + 6 * said + (CALLS_MAX + 1) * (WORDS_MAX + FRAME_BYTES));
    correcting->more = &more;
    buf_add(&more, before.len == 0 ? SLICE("[") : slice_sub(before, 0, before.len - 1));
    if (count_calls(correcting) > CALLS_MAX || !add_answer(correcting))
        return ERR_INVALID;
    add_results(correcting, correcting->calls[0]);
    add_results(correcting, correcting->calls[1]);
    if (count_calls(correcting) == 0)
        add_user_turn(correcting);
    buf_add_byte(&more, ']');
    if (more.failed != OK)
        return more.failed;
    return arena_copy(arena, buf_slice(&more), ret_more) ? OK : ERR_TOO_LARGE;
}

enum err correction_add(struct arena *arena, const struct request_source *source,
                        const struct answer *answer, struct request *request)
{
    struct arena scratch OWNED_BY(arena_done);
    struct correcting correcting = {.scratch = &scratch, .request = request, .answer = answer};
    struct request again;
    struct slice more;
    struct why why;
    arena_init(&scratch, CORRECTION_SCRATCH_BYTES(answer->content.len + answer->tool_calls.len +
                                                  answer->invalid_tool_calls.len));
    enum err err = write_more(arena, &correcting, &more);
    arena_reset(&scratch); /* the request is read with a scratch of its own */
    if (err == OK)
        err = request_from_headers(arena, source->record, &again, &why);
    if (err == OK)
        err = request_read_on(arena, source, more, &again, &why);
    if (err != OK)
        return err;
    request->structured.more = more;
    request->system = again.system;
    request->system_count = again.system_count;
    request->turns = again.turns;
    request->turn_count = again.turn_count;
    request->text_bytes = again.text_bytes;
    return OK;
}
