#include "wire/bedrock/converse/forms.h"
#include "wire/bedrock/converse/item.h"

/* An image that a model makes comes as its format and then as pieces of bytes, each in base64 of
 * its own. The pieces that go out are pieces of one text in base64, so bytes that do not fill a
 * group of three wait for the next piece or for the end of the block. */

/* --- base64 --- */

static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int value_of(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return letter - 'A';
    if (letter >= 'a' && letter <= 'z')
        return letter - 'a' + 26;
    if (letter >= '0' && letter <= '9')
        return letter - '0' + 52;
    return letter == '+' ? 62 : letter == '/' ? 63 : -1;
}

static void add_byte(struct base64_joint *joint, unsigned char byte, struct buf *ret_text)
{
    if (joint->count < COUNT_OF(joint->held)) {
        joint->held[joint->count++] = byte;
        return;
    }
    uint32_t group = (uint32_t)joint->held[0] << 16 | (uint32_t)joint->held[1] << 8 | byte;
    for (int shift = 18; shift >= 0; shift -= 6)
        buf_add_byte(ret_text, LETTERS[group >> shift & 63]);
    joint->count = 0;
}

/* Adds the inside of a JSON string of base64; false when it is none. */
static bool add_bytes(struct base64_joint *joint, struct slice piece, struct buf *ret_text)
{
    uint32_t bits = 0;
    size_t count = 0, padding = 0;
    for (size_t i = 0; i < piece.len; i++) {
        if (piece.ptr[i] == '\\' && i + 1 < piece.len && piece.ptr[i + 1] == '/')
            continue;
        if (piece.ptr[i] == '=') {
            padding++;
            continue;
        }
        int value = value_of(piece.ptr[i]);
        if (value < 0 || padding > 0)
            return false;
        bits = (bits << 6 | (uint32_t)value) & 0xffffff;
        count++;
        if (count % 4 != 1)
            add_byte(joint, (unsigned char)(bits >> (6 - 2 * ((count + 3) % 4)) & 0xff), ret_text);
    }
    return count % 4 != 1 && padding <= 2;
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
    if (!add_bytes(&joint, item_inside(bytes), &part->said)) {
        buf_cut(&part->said, before);
        return item_hear_raw(items, piece);
    }
    if (part->said.failed != OK)
        return part->said.failed;
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
    uint32_t group = (uint32_t)joint->held[0] << 16;
    group |= joint->count == 2 ? (uint32_t)joint->held[1] << 8 : 0;
    const char last[] = {LETTERS[group >> 18], LETTERS[group >> 12 & 63],
                         joint->count == 2 ? LETTERS[group >> 6 & 63] : '=', '='};
    buf_add(said, slice_of(last, sizeof last));
    item_open_block(content, SLICE("\"image\""));
    buf_add_text(content, ",\"source\":{\"data\":\"");
    buf_add(content, slice_of(last, sizeof last));
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
