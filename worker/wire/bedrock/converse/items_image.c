#include <string.h>

#include "wire/bedrock/converse/forms.h"
#include "wire/bedrock/converse/item.h"
#include "wire/formats/base64.h"

/* An image that a model makes comes as its format and then as pieces of bytes, each in base64 of
 * its own. The pieces that go out are pieces of one text in base64, so bytes that do not fill a
 * group of three wait for the next piece or for the end of the block. */

/* --- base64 --- */

/* The inside of a JSON string, where a slash may be escaped. */
static void add_unescaped(struct buf *text, struct slice inside)
{
    for (;;) {
        size_t at = slice_find(inside, '\\');
        bool is_slash = at + 1 < inside.len && inside.ptr[at + 1] == '/';
        buf_add(text, slice_sub(inside, 0, is_slash ? at : SIZE_MAX));
        if (!is_slash)
            return;
        inside = slice_sub(inside, at + 1, SIZE_MAX);
        buf_add_byte(text, '/');
        inside = slice_sub(inside, 1, SIZE_MAX);
    }
}

/* Adds what the joint and this piece make together, and holds the rest. ERR_FORMAT when the piece
 * is no base64. */
static enum err join(struct base64_joint *joint, struct slice inside, struct buf *ret_text)
{
    struct buf text OWNED_BY(buf_done), bytes OWNED_BY(buf_done);
    size_t flaw;
    buf_init(&text, inside.len);
    buf_init(&bytes, inside.len + sizeof joint->held);
    add_unescaped(&text, inside);
    buf_add(&bytes, slice_of(joint->held, joint->count));
    enum err err = text.failed;
    if (err == OK)
        err = base64_add_decoded(&bytes, buf_slice(&text), &flaw);
    if (err != OK)
        return err;
    joint->count = bytes.len % 3;
    size_t whole = bytes.len - joint->count;
    base64_add(ret_text, slice_sub(buf_slice(&bytes), 0, whole));
    if (joint->count > 0)
        memcpy(joint->held, bytes.ptr + whole, joint->count);
    return ret_text->failed;
}

/* --- the image --- */

static void add_head(struct buf *content, const struct item *item)
{
    item_open_block(content, SLICE("\"image\""));
    json_add_name(content, "source");
    buf_add_byte(content, '{');
    json_add_name(content, "media_type");
    buf_add_text(content, "\"image/");
    buf_add(content, slice_sub(item->image.format, 1, SIZE_MAX));
}

enum err item_hear_image_start(struct items *items, const struct piece *piece)
{
    const struct json *format = converse_only_member(piece->only);
    struct item *item;
    if (!json_is(format, JSON_STRING) || !slice_equal_text(format->name, "format") ||
        item_find(items, piece->event->index) != NULL)
        return item_hear_raw(items, piece);
    enum err err = item_add(items, ITEM_IMAGE, piece->event->index, &item);
    if (err == OK)
        err = item_keep_source(items, format->source, &item->image.format);
    if (err != OK)
        return err;
    item_show_image(piece->content, item);
    return OK;
}

static enum err hear_bytes(struct items *items, const struct piece *piece, struct item *item,
                           const struct json *bytes)
{
    struct part *part = &item->parts[PART_TEXT];
    struct base64_joint joint = item->image.joint;
    size_t before = part->said.len;
    enum err err = item_charge(items, bytes->source.len + 4);
    if (err != OK)
        return err;
    err = join(&joint, item_inside(bytes), &part->said);
    if (err == ERR_FORMAT)
        return item_hear_raw(items, piece);
    if (err != OK)
        return err;
    item_open_block(piece->content, SLICE("\"image\""));
    json_add_name(piece->content, "source");
    buf_add_byte(piece->content, '{');
    if (!part->is_given)
        json_add_text_member(piece->content, "type", SLICE("base64"));
    json_add_name(piece->content, "data");
    buf_add_byte(piece->content, '"');
    buf_add(piece->content, slice_sub(buf_slice(&part->said), before, SIZE_MAX));
    buf_add_text(piece->content, "\"}");
    item_close_block(piece->content, item->index);
    part->is_given = true;
    item->image.joint = joint;
    return OK;
}

static enum err hear_place(struct items *items, const struct piece *piece, struct item *item,
                           const struct json *source)
{
    struct buf place OWNED_BY(buf_done);
    buf_init(&place, items->limit);
    form_add_source(&place, source);
    if (place.failed != OK)
        return place.failed;
    enum err err = item_keep_source(items, buf_slice(&place), &item->image.place);
    if (err != OK)
        return err;
    item_open_block(piece->content, SLICE("\"image\""));
    json_add_name(piece->content, "source");
    buf_add_byte(piece->content, '{');
    buf_add(piece->content, item->image.place);
    buf_add_byte(piece->content, '}');
    item_close_block(piece->content, item->index);
    return OK;
}

enum err item_hear_image(struct items *items, const struct piece *piece)
{
    const struct json *source = converse_only_member(piece->only);
    struct item *item = item_find(items, piece->event->index);
    if (source == NULL || !slice_equal_text(source->name, "source") || !form_is_source(source) ||
        item == NULL || item->kind != ITEM_IMAGE || item->image.is_stopped ||
        item->image.place.ptr != NULL)
        return item_hear_raw(items, piece);
    if (source->first->kind == JSON_STRING)
        return hear_bytes(items, piece, item, source->first);
    if (item->parts[PART_TEXT].is_given)
        return item_hear_raw(items, piece);
    return hear_place(items, piece, item, source);
}

bool item_stop_image(struct item *item, struct buf *content)
{
    const struct base64_joint *joint = &item->image.joint;
    struct buf *said = &item->parts[PART_TEXT].said;
    if (item->image.is_stopped)
        return false;
    item->image.is_stopped = true;
    if (joint->count == 0)
        return false;
    size_t before = said->len;
    base64_add(said, slice_of(joint->held, joint->count));
    item_open_block(content, SLICE("\"image\""));
    buf_add_text(content, ",\"source\":{\"data\":\"");
    buf_add(content, slice_sub(buf_slice(said), before, SIZE_MAX));
    buf_add_text(content, "\"}");
    item_close_block(content, item->index);
    return true;
}

void item_show_image(struct buf *content, const struct item *item)
{
    add_head(content, item);
    if (item->image.place.ptr != NULL) {
        buf_add_byte(content, ',');
        buf_add(content, item->image.place);
    } else if (item->parts[PART_TEXT].is_given) {
        json_add_text_member(content, "type", SLICE("base64"));
        item_add_string(content, "data", &item->parts[PART_TEXT]);
    }
    buf_add_byte(content, '}');
    item_close_block(content, item->index);
}
