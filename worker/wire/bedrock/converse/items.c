#include "wire/bedrock/converse/items.h"

#include "base/check.h"
#include "wire/bedrock/converse/parts.h"

enum item_kind { ITEM_TEXT, ITEM_REASONING, ITEM_TOOL, ITEM_RAW };

/* What the parts of an item are, by its kind. Raw: elements joined by commas. */
enum { PART_TEXT, PART_SIGNATURE, PART_REDACTED, PART_CITATIONS, PARTS_COUNT };

struct part {
    struct buf said;
    bool is_given; /* an empty text is a text */
};

struct item {
    struct item *next;
    enum item_kind kind;
    int64_t index;
    bool is_call;                /* of a tool that the client runs */
    struct slice type, name, id; /* of a tool, as JSON strings */
    struct slice others;         /* of a tool: further members, or empty */
    struct part parts[PARTS_COUNT];
};

void items_init(struct items *items, struct arena *arena, size_t limit)
{
    *items = (struct items){.arena = arena, .limit = limit};
}

void items_done(struct items *items)
{
    for (struct item *item = items->first; item != NULL; item = item->next)
        for (size_t i = 0; i < PARTS_COUNT; i++)
            buf_done(&item->parts[i].said);
    items->first = items->last = NULL;
}

enum err items_charge(struct items *items, size_t bytes)
{
    CHECK(items->held <= items->limit);
    if (bytes > items->limit - items->held)
        return ERR_TOO_LARGE;
    items->held += bytes;
    return OK;
}

static struct item *find(const struct items *items, int64_t index)
{
    if (items->last != NULL && items->last->kind != ITEM_RAW && items->last->index == index)
        return items->last;
    for (struct item *item = items->first; item != NULL; item = item->next)
        if (item->kind != ITEM_RAW && item->index == index)
            return item;
    return NULL;
}

bool items_know(const struct items *items, int64_t index)
{
    return find(items, index) != NULL;
}

static enum err add_item(struct items *items, enum item_kind kind, int64_t index,
                         struct item **ret_item)
{
    if (items->count == STREAM_BLOCKS_MAX)
        return ERR_TOO_LARGE;
    struct item *item = arena_new(items->arena, sizeof *item);
    if (item == NULL)
        return ERR_NO_MEMORY;
    item->kind = kind;
    item->index = index;
    for (size_t i = 0; i < PARTS_COUNT; i++)
        buf_init(&item->parts[i].said, items->limit);
    if (items->first == NULL)
        items->first = item;
    else
        items->last->next = item;
    items->last = item;
    items->count++;
    *ret_item = item;
    return OK;
}

/* The item that a delta of this kind goes to. NULL = none: the index belongs to a block of another
 * kind. */
static enum err item_for(struct items *items, enum item_kind kind, int64_t index,
                         struct item **ret_item)
{
    struct item *item = find(items, index);
    *ret_item = item != NULL && item->kind == kind ? item : NULL;
    return item == NULL ? add_item(items, kind, index, ret_item) : OK;
}

static enum err add_part(struct items *items, struct part *part, struct slice text)
{
    enum err err = items_charge(items, text.len);
    if (err != OK)
        return err;
    part->is_given = true;
    buf_add(&part->said, text);
    return part->said.failed;
}

/* The inside of a JSON string. */
static struct slice inside(const struct json *string)
{
    return slice_sub(string->source, 1, string->source.len - 2);
}

static void add_index(struct buf *content, int64_t index)
{
    json_add_int_member(content, "index", index);
    buf_add_byte(content, '}');
}

static void open_block(struct buf *content, struct slice type)
{
    json_add_comma(content);
    buf_add_byte(content, '{');
    json_add_member(content, "type", type);
}

/* --- what has no form of LangChain's --- */

static enum err hear_raw(struct items *items, const struct block_event *event, struct buf *content)
{
    struct item *item = items->last;
    struct buf *said;
    enum err err = OK;
    if (item == NULL || item->kind != ITEM_RAW)
        err = add_item(items, ITEM_RAW, event->index, &item);
    if (err == OK)
        err = items_charge(items, event->said->source.len + ITEMS_FRAME_BYTES / 8);
    if (err != OK)
        return err;
    said = &item->parts[PART_TEXT].said;
    size_t before = said->len;
    json_add_comma(said);
    buf_add_byte(said, '{');
    json_add_int_member(said, "contentBlockIndex", event->index);
    json_add_member(said, event->member, event->said->source);
    buf_add_byte(said, '}');
    if (said->failed != OK)
        return said->failed;
    buf_add(content, slice_sub(buf_slice(said), before > 0 ? before + 1 : 0, SIZE_MAX));
    return OK;
}

/* --- text and citations --- */

static enum err hear_text(struct items *items, const struct block_event *event,
                          const struct json *text, struct buf *content)
{
    struct item *item;
    enum err err = item_for(items, ITEM_TEXT, event->index, &item);
    if (err != OK)
        return err;
    if (item == NULL)
        return hear_raw(items, event, content);
    items->text_bytes += converse_text_bytes(text);
    open_block(content, SLICE("\"text\""));
    json_add_member(content, "text", text->source);
    add_index(content, event->index);
    return add_part(items, &item->parts[PART_TEXT], inside(text));
}

/* LangChain has citations on a text, an empty one where it only brings them. */
static enum err hear_citation(struct items *items, const struct block_event *event,
                              const struct json *citation, struct buf *content)
{
    struct item *item;
    enum err err = item_for(items, ITEM_TEXT, event->index, &item);
    if (err != OK)
        return err;
    if (item == NULL)
        return hear_raw(items, event, content);
    open_block(content, SLICE("\"text\""));
    json_add_text_member(content, "text", SLICE(""));
    json_add_name(content, "citations");
    buf_add_byte(content, '[');
    buf_add(content, citation->source);
    buf_add_byte(content, ']');
    add_index(content, event->index);
    struct part *part = &item->parts[PART_CITATIONS];
    json_add_comma(&part->said);
    item->parts[PART_TEXT].is_given = true;
    return add_part(items, part, citation->source);
}

/* --- reasoning --- */

static const struct {
    const char *name; /* Bedrock's */
    const char *langchain;
    size_t part;
} reasoning_parts[] = {
    {"text", "text", PART_TEXT},
    {"signature", "signature", PART_SIGNATURE},
    {"redactedContent", "redacted_content", PART_REDACTED},
};

static enum err hear_reasoning(struct items *items, const struct block_event *event,
                               const struct json *reasoning, struct buf *content)
{
    const struct json *said = converse_only_member(reasoning);
    size_t row = 0;
    struct item *item;
    if (said == NULL || said->kind != JSON_STRING)
        return hear_raw(items, event, content);
    while (row < COUNT_OF(reasoning_parts) &&
           !slice_equal_text(said->name, reasoning_parts[row].name))
        row++;
    if (row == COUNT_OF(reasoning_parts))
        return hear_raw(items, event, content);
    enum err err = item_for(items, ITEM_REASONING, event->index, &item);
    if (err != OK)
        return err;
    if (item == NULL)
        return hear_raw(items, event, content);
    items->text_bytes += reasoning_parts[row].part == PART_TEXT ? converse_text_bytes(said) : 0;
    open_block(content, SLICE("\"reasoning_content\""));
    json_add_name(content, "reasoning_content");
    buf_add_byte(content, '{');
    json_add_member(content, reasoning_parts[row].langchain, said->source);
    buf_add_byte(content, '}');
    add_index(content, event->index);
    return add_part(items, &item->parts[reasoning_parts[row].part], inside(said));
}

/* --- tools --- */

/* Members that a later version of Bedrock may add to the start of a tool use; null when none. */
static enum err keep_others(struct items *items, const struct json *use, struct slice *ret_others)
{
    static const char *const renamed[] = {"toolUseId", "name", "type"};
    struct buf others OWNED_BY(buf_done);
    buf_init(&others, items->limit);
    for (const struct json *member = use->first; member != NULL; member = member->next)
        if (!slice_is_one_of(member->name, renamed, COUNT_OF(renamed)))
            json_add_copy(&others, member);
    enum err err = items_charge(items, others.len);
    return err == OK ? converse_keep(items->arena, &others, ret_others) : err;
}

static enum err keep_tool(struct items *items, const struct json *use, struct item *item)
{
    const struct json *type = json_member(use, "type");
    item->is_call = !json_is(type, JSON_STRING) || json_equal_text(type, "tool_use");
    enum err err = items_charge(items, use->source.len);
    if (err == OK)
        err = keep_others(items, use, &item->others);
    if (err != OK)
        return err;
    if (!arena_copy(items->arena, item->is_call ? SLICE("\"tool_use\"") : type->source,
                    &item->type) ||
        !arena_copy(items->arena, json_member(use, "name")->source, &item->name) ||
        !arena_copy(items->arena, json_member(use, "toolUseId")->source, &item->id))
        return ERR_NO_MEMORY;
    return OK;
}

static bool is_tool_start(const struct json *use)
{
    return json_is(json_member(use, "name"), JSON_STRING) &&
           json_is(json_member(use, "toolUseId"), JSON_STRING) && json_member(use, "id") == NULL &&
           json_member(use, "input") == NULL && json_member(use, "index") == NULL;
}

static void add_tool_head(struct buf *content, const struct item *item)
{
    open_block(content, item->type);
    json_add_member(content, "name", item->name);
    json_add_member(content, "id", item->id);
    if (item->others.len > 0)
        json_add_comma(content);
    buf_add(content, item->others);
}

static void add_call_chunk(struct buf *tool_calls, const struct item *item, struct slice name,
                           struct slice args, struct slice id)
{
    json_add_comma(tool_calls);
    buf_add_byte(tool_calls, '{');
    json_add_member(tool_calls, "name", name);
    json_add_member(tool_calls, "args", args);
    json_add_member(tool_calls, "id", id);
    json_add_int_member(tool_calls, "index", item->index);
    json_add_text_member(tool_calls, "type", SLICE("tool_call_chunk"));
    buf_add_byte(tool_calls, '}');
}

static enum err hear_tool_start(struct items *items, const struct block_event *event,
                                const struct json *use, struct buf *content, struct buf *tool_calls)
{
    struct item *item;
    if (!is_tool_start(use) || find(items, event->index) != NULL)
        return hear_raw(items, event, content);
    enum err err = add_item(items, ITEM_TOOL, event->index, &item);
    if (err == OK)
        err = keep_tool(items, use, item);
    if (err != OK)
        return err;
    add_tool_head(content, item);
    add_index(content, event->index);
    if (item->is_call)
        add_call_chunk(tool_calls, item, item->name, SLICE("\"\""), item->id);
    return OK;
}

static enum err hear_tool_input(struct items *items, const struct block_event *event,
                                const struct json *use, struct buf *content, struct buf *tool_calls)
{
    const struct json *input = converse_only_member(use);
    struct item *item = find(items, event->index);
    if (input == NULL || input->kind != JSON_STRING || !slice_equal_text(input->name, "input") ||
        item == NULL || item->kind != ITEM_TOOL)
        return hear_raw(items, event, content);
    items->text_bytes += converse_text_bytes(input);
    open_block(content, item->type);
    json_add_member(content, "input", input->source);
    add_index(content, event->index);
    if (item->is_call)
        add_call_chunk(tool_calls, item, SLICE_NULL, input->source, SLICE_NULL);
    return add_part(items, &item->parts[PART_TEXT], inside(input));
}

/* --- one event --- */

enum err items_hear(struct items *items, const struct block_event *event, struct buf *content,
                    struct buf *tool_calls)
{
    const struct json *only = converse_only_member(event->said);
    bool is_start = slice_equal_text(slice_of_text(event->member), "start");
    if (event->said->count == 0)
        return OK;
    if (only == NULL)
        return hear_raw(items, event, content);
    bool is_tool = slice_equal_text(only->name, "toolUse");
    if (is_start && is_tool)
        return hear_tool_start(items, event, only, content, tool_calls);
    if (is_start)
        return hear_raw(items, event, content);
    if (is_tool)
        return hear_tool_input(items, event, only, content, tool_calls);
    if (slice_equal_text(only->name, "text") && only->kind == JSON_STRING)
        return hear_text(items, event, only, content);
    if (slice_equal_text(only->name, "reasoningContent"))
        return hear_reasoning(items, event, only, content);
    /* LangChain would merge citations that had an index of their own. */
    if (slice_equal_text(only->name, "citation") && only->kind == JSON_OBJECT &&
        json_member(only, "index") == NULL)
        return hear_citation(items, event, only, content);
    return hear_raw(items, event, content);
}

/* --- the whole message --- */

static void add_string_part(struct buf *content, const char *name, const struct part *part)
{
    if (!part->is_given)
        return;
    json_add_name(content, name);
    buf_add_byte(content, '"');
    buf_add(content, buf_slice(&part->said));
    buf_add_byte(content, '"');
}

static void add_block(struct buf *content, const struct item *item)
{
    const struct part *citations = &item->parts[PART_CITATIONS];
    if (item->kind == ITEM_RAW) {
        json_add_comma(content);
        buf_add(content, buf_slice(&item->parts[PART_TEXT].said));
        return;
    }
    if (item->kind == ITEM_TOOL) {
        add_tool_head(content, item);
        add_string_part(content, "input", &item->parts[PART_TEXT]);
    } else if (item->kind == ITEM_TEXT) {
        open_block(content, SLICE("\"text\""));
        add_string_part(content, "text", &item->parts[PART_TEXT]);
        if (citations->is_given) {
            json_add_name(content, "citations");
            buf_add_byte(content, '[');
            buf_add(content, buf_slice(&citations->said));
            buf_add_byte(content, ']');
        }
    } else {
        open_block(content, SLICE("\"reasoning_content\""));
        json_add_name(content, "reasoning_content");
        buf_add_byte(content, '{');
        for (size_t i = 0; i < COUNT_OF(reasoning_parts); i++)
            add_string_part(content, reasoning_parts[i].langchain,
                            &item->parts[reasoning_parts[i].part]);
        buf_add_byte(content, '}');
    }
    add_index(content, item->index);
}

/* The input's fragments make a JSON text: an object is a call's arguments, anything else an invalid
 * call. */
static enum err add_call(struct arena *scratch, const struct item *item,
                         struct converse_answer *texts)
{
    const struct json *string, *args;
    struct slice text;
    struct buf quoted OWNED_BY(buf_done);
    const struct buf *input = &item->parts[PART_TEXT].said;
    buf_init(&quoted, input->len + 2);
    buf_add_byte(&quoted, '"');
    buf_add(&quoted, buf_slice(input));
    buf_add_byte(&quoted, '"');
    if (quoted.failed != OK)
        return quoted.failed;
    enum err err = json_parse(scratch, buf_slice(&quoted), &string, NULL);
    if (err != OK)
        return err;
    if (!json_string(scratch, string, &text))
        return ERR_NO_MEMORY;
    if (text.len == 0) {
        converse_add_tool_call(texts, true, item->name, SLICE("{}"), item->id);
        return OK;
    }
    err = json_parse(scratch, text, &args, NULL);
    if (err == ERR_NO_MEMORY)
        return err;
    if (err == OK && args->kind == JSON_OBJECT)
        converse_add_tool_call(texts, true, item->name, args->source, item->id);
    else
        converse_add_tool_call(texts, false, item->name, buf_slice(&quoted), item->id);
    return OK;
}

static enum err add_calls(struct items *items, struct converse_answer *texts)
{
    struct arena scratch OWNED_BY(arena_done);
    enum err err = OK;
    arena_init(&scratch, DIALECT_SCRATCH_BYTES(items->held));
    for (const struct item *item = items->first; err == OK && item != NULL; item = item->next) {
        if (item->kind != ITEM_TOOL || !item->is_call)
            continue;
        err = add_call(&scratch, item, texts);
        arena_reset(&scratch);
    }
    return err;
}

enum err items_keep(struct items *items, struct answer *ret_answer)
{
    struct converse_answer texts OWNED_BY(converse_answer_done);
    converse_answer_init(&texts, items->limit + (items->count + 1) * ITEMS_FRAME_BYTES);
    buf_add_byte(&texts.content, '[');
    for (const struct item *item = items->first; item != NULL; item = item->next)
        add_block(&texts.content, item);
    buf_add_byte(&texts.content, ']');
    ret_answer->text_bytes = items->text_bytes;
    enum err err = add_calls(items, &texts);
    return err == OK ? converse_answer_keep(&texts, items->arena, ret_answer) : err;
}
