#include "wire/bedrock/invoke/tool_calls.h"

#define CALL_FRAME_BYTES 128 /* of one call: names and brackets around what it says */

struct call {
    struct call *next;
    int64_t index;
    struct slice id, name; /* JSON; null = not said */
    struct buf arguments;  /* escaped, as the inside of a JSON string */
};

struct calls {
    struct call *first, *last;
    size_t count;
};

static enum err calls_of(struct said *said, struct calls **ret_calls)
{
    if (said->own == NULL)
        said->own = arena_new(said->arena, sizeof **ret_calls);
    *ret_calls = said->own;
    return said->own == NULL ? message_failed(said->why, ERR_NO_MEMORY) : OK;
}

static struct call *find(const struct calls *calls, int64_t index)
{
    struct call *call = calls->first;
    while (call != NULL && call->index != index)
        call = call->next;
    return call;
}

static enum err add_call(struct said *said, struct calls *calls, int64_t index,
                         struct call **ret_call)
{
    enum err err = calls->count == CALLS_MAX ? ERR_TOO_LARGE : OK;
    struct call *call = err == OK ? arena_new(said->arena, sizeof *call) : NULL;
    if (call == NULL)
        return message_failed(said->why, err == OK ? ERR_NO_MEMORY : err);
    call->index = index;
    buf_init(&call->arguments, said->limit);
    if (calls->first == NULL)
        calls->first = call;
    else
        calls->last->next = call;
    calls->last = call;
    calls->count++;
    *ret_call = call;
    return said_charge(said, CALL_FRAME_BYTES);
}

/* The call that a piece belongs to. */
static enum err call_of(struct said *said, struct calls *calls, const struct json *piece,
                        struct call **ret_call)
{
    int64_t index;
    bool has_id = json_is(json_member(piece, "id"), JSON_STRING);
    bool has_index = json_int64(json_member(piece, "index"), &index) && index >= 0;
    if (!has_index && calls->last != NULL && !has_id && !said->is_whole)
        index = calls->last->index;
    else if (!has_index)
        index = (int64_t)calls->count;
    *ret_call = find(calls, index);
    return *ret_call == NULL ? add_call(said, calls, index, ret_call) : OK;
}

/* --- a piece --- */

static enum err keep(struct said *said, struct slice text, struct slice *ret_copy)
{
    enum err err = said_charge(said, text.len);
    if (err != OK)
        return err;
    err = message_keep_slice(said->arena, text, ret_copy);
    return err == OK ? OK : message_failed(said->why, err);
}

/* The first one that is said counts. `ret_is_new`: it is this one. */
static enum err keep_first(struct said *said, const struct json *node, struct slice *ret_copy,
                           bool *ret_is_new)
{
    *ret_is_new = ret_copy->ptr == NULL && json_is(node, JSON_STRING);
    return *ret_is_new ? keep(said, node->source, ret_copy) : OK;
}

/* A call without an id gets one: LangChain has no call without, and its result must name it. */
static enum err keep_id(struct said *said, struct call *call, const struct json *node,
                        bool *ret_is_new)
{
    struct buf made OWNED_BY(buf_done);
    buf_init(&made, CALL_FRAME_BYTES);
    enum err err = keep_first(said, node, &call->id, ret_is_new);
    if (err != OK || call->id.ptr != NULL)
        return err;
    buf_addf(&made, "\"call_%lld\"", (long long)call->index);
    *ret_is_new = true;
    return made.failed == OK ? keep(said, buf_slice(&made), &call->id)
                             : message_failed(said->why, made.failed);
}

/* Arguments that did not come as text become one. */
static void add_arguments(struct buf *arguments, const struct json *node)
{
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, arguments->limit);
    if (node->kind == JSON_STRING)
        buf_add(&text, node->source);
    else if (node->kind != JSON_NULL)
        json_add_string(&text, node->source);
    if (text.failed != OK)
        arguments->failed = text.failed;
    else if (text.len > 2)
        buf_add(arguments, slice_sub(buf_slice(&text), 1, text.len - 2));
}

/* What a piece says of its call. */
struct said_piece {
    bool has_name, has_id;
    size_t from; /* of the call's arguments */
};

static void add_chunk(struct said *said, const struct call *call, const struct said_piece *piece)
{
    struct buf *chunks = &said->tool_calls;
    json_add_comma(chunks);
    buf_add_byte(chunks, '{');
    if (piece->has_name)
        json_add_member(chunks, "name", call->name);
    json_add_name(chunks, "args");
    buf_add_byte(chunks, '"');
    buf_add(chunks, slice_sub(buf_slice(&call->arguments), piece->from, SIZE_MAX));
    buf_add_byte(chunks, '"');
    if (piece->has_id)
        json_add_member(chunks, "id", call->id);
    json_add_int_member(chunks, "index", call->index);
    json_add_text_member(chunks, "type", SLICE("tool_call_chunk"));
    buf_add_byte(chunks, '}');
    said->step.is_chunk = true;
}

static enum err hear_piece(struct said *said, struct calls *calls, const struct json *node)
{
    const struct json *function = json_member(node, "function");
    const struct json *arguments = json_member(function, "arguments");
    struct said_piece piece = {.from = 0};
    struct call *call;
    if (!json_is(function, JSON_OBJECT))
        return OK;
    enum err err = call_of(said, calls, node, &call);
    if (err == OK)
        err = keep_id(said, call, json_member(node, "id"), &piece.has_id);
    if (err == OK)
        err = keep_first(said, json_member(function, "name"), &call->name, &piece.has_name);
    if (err != OK)
        return err;
    piece.from = call->arguments.len;
    if (arguments != NULL)
        add_arguments(&call->arguments, arguments);
    if (call->arguments.failed != OK)
        return message_failed(said->why, call->arguments.failed);
    said->answer.text_bytes += call->arguments.len - piece.from;
    if (!said->is_whole)
        add_chunk(said, call, &piece);
    return said_charge(said, call->arguments.len - piece.from);
}

enum err tool_calls_hear(struct said *said, const struct json *list)
{
    struct calls *calls;
    if (!json_is(list, JSON_ARRAY) || list->count == 0)
        return OK;
    enum err err = calls_of(said, &calls);
    for (const struct json *piece = list->first; err == OK && piece != NULL; piece = piece->next)
        err = hear_piece(said, calls, piece);
    return err;
}

/* --- the message --- */

static enum err keep_call(struct message_texts *texts, const struct call *call)
{
    struct arena scratch OWNED_BY(arena_done);
    struct slice name = call->name.ptr == NULL ? SLICE("\"\"") : call->name;
    struct slice arguments = call->arguments.len > 0 ? buf_slice(&call->arguments) : SLICE("");
    arena_init(&scratch, 2 * DIALECT_SCRATCH_BYTES(arguments.len));
    return message_add_call_in_parts(&scratch, texts, name, arguments, call->id);
}

enum err tool_calls_keep(struct said *said, struct answer *ret_answer)
{
    struct message_texts texts OWNED_BY(message_done);
    const struct calls *calls = said->own;
    enum err err = OK;
    message_init(&texts, said->content.limit);
    json_add_string(&texts.content, buf_slice(&said->text));
    const struct call *call = calls == NULL ? NULL : calls->first;
    for (; err == OK && call != NULL; call = call->next)
        err = keep_call(&texts, call);
    return err == OK ? message_keep(&texts, said->arena, ret_answer) : err;
}

void tool_calls_done(struct said *said)
{
    const struct calls *calls = said->own;
    for (struct call *call = calls == NULL ? NULL : calls->first; call != NULL; call = call->next)
        buf_done(&call->arguments);
}
