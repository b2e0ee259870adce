#include "wire/bedrock/invoke/pieces.h"

#define BLOCK_FRAME_BYTES 512

/* The strings that come in parts. */
static const char *const part_names[] = {"text", "thinking", "signature", "partial_json"};
enum { PART_JSON = 3, PARTS_COUNT = COUNT_OF(part_names) };

struct streamed_block {
    struct streamed_block *next;
    int64_t index; /* NO_INDEX: nothing is merged into it */
    bool is_call;
    struct slice type;
    struct slice members; /* as it began, without type and index */
    struct slice id, name, input;
    struct streamed_part {
        struct buf said; /* escaped, without quotes */
        bool is_given;
    } parts[PARTS_COUNT];
    struct buf citations; /* elements */
};

void pieces_init(struct pieces *pieces, struct said *said)
{
    *pieces = (struct pieces){.said = said};
}

void pieces_done(struct pieces *pieces)
{
    for (struct streamed_block *block = pieces->first; block != NULL; block = block->next) {
        for (size_t i = 0; i < PARTS_COUNT; i++)
            buf_done(&block->parts[i].said);
        buf_done(&block->citations);
    }
    pieces->first = pieces->last = NULL;
}

static struct streamed_block *find(const struct pieces *pieces, int64_t index)
{
    if (index == NO_INDEX)
        return NULL;
    if (pieces->last != NULL && pieces->last->index == index)
        return pieces->last;
    struct streamed_block *block = pieces->first;
    while (block != NULL && block->index != index)
        block = block->next;
    return block;
}

bool pieces_is_call(const struct pieces *pieces, int64_t index)
{
    const struct streamed_block *block = find(pieces, index);
    return block != NULL && block->is_call;
}

static enum err no_memory(struct pieces *pieces)
{
    return message_failed(pieces->said->why, ERR_NO_MEMORY);
}

static enum err add(struct pieces *pieces, int64_t index, struct slice type,
                    struct streamed_block **ret_block)
{
    struct said *said = pieces->said;
    if (pieces->count == PIECES_MAX)
        return message_failed(said->why, ERR_TOO_LARGE);
    struct streamed_block *block = arena_new(said->arena, sizeof *block);
    if (block == NULL || !arena_copy(said->arena, type, &block->type))
        return no_memory(pieces);
    block->index = index;
    for (size_t i = 0; i < PARTS_COUNT; i++)
        buf_init(&block->parts[i].said, said->limit);
    buf_init(&block->citations, said->limit);
    if (pieces->first == NULL)
        pieces->first = block;
    else
        pieces->last->next = block;
    pieces->last = block;
    pieces->count++;
    *ret_block = block;
    return said_charge(said, type.len);
}

/* --- what is sent --- */

static void open_block(struct buf *content, struct slice type)
{
    json_add_comma(content);
    buf_add_byte(content, '{');
    json_add_member(content, "type", type);
}

static void close_block(struct buf *content, int64_t index)
{
    if (index != NO_INDEX)
        json_add_int_member(content, "index", index);
    buf_add_byte(content, '}');
}

static void add_members(struct buf *content, struct slice members)
{
    if (members.len > 0)
        json_add_comma(content);
    buf_add(content, members);
}

/* --- beginnings --- */

static enum err keep(struct pieces *pieces, struct slice text, struct slice *ret_copy)
{
    if (!arena_copy(pieces->said->arena, text, ret_copy))
        return no_memory(pieces);
    return said_charge(pieces->said, text.len);
}

static struct slice source_of(const struct json *node)
{
    return node == NULL ? SLICE_NULL : node->source;
}

/* Members that this room writes itself. */
static bool is_placed(struct slice name)
{
    static const char *const own[] = {"type", "index", "citations"};
    return slice_is_one_of(name, own, COUNT_OF(own)) ||
           slice_is_one_of(name, part_names, COUNT_OF(part_names));
}

static enum err keep_members(struct pieces *pieces, const struct json *block,
                             struct streamed_block *begun)
{
    struct buf members OWNED_BY(buf_done);
    buf_init(&members, pieces->said->content.limit);
    for (const struct json *member = block->first; member != NULL; member = member->next)
        if (!is_placed(member->name))
            json_add_copy(&members, member);
    if (members.failed != OK)
        return message_failed(pieces->said->why, members.failed);
    enum err err =
        keep(pieces, members.len == 0 ? SLICE("") : buf_slice(&members), &begun->members);
    if (err == OK)
        err = keep(pieces, source_of(json_member(block, "id")), &begun->id);
    if (err == OK)
        err = keep(pieces, source_of(json_member(block, "name")), &begun->name);
    if (err == OK)
        err = keep(pieces, source_of(json_member(block, "input")), &begun->input);
    return err;
}

enum err pieces_begin(struct pieces *pieces, int64_t index, const struct json *block,
                      bool *ret_is_call)
{
    const struct json *type = json_member(block, "type");
    struct streamed_block *begun;
    if (find(pieces, index) != NULL)
        index = NO_INDEX;
    enum err err = add(pieces, index, type->source, &begun);
    if (err == OK)
        err = keep_members(pieces, block, begun);
    if (err != OK)
        return err;
    begun->is_call = index != NO_INDEX && json_equal_text(type, "tool_use") &&
                     json_is(json_member(block, "name"), JSON_STRING) &&
                     json_is(json_member(block, "id"), JSON_STRING);
    *ret_is_call = begun->is_call;
    struct buf *content = &pieces->said->content;
    open_block(content, begun->type);
    add_members(content, begun->members);
    close_block(content, begun->index);
    pieces->said->step.is_chunk = true;
    return OK;
}

/* --- parts --- */

static bool is_of_type(const struct streamed_block *block, const char *type)
{
    struct slice name = slice_sub(block->type, 1, block->type.len - 2);
    return slice_equal_text(name, type);
}

/* The block that a part goes to. */
static enum err block_for(struct pieces *pieces, int64_t index, const char *type,
                          struct streamed_block **ret_block)
{
    struct buf name OWNED_BY(buf_done);
    struct streamed_block *block = find(pieces, index);
    buf_init(&name, BLOCK_FRAME_BYTES);
    if (block != NULL && (type == NULL || is_of_type(block, type))) {
        *ret_block = block;
        return OK;
    }
    buf_addf(&name, "\"%s\"", type == NULL ? "tool_use" : type);
    if (name.failed != OK)
        return no_memory(pieces);
    return add(pieces, block == NULL ? index : NO_INDEX, buf_slice(&name), ret_block);
}

static struct slice inside(const struct json *string)
{
    return slice_sub(string->source, 1, string->source.len - 2);
}

static struct streamed_part *part_of(struct streamed_block *block, const char *name)
{
    size_t i = 0;
    while (i + 1 < PARTS_COUNT && !slice_equal_text(slice_of_text(part_names[i]), name))
        i++;
    return &block->parts[i];
}

enum err pieces_say(struct pieces *pieces, int64_t index, const char *type, const char *name,
                    const struct json *string)
{
    struct said *said = pieces->said;
    struct streamed_block *block;
    if (!json_is(string, JSON_STRING))
        return OK;
    enum err err = block_for(pieces, index, type, &block);
    if (err == OK)
        err = said_charge(said, string->source.len);
    if (err != OK)
        return err;
    struct streamed_part *part = part_of(block, name);
    part->is_given = true;
    buf_add(&part->said, inside(string));
    open_block(&said->content, block->type);
    json_add_member(&said->content, name, string->source);
    close_block(&said->content, block->index);
    said->step.is_chunk = true;
    return part->said.failed == OK ? OK : message_failed(said->why, part->said.failed);
}

enum err pieces_cite(struct pieces *pieces, int64_t index, const struct json *citation)
{
    struct said *said = pieces->said;
    struct streamed_block *block;
    if (!json_is(citation, JSON_OBJECT))
        return OK;
    enum err err = block_for(pieces, index, "text", &block);
    if (err == OK)
        err = said_charge(said, citation->source.len);
    if (err != OK)
        return err;
    json_add_comma(&block->citations);
    buf_add(&block->citations, citation->source);
    block->parts[0].is_given = true;
    open_block(&said->content, block->type);
    json_add_text_member(&said->content, "text", SLICE(""));
    json_add_name(&said->content, "citations");
    buf_add_byte(&said->content, '[');
    buf_add(&said->content, citation->source);
    buf_add_byte(&said->content, ']');
    close_block(&said->content, block->index);
    said->step.is_chunk = true;
    return block->citations.failed == OK ? OK : message_failed(said->why, block->citations.failed);
}

/* --- the whole message --- */

static void add_whole(struct buf *content, const struct streamed_block *block)
{
    open_block(content, block->type);
    add_members(content, block->members);
    for (size_t i = 0; i < PARTS_COUNT; i++) {
        if (!block->parts[i].is_given)
            continue;
        json_add_name(content, part_names[i]);
        buf_add_byte(content, '"');
        buf_add(content, buf_slice(&block->parts[i].said));
        buf_add_byte(content, '"');
    }
    if (block->citations.len > 0) {
        json_add_name(content, "citations");
        buf_add_byte(content, '[');
        buf_add(content, buf_slice(&block->citations));
        buf_add_byte(content, ']');
    }
    close_block(content, block->index);
}

/* The arguments are the parts put together, or the input that the block began with. */
static enum err add_call(struct arena *scratch, const struct streamed_block *block,
                         struct message_texts *texts)
{
    const struct buf *json = &block->parts[PART_JSON].said;
    bool has_input = slice_starts(block->input, SLICE("{"));
    if (json->len > 0 || !has_input)
        return message_add_call_in_parts(scratch, texts, block->name, buf_slice(json), block->id);
    message_add_call(texts, true, block->name, block->input, block->id);
    return OK;
}

static enum err add_calls(struct pieces *pieces, struct message_texts *texts)
{
    struct arena scratch OWNED_BY(arena_done);
    enum err err = OK;
    arena_init(&scratch, DIALECT_SCRATCH_BYTES(pieces->said->held));
    for (const struct streamed_block *block = pieces->first; err == OK && block != NULL;
         block = block->next) {
        if (!block->is_call)
            continue;
        err = add_call(&scratch, block, texts);
        arena_reset(&scratch);
    }
    return err;
}

enum err pieces_keep(struct pieces *pieces, struct slice opening, struct answer *ret_answer)
{
    struct message_texts texts OWNED_BY(message_done);
    message_init(&texts, pieces->said->content.limit + (pieces->count + 1) * BLOCK_FRAME_BYTES);
    buf_add_byte(&texts.content, '[');
    buf_add(&texts.content, opening);
    for (const struct streamed_block *block = pieces->first; block != NULL; block = block->next)
        add_whole(&texts.content, block);
    buf_add_byte(&texts.content, ']');
    enum err err = add_calls(pieces, &texts);
    return err == OK ? message_keep(&texts, pieces->said->arena, ret_answer) : err;
}
