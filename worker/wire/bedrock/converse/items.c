#include "wire/bedrock/converse/items.h"

#include "wire/bedrock/converse/item.h"

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
    return item_charge(items, bytes);
}

/* --- one event --- */

/* Who hears which member of a delta, and of a start. */
static const struct hearer {
    const char *name;
    item_hear *hear;
} deltas[] =
    {
        {"text", item_hear_text},
        {"toolUse", item_hear_tool_input},
        {"citation", item_hear_citation},
        {"reasoningContent", item_hear_reasoning},
        {"toolResult", item_hear_result},
        {"image", item_hear_image},
        {"serverToolUse", item_hear_tool_input},
        {"serverToolResult", item_hear_result},
},
  starts[] = {
      {"toolUse", item_hear_tool_start},
      {"toolResult", item_hear_result_start},
      {"image", item_hear_image_start},
      {"serverToolUse", item_hear_tool_start},
      {"serverToolResult", item_hear_result_start},
};

static item_hear *hearer_of(const struct hearer *hearers, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal_text(name, hearers[i].name))
            return hearers[i].hear;
    return item_hear_raw;
}

enum err items_hear(struct items *items, const struct block_event *event, struct buf *content,
                    struct buf *tool_calls)
{
    struct piece piece = {.event = event,
                          .only = converse_only_member(event->said),
                          .content = content,
                          .tool_calls = tool_calls};
    if (event->said->kind == JSON_OBJECT && event->said->count == 0)
        return OK;
    if (piece.only == NULL || event->index == ITEMS_NO_INDEX)
        return item_hear_raw(items, &piece);
    item_hear *hear = event->is_start ? hearer_of(starts, COUNT_OF(starts), piece.only->name)
                                      : hearer_of(deltas, COUNT_OF(deltas), piece.only->name);
    return hear(items, &piece);
}

void items_stop(struct items *items, int64_t index, struct buf *content)
{
    struct item *item = item_find(items, index);
    /* An index that the sum does not know would become another block. */
    if (item == NULL || (item->kind == ITEM_IMAGE && item_stop_image(item, content)))
        return;
    json_add_comma(content);
    buf_add_byte(content, '{');
    item_close_block(content, index);
}

void items_stop_all(struct items *items, struct buf *content)
{
    for (struct item *item = items->first; item != NULL; item = item->next)
        if (item->kind == ITEM_IMAGE)
            (void)item_stop_image(item, content);
}

/* --- the whole message --- */

typedef void show_item(struct buf *content, const struct item *item);

static show_item *const shows[] = {
    [ITEM_TEXT] = item_show_text,   [ITEM_REASONING] = item_show_reasoning,
    [ITEM_TOOL] = item_show_tool,   [ITEM_RESULT] = item_show_result,
    [ITEM_IMAGE] = item_show_image, [ITEM_RAW] = item_show_raw,
};

static enum err add_calls(const struct items *items, struct message_texts *texts)
{
    enum err err = OK;
    for (const struct item *item = items->first; err == OK && item != NULL; item = item->next)
        if (item->kind == ITEM_TOOL && item->tool.is_call)
            err = item_add_call(items, item, texts);
    return err;
}

enum err items_keep(struct items *items, struct answer *ret_answer)
{
    struct message_texts texts OWNED_BY(message_done);
    message_init(&texts, items->limit + (items->count + 1) * ITEMS_FRAME_BYTES);
    buf_add_byte(&texts.content, '[');
    for (const struct item *item = items->first; item != NULL; item = item->next)
        shows[item->kind](&texts.content, item);
    buf_add_byte(&texts.content, ']');
    ret_answer->text_bytes = items->text_bytes;
    enum err err = add_calls(items, &texts);
    return err == OK ? message_keep(&texts, items->arena, ret_answer) : err;
}
