#include "wire/chat/turns.h"

#include <string.h>

#include "base/check.h"
#include "wire/chat/name_index.h"
#include "wire/formats/text.h"

/* --- what is said, as it is read --- */

/* Blocks of a tool result that may have to stand behind it are objects. */
static size_t count_objects(const struct json *content)
{
    size_t count = 0;
    if (json_is(content, JSON_ARRAY))
        for (const struct json *part = content->first; part != NULL; part = part->next)
            count += part->kind == JSON_OBJECT;
    return count;
}

static size_t count_of_block(const struct json *block)
{
    const struct json *value = json_member(block, "value");
    size_t count = 1 + count_objects(json_member(block, "content"));
    /* Reasoning that is both signed and redacted becomes two blocks; of what is not standard each
     * member is one. */
    if (json_member(block, "reasoning_content") != NULL || json_member(block, "extras") != NULL)
        count++;
    return json_is(value, JSON_OBJECT) ? count + value->count : count;
}

size_t turns_count_blocks(const struct json *content)
{
    size_t count = 1;
    if (json_is(content, JSON_ARRAY))
        for (const struct json *block = content->first; block != NULL; block = block->next)
            count += count_of_block(block);
    return count;
}

size_t turns_count_message(const struct json *message)
{
    const struct json *calls = json_member(message, "tool_calls");
    const struct json *content = json_member(message, "content");
    if (message->kind == JSON_ARRAY && message->count == 2)
        return turns_count_blocks(message->first->next);
    if (json_member(message, "tool_call_id") != NULL)
        return 1 + count_objects(content);
    return turns_count_blocks(content) + (json_is(calls, JSON_ARRAY) ? calls->count : 0);
}

enum err turns_make_room(struct turns *turns, size_t blocks, size_t messages)
{
    struct arena *scratch = turns->reader->scratch;
    size_t bytes = blocks * sizeof *turns->blocks + messages * sizeof *turns->list;
    if (bytes > scratch->limit - scratch->held)
        return why_set(&turns->reader->why, ERR_REQUEST_TOO_LARGE, "messages",
                       "%zu blocks are too many for a request of this size", blocks);
    turns->room = blocks;
    turns->list_room = messages;
    turns->blocks = arena_new_array(scratch, blocks, sizeof *turns->blocks);
    turns->list = arena_new_array(scratch, messages, sizeof *turns->list);
    if (turns->blocks == NULL || turns->list == NULL)
        return reader_no_memory(turns->reader);
    return OK;
}

static struct turn *turn_of(struct turns *turns, enum role role)
{
    struct turn *last = turns->list + turns->count;
    if (turns->count > 0 && (last - 1)->role == role)
        return last - 1;
    CHECK(turns->count < turns->list_room);
    turns->count++;
    *last = (struct turn){.role = role};
    return last;
}

/* Whether what this role says stands before all turns. */
static bool is_before_turns(const struct turns *turns, enum role role)
{
    return role == ROLE_SYSTEM && !turns->reader->request->forms.is_free;
}

void turns_begin_message(struct turns *turns, bool is_string)
{
    turns->begins = true;
    turns->is_string = is_string;
}

void turns_add_block(struct turns *turns, enum role role, const struct block *block)
{
    CHECK(turns->system_count + turns->said_count < turns->room);
    struct block *added = turns->blocks + turns->said_count;
    turns->reader->request->text_bytes += block->text.len;
    if (is_before_turns(turns, role)) {
        added = turns->blocks + turns->room - ++turns->system_count;
    } else {
        turn_of(turns, role)->count++;
        turns->said_count++;
    }
    *added = *block;
    added->begins = turns->begins;
    added->is_string = turns->is_string;
    turns->begins = false;
}

struct block *turns_last_block(struct turns *turns, enum role role)
{
    bool is_before = is_before_turns(turns, role);
    CHECK((is_before ? turns->system_count : turns->said_count) > 0);
    return is_before ? turns->blocks + turns->room - turns->system_count
                     : turns->blocks + turns->said_count - 1;
}

/* --- what is sent of it --- */

/* Blank strings go, unless there is nothing else: then the last one's stand-in stays. What began a
 * message is begun by what follows now. */
static size_t drop_blanks(struct request *request, struct block *blocks, size_t count)
{
    size_t kept = 0;
    bool begins = false;
    for (size_t i = 0; i < count; i++) {
        struct block block = blocks[i];
        begins = begins || block.begins;
        if (block.is_blank) {
            request->text_bytes -= block.text.len;
            if (kept > 0 || i + 1 < count)
                continue;
            block.text = BLANK_TEXT;
            request->text_bytes += block.text.len;
        }
        block.begins = begins;
        begins = false;
        blocks[kept++] = block;
    }
    return kept;
}

/* Whether a blank string is not needed where the block before it says something. What stands apart
 * in a turn does not say it. */
static bool goes_with(const struct request *request, const struct block *before,
                      const struct block *block)
{
    return request->forms.keeps_messages || block->is_apart == before->is_apart;
}

static size_t drop_blanks_of_turn(struct request *request, struct block *blocks, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0, next; i < count; i = next) {
        next = i + 1;
        while (next < count && goes_with(request, &blocks[i], &blocks[next]))
            next++;
        size_t left = drop_blanks(request, blocks + i, next - i);
        memmove(blocks + kept, blocks + i, left * sizeof *blocks);
        kept += left;
    }
    /* A string beside others is one text of several, even if they are dropped. */
    for (size_t i = 0; request->forms.keeps_messages && kept < count && i < kept; i++)
        blocks[i].is_string = false;
    return kept;
}

void turns_drop_blanks(struct turns *turns)
{
    turns->said_count = drop_blanks(turns->reader->request, turns->blocks, turns->said_count);
}

/* The texts of these blocks, `len` bytes with a line each; empty ones make no line. False: there is
 * no room for it, and they stay apart. */
static bool join(struct reader *reader, const struct block *blocks, size_t count, size_t len,
                 struct slice *ret_text)
{
    struct arena *arena = reader->arena;
    size_t at = 0;
    char *text = len < arena->limit - arena->held ? arena_new(arena, len + 1) : NULL;
    if (text == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (at > 0 && blocks[i].text.len > 0)
            text[at++] = '\n';
        memcpy(text + at, blocks[i].text.ptr, blocks[i].text.len);
        at += blocks[i].text.len;
    }
    *ret_text = slice_of(text, len);
    return true;
}

/* Makes one text of these blocks, as LangChain does: blank ones are lines of it, but it is blank
 * itself where all of them are. False: join. */
static bool join_run(struct reader *reader, const struct block *blocks, size_t count,
                     struct block *ret_block)
{
    size_t lines = 0, bytes = 0;
    bool is_blank = true;
    for (size_t i = 0; i < count; i++) {
        lines += blocks[i].text.len > 0;
        bytes += blocks[i].text.len;
        is_blank = is_blank && blocks[i].is_blank;
    }
    *ret_block = blocks[0];
    if (lines == 0)
        return true;
    if (!join(reader, blocks, count, bytes + lines - 1, &ret_block->text))
        return false;
    ret_block->is_blank = is_blank;
    reader->request->text_bytes += lines - 1;
    return true;
}

static size_t join_texts(struct reader *reader, struct block *blocks, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0, next; i < count; i = next) {
        next = i + 1;
        while (next < count && blocks[next].goes_on)
            next++;
        struct block block = blocks[i];
        if (next > i + 1 && !join_run(reader, blocks + i, next - i, &block))
            next = i + 1;
        blocks[kept++] = block;
    }
    return kept;
}

/* Bedrock refuses white space at the end of an assistant turn that the model is to go on with. */
static void strip_last(struct request *request, const struct turn *turn, struct block *last)
{
    bool has_text = last->kind == BLOCK_TEXT || (last->kind == BLOCK_CITED && !last->is_converse);
    if (turn->role != ROLE_ASSISTANT || !has_text || request->forms.is_free)
        return;
    struct slice text = text_trim_end(last->text);
    if (text.len == last->text.len)
        return;
    request->text_bytes -= last->text.len - text.len;
    last->text = text;
    last->is_converse = false;
}

/* --- the calls of an assistant's turn --- */

static size_t count_calls(const struct block *blocks, size_t count)
{
    size_t calls = 0;
    for (size_t i = 0; i < count; i++)
        calls += blocks[i].is_call;
    return calls;
}

/* Moves them behind the others; returns how many those are. */
static size_t part_calls(struct block *blocks, size_t count, struct block *ret_calls)
{
    size_t kept = 0, calls = 0;
    for (size_t i = 0; i < count; i++) {
        if (blocks[i].is_call)
            ret_calls[calls++] = blocks[i];
        else
            blocks[kept++] = blocks[i];
    }
    return kept;
}

/* LangChain takes a turn that says nothing but its stand-in for none. */
static bool is_stand_in(const struct block *blocks, size_t count)
{
    return count == 1 && blocks->kind == BLOCK_TEXT && slice_equal_text(blocks->text, ".");
}

/* The calls in what is said, by their ids. False: out of memory. */
static bool find_uses(struct arena *arena, const struct block *blocks, size_t count,
                      struct name_index **ret_uses)
{
    size_t first;
    for (size_t i = 0; i < count; i++)
        if (blocks[i].kind == BLOCK_TOOL_USE && blocks[i].use.id.ptr != NULL &&
            !name_index_add(arena, ret_uses, blocks[i].use.id, i, &first))
            return false;
    return true;
}

/* The message's call wins over the content's, in its place. */
static enum err add_calls(struct reader *reader, struct block *blocks, size_t *count,
                          const struct block *calls, size_t call_count)
{
    struct name_index *uses = NULL;
    bool begins = *count > 0 && blocks[0].begins;
    if (is_stand_in(blocks, *count))
        *count = 0;
    if (!find_uses(reader->scratch, blocks, *count, &uses))
        return reader_no_memory(reader);
    for (size_t i = 0; i < call_count; i++) {
        size_t place = name_index_find(uses, calls[i].use.id);
        if (place == NAME_INDEX_NONE) {
            blocks[(*count)++] = calls[i];
            blocks[0].begins = blocks[0].begins || begins;
            continue;
        }
        blocks[place].is_converse = false;
        blocks[place].use = calls[i].use;
    }
    return OK;
}

/* --- each turn --- */

/* What goes together in a turn, in place; `count` becomes that of the blocks which are left. */
static enum err settle_blocks(struct turns *turns, const struct turn *turn, struct block *blocks,
                              size_t *count, bool is_end)
{
    struct reader *reader = turns->reader;
    struct block *calls = NULL;
    size_t said = *count, call_count = 0;
    if (turns->has_calls && turn->role == ROLE_ASSISTANT) {
        call_count = count_calls(blocks, said);
        calls = arena_new_array(reader->scratch, call_count, sizeof *calls);
        if (calls == NULL)
            return reader_no_memory(reader);
        said = part_calls(blocks, said, calls);
    }
    *count = join_texts(reader, blocks, said);
    *count = drop_blanks_of_turn(reader->request, blocks, *count);
    if (is_end && *count > 0)
        strip_last(reader->request, turn, blocks + *count - 1);
    return call_count > 0 ? add_calls(reader, blocks, count, calls, call_count) : OK;
}

/* An assistant's messages may stay apart: each has its own texts and calls. */
static size_t find_end(const struct request *request, const struct turn *turn,
                       const struct block *blocks, size_t from)
{
    size_t end = from + 1;
    if (!request->forms.keeps_messages || turn->role != ROLE_ASSISTANT)
        return turn->count;
    while (end < turn->count && !blocks[end].begins)
        end++;
    return end;
}

/* In place. */
static enum err settle_turn(struct turns *turns, struct turn *turn, struct block *blocks)
{
    size_t kept = 0;
    bool is_last = turn == turns->list + turns->count - 1;
    enum err err = OK;
    for (size_t i = 0, end; err == OK && i < turn->count; i = end) {
        end = find_end(turns->reader->request, turn, blocks, i);
        size_t count = end - i;
        err = settle_blocks(turns, turn, blocks + i, &count, is_last && end == turn->count);
        memmove(blocks + kept, blocks + i, count * sizeof *blocks);
        kept += count;
    }
    turn->blocks = blocks;
    turn->count = kept;
    return err;
}

/* Counts the blocks that are left in all turns. */
static enum err settle(struct turns *turns, size_t *ret_kept)
{
    struct block *blocks = turns->blocks;
    *ret_kept = 0;
    for (size_t i = 0; i < turns->count; i++) {
        struct turn *turn = turns->list + i;
        size_t count = turn->count;
        enum err err = settle_turn(turns, turn, blocks);
        if (err != OK)
            return err;
        blocks += count;
        *ret_kept += turn->count;
    }
    return OK;
}

/* Likewise; they stand last one first until then. */
static size_t settle_system(struct turns *turns, struct block **ret_blocks)
{
    struct block *blocks = turns->blocks + turns->room - turns->system_count;
    for (size_t i = 0, j = turns->system_count; i + 1 < j; i++) {
        struct block first = blocks[i];
        blocks[i] = blocks[--j];
        blocks[j] = first;
    }
    size_t kept = join_texts(turns->reader, blocks, turns->system_count);
    *ret_blocks = blocks;
    return drop_blanks(turns->reader->request, blocks, kept);
}

bool turns_note(struct turns *turns, enum err err)
{
    turns->is_broken = turns->is_broken || err != OK;
    return reader_note(turns->reader, err);
}

enum err turns_keep(struct turns *turns)
{
    struct reader *reader = turns->reader;
    struct request *request = reader->request;
    struct block *system;
    CHECK(turns->count > 0);
    size_t system_count = settle_system(turns, &system), count;
    enum err err = settle(turns, &count);
    if (err != OK)
        return err;
    count += system_count;
    size_t bytes = count * sizeof(struct block) + turns->count * sizeof(struct turn);
    if (bytes > reader->arena->limit - reader->arena->held)
        return why_set(&reader->why, ERR_REQUEST_TOO_LARGE, "messages",
                       "%zu blocks are too many for a request of this size", count);
    struct block *blocks = arena_new_array(reader->arena, count, sizeof *blocks);
    struct turn *list = arena_new_array(reader->arena, turns->count, sizeof *list);
    if (blocks == NULL || list == NULL)
        return reader_no_memory(reader);
    if (system_count > 0)
        memcpy(blocks, system, system_count * sizeof *blocks);
    request->system = blocks;
    request->system_count = system_count;
    blocks += system_count;
    for (size_t i = 0; i < turns->count; i++) {
        list[i] = turns->list[i];
        list[i].blocks = blocks;
        memcpy(blocks, turns->list[i].blocks, list[i].count * sizeof *blocks);
        blocks += list[i].count;
    }
    request->turns = list;
    request->turn_count = turns->count;
    return OK;
}
