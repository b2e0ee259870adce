#include "wire/chat/turns.h"

#include <string.h>

#include "base/check.h"
#include "wire/formats/text.h"

/* --- what is said, as it is read --- */

enum err turns_make_room(struct turns *turns, size_t blocks, size_t messages)
{
    struct arena *scratch = turns->reader->scratch;
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
    if (role == ROLE_SYSTEM) {
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
    CHECK((role == ROLE_SYSTEM ? turns->system_count : turns->said_count) > 0);
    return role == ROLE_SYSTEM ? turns->blocks + turns->room - turns->system_count
                               : turns->blocks + turns->said_count - 1;
}

/* --- what is sent of it --- */

/* Blank strings go, unless there is nothing else. What went on from one that began a text begins it
 * now. */
static size_t drop_blanks(struct request *request, struct block *blocks, size_t count)
{
    size_t kept = 0;
    bool is_begun = false;
    for (size_t i = 0; i < count; i++) {
        struct block block = blocks[i];
        is_begun = is_begun || !block.goes_on;
        if (block.is_blank && (kept > 0 || i + 1 < count)) {
            request->text_bytes -= block.text.len;
            continue;
        }
        block.goes_on = !is_begun;
        is_begun = false;
        blocks[kept++] = block;
    }
    return kept;
}

/* The texts of these blocks, a line each. False: there is no room for it, and they stay apart. */
static bool join(struct reader *reader, const struct block *blocks, size_t count,
                 struct slice *ret_text)
{
    struct arena *arena = reader->arena;
    size_t len = count - 1, at = 0;
    for (size_t i = 0; i < count; i++)
        len += blocks[i].text.len;
    char *text = len < arena->limit - arena->held ? arena_new(arena, len + 1) : NULL;
    if (text == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            text[at++] = '\n';
        memcpy(text + at, blocks[i].text.ptr, blocks[i].text.len);
        at += blocks[i].text.len;
    }
    reader->request->text_bytes += count - 1;
    *ret_text = slice_of(text, len);
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
        if (next > i + 1 && !join(reader, blocks + i, next - i, &block.text))
            next = i + 1;
        blocks[kept++] = block;
    }
    return kept;
}

/* Bedrock refuses white space at the end of an assistant turn that the model is to go on with. */
static void strip_last(struct request *request, const struct turn *turn, struct block *last)
{
    bool has_text = last->kind == BLOCK_TEXT || (last->kind == BLOCK_CITED && !last->is_converse);
    if (turn->role != ROLE_ASSISTANT || !has_text)
        return;
    struct slice text = text_trim_end(last->text);
    if (text.len == last->text.len)
        return;
    request->text_bytes -= last->text.len - text.len;
    last->text = text;
    last->is_converse = false;
}

/* In place. Returns how many blocks are left in all turns. */
static size_t settle(struct turns *turns)
{
    struct reader *reader = turns->reader;
    struct turn *last = turns->list + turns->count - 1;
    struct block *blocks = turns->blocks;
    size_t kept = 0;
    for (struct turn *turn = turns->list; turn <= last; turn++) {
        size_t count = turn->count;
        turn->blocks = blocks;
        turn->count = drop_blanks(reader->request, blocks, count);
        turn->count = join_texts(reader, blocks, turn->count);
        if (turn == last)
            strip_last(reader->request, turn, blocks + turn->count - 1);
        blocks += count;
        kept += turn->count;
    }
    return kept;
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
    size_t kept = drop_blanks(turns->reader->request, blocks, turns->system_count);
    *ret_blocks = blocks;
    return join_texts(turns->reader, blocks, kept);
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
    size_t system_count = settle_system(turns, &system);
    size_t count = system_count + settle(turns);
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
