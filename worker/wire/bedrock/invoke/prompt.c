#include "wire/bedrock/invoke/prompt.h"

#include "wire/formats/json.h"
#include "wire/formats/json_spaced.h"

#define CITED_SCRATCH_BYTES ((size_t)JSON_NODES_MAX * 128)

struct marks {
    const char *open, *close; /* open NULL: there are none */
};

static const struct prompt_row {
    const char *begin;
    bool is_system_in_user;
    struct marks system, user, assistant, tool;
    const char *ask;
} rows[] = {
#define SYSTEM(open, close)    .system = {open, close}
#define IN_USER(open, close)   .is_system_in_user = true, .system = {open, close}
#define USER(open, close)      .user = {open, close}
#define ASSISTANT(open, close) .assistant = {open, close}
#define TOOL(open, close)      .tool = {open, close}
#define PROMPT(id, first, system_marks, user_marks, assistant_marks, tool_marks, last)             \
    {.begin = (first), system_marks, user_marks, assistant_marks, tool_marks, .ask = (last)},
#include "wire/bedrock/invoke/prompts.def"
#undef PROMPT
};

/* --- what a message says --- */

static void add_line(struct buf *text, struct slice line, bool *is_first)
{
    if (!*is_first)
        buf_add_byte(text, '\n');
    *is_first = false;
    buf_add(text, line);
}

/* Converse's form of a text with citations: only its texts. */
static void add_cited(struct buf *text, struct slice json, bool *is_first)
{
    struct arena scratch OWNED_BY(arena_done);
    const struct json *root = NULL;
    arena_init(&scratch, CITED_SCRATCH_BYTES + 4 * json.len);
    enum err err = json_parse(&scratch, json, &root, NULL);
    const struct json *content = json_member(json_member(root, "citationsContent"), "content");
    if (err == ERR_NO_MEMORY && text->failed == OK)
        text->failed = err;
    if (err != OK || content == NULL || content->kind != JSON_ARRAY)
        return;
    for (const struct json *part = content->first; part != NULL; part = part->next) {
        struct slice said;
        const struct json *node = json_member(part, "text");
        if (json_is(node, JSON_STRING) && json_string(&scratch, node, &said))
            add_line(text, said, is_first);
    }
}

/* What a tool said in JSON, as LangChain prints it. */
static void add_json(struct buf *text, struct slice json, bool *is_first)
{
    add_line(text, SLICE(""), is_first);
    json_add_spaced(text, json);
}

bool block_is_text(const struct block *block)
{
    return block->kind == BLOCK_TEXT || block->kind == BLOCK_CITED || block->kind == BLOCK_JSON;
}

void block_add_text(struct buf *text, const struct block *block, bool *is_first)
{
    if (block->kind == BLOCK_CITED && block->is_converse)
        add_cited(text, block->json, is_first);
    else if (block->kind == BLOCK_JSON)
        add_json(text, block->json, is_first);
    else if (block->kind == BLOCK_TEXT || block->kind == BLOCK_CITED)
        add_line(text, block->text, is_first);
}

bool spoken_next(const struct block *blocks, size_t count, size_t *at, struct spoken *ret_spoken)
{
    size_t from = *at;
    if (from >= count)
        return false;
    size_t end = from + 1;
    while (end < count && !blocks[end].begins)
        end++;
    *ret_spoken = (struct spoken){blocks + from, end - from};
    *at = end;
    return true;
}

void spoken_add_text(struct buf *text, const struct spoken *spoken)
{
    bool is_first = true;
    for (size_t i = 0; i < spoken->count; i++)
        block_add_text(text, &spoken->blocks[i], &is_first);
}

/* --- the prompt --- */

struct writing {
    struct buf *text;
    const struct prompt_row *row;
    const struct turn *owed; /* what the system said, for the user's turn to say it; NULL = none */
};

static void add_marked(struct writing *writing, const struct marks *marks,
                       const struct spoken *spoken)
{
    buf_add_text(writing->text, marks->open);
    spoken_add_text(writing->text, spoken);
    buf_add_text(writing->text, marks->close);
}

static bool has_text(const struct spoken *spoken)
{
    for (size_t i = 0; i < spoken->count; i++)
        if (spoken->blocks[i].kind != BLOCK_TOOL_RESULT)
            return true;
    return false;
}

static void add_user(struct writing *writing, const struct spoken *spoken)
{
    buf_add_text(writing->text, writing->row->user.open);
    if (writing->owed != NULL) {
        const struct spoken owed = {writing->owed->blocks, writing->owed->count};
        add_marked(writing, &writing->row->system, &owed);
    }
    writing->owed = NULL;
    spoken_add_text(writing->text, spoken);
    buf_add_text(writing->text, writing->row->user.close);
}

/* What the system said becomes a turn of the user where none follows. */
static void settle_owed(struct writing *writing)
{
    if (writing->owed == NULL)
        return;
    const struct spoken owed = {writing->owed->blocks, writing->owed->count};
    add_marked(writing, &writing->row->user, &owed);
    writing->owed = NULL;
}

/* What tools said, each as a turn. */
static void add_results(struct writing *writing, const struct spoken *spoken)
{
    const struct marks *marks = &writing->row->tool;
    for (size_t i = 0; marks->open != NULL && i < spoken->count; i++) {
        const struct block *block = &spoken->blocks[i];
        const struct spoken result = {block->result.parts, block->result.count};
        if (block->kind == BLOCK_TOOL_RESULT)
            add_marked(writing, marks, &result);
    }
}

static void add_message(struct writing *writing, enum role role, const struct spoken *spoken)
{
    if (role == ROLE_SYSTEM) {
        add_marked(writing, &writing->row->system, spoken);
        return;
    }
    add_results(writing, spoken);
    if (has_text(spoken))
        add_user(writing, spoken);
}

/* The last one stays open. */
static void add_assistant(struct writing *writing, const struct spoken *spoken, bool is_last)
{
    const struct marks *marks = &writing->row->assistant;
    settle_owed(writing);
    buf_add_text(writing->text, marks->open);
    spoken_add_text(writing->text, spoken);
    if (!is_last)
        buf_add_text(writing->text, marks->close);
}

static void add_turn(struct writing *writing, const struct turn *turn, bool is_last)
{
    struct spoken spoken;
    size_t at = 0;
    if (turn->role == ROLE_SYSTEM && writing->row->is_system_in_user) {
        writing->owed = turn;
        return;
    }
    while (spoken_next(turn->blocks, turn->count, &at, &spoken)) {
        if (turn->role == ROLE_ASSISTANT)
            add_assistant(writing, &spoken, is_last && at == turn->count);
        else
            add_message(writing, turn->role, &spoken);
    }
}

void prompt_add(struct buf *text, enum prompt prompt, const struct request *request)
{
    struct writing writing = {.text = text, .row = &rows[prompt]};
    size_t count = request->turn_count;
    buf_add_text(text, writing.row->begin);
    for (size_t i = 0; i < count; i++)
        add_turn(&writing, &request->turns[i], i + 1 == count);
    settle_owed(&writing);
    if (count == 0 || request->turns[count - 1].role != ROLE_ASSISTANT)
        buf_add_text(text, writing.row->ask);
}
