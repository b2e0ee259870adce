#include "wire/bedrock/converse/item.h"

#include "base/check.h"

struct item *item_find(const struct items *items, int64_t index)
{
    if (items->last != NULL && items->last->kind != ITEM_RAW && items->last->index == index)
        return items->last;
    for (struct item *item = items->first; item != NULL; item = item->next)
        if (item->kind != ITEM_RAW && item->index == index)
            return item;
    return NULL;
}

enum err item_add(struct items *items, enum item_kind kind, int64_t index, struct item **ret_item)
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

enum err item_for(struct items *items, enum item_kind kind, int64_t index, struct item **ret_item)
{
    struct item *item = item_find(items, index);
    *ret_item = item != NULL && item->kind == kind ? item : NULL;
    return item == NULL ? item_add(items, kind, index, ret_item) : OK;
}

enum err item_charge(struct items *items, size_t bytes)
{
    CHECK(items->held <= items->limit);
    if (bytes > items->limit - items->held)
        return ERR_TOO_LARGE;
    items->held += bytes;
    return OK;
}

enum err item_add_part(struct items *items, struct part *part, struct slice text)
{
    enum err err = item_charge(items, text.len);
    if (err != OK)
        return err;
    part->is_given = true;
    buf_add(&part->said, text);
    return part->said.failed;
}

enum err item_keep_source(struct items *items, struct slice source, struct slice *ret_copy)
{
    enum err err = item_charge(items, source.len);
    if (err != OK)
        return err;
    return arena_copy(items->arena, source, ret_copy) ? OK : ERR_NO_MEMORY;
}

struct slice item_inside(const struct json *string)
{
    return slice_sub(string->source, 1, string->source.len - 2);
}

void item_open_block(struct buf *content, struct slice type)
{
    json_add_comma(content);
    buf_add_byte(content, '{');
    json_add_member(content, "type", type);
}

void item_close_block(struct buf *content, int64_t index)
{
    json_add_int_member(content, "index", index);
    buf_add_byte(content, '}');
}

void item_add_string(struct buf *content, const char *name, const struct part *part)
{
    if (!part->is_given)
        return;
    json_add_name(content, name);
    buf_add_byte(content, '"');
    buf_add(content, buf_slice(&part->said));
    buf_add_byte(content, '"');
}

enum err item_hear_raw(struct items *items, const struct piece *piece)
{
    const struct block_event *event = piece->event;
    struct item *item = items->last;
    enum err err = OK;
    if (item == NULL || item->kind != ITEM_RAW)
        err = item_add(items, ITEM_RAW, event->index, &item);
    if (err == OK)
        err = item_charge(items, event->said->source.len + ITEMS_FRAME_BYTES / 8);
    if (err != OK)
        return err;
    struct buf *said = &item->parts[PART_TEXT].said;
    size_t before = said->len;
    json_add_comma(said);
    buf_add_byte(said, '{');
    if (event->index != ITEMS_NO_INDEX)
        json_add_int_member(said, "contentBlockIndex", event->index);
    json_add_member(said, event->is_start ? "start" : "delta", event->said->source);
    buf_add_byte(said, '}');
    if (said->failed != OK)
        return said->failed;
    buf_add(piece->content, slice_sub(buf_slice(said), before > 0 ? before + 1 : 0, SIZE_MAX));
    return OK;
}

void item_show_raw(struct buf *content, const struct item *item)
{
    json_add_comma(content);
    buf_add(content, buf_slice(&item->parts[PART_TEXT].said));
}
