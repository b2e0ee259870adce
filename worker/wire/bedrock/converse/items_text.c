#include "wire/bedrock/converse/forms.h"
#include "wire/bedrock/converse/item.h"

/* --- text and citations --- */

enum err item_hear_text(struct items *items, const struct piece *piece)
{
    const struct json *text = piece->only;
    struct item *item = NULL;
    if (text->kind != JSON_STRING)
        return item_hear_raw(items, piece);
    enum err err = item_for(items, ITEM_TEXT, piece->event->index, &item);
    if (err != OK)
        return err;
    if (item == NULL)
        return item_hear_raw(items, piece);
    items->text_bytes += converse_text_bytes(text);
    item_open_block(piece->content, SLICE("\"text\""));
    json_add_member(piece->content, "text", text->source);
    item_close_block(piece->content, piece->event->index);
    return item_add_part(items, &item->parts[PART_TEXT], item_inside(text));
}

/* LangChain has citations on a text, an empty one where it only brings them. It would merge
 * citations that had an index of their own. */
enum err item_hear_citation(struct items *items, const struct piece *piece)
{
    const struct json *citation = piece->only;
    struct item *item = NULL;
    if (!form_is_citation(citation) || form_has_index(citation))
        return item_hear_raw(items, piece);
    enum err err = item_for(items, ITEM_TEXT, piece->event->index, &item);
    if (err != OK)
        return err;
    if (item == NULL)
        return item_hear_raw(items, piece);
    struct part *part = &item->parts[PART_CITATIONS];
    item->parts[PART_TEXT].is_given = part->is_given = true;
    json_add_comma(&part->said);
    size_t before = part->said.len;
    form_add_citation(&part->said, citation);
    if (part->said.failed != OK)
        return part->said.failed;
    struct slice added = slice_sub(buf_slice(&part->said), before, SIZE_MAX);
    item_open_block(piece->content, SLICE("\"text\""));
    json_add_text_member(piece->content, "text", SLICE(""));
    json_add_name(piece->content, "citations");
    buf_add_byte(piece->content, '[');
    buf_add(piece->content, added);
    buf_add_byte(piece->content, ']');
    item_close_block(piece->content, piece->event->index);
    return item_charge(items, added.len);
}

void item_show_text(struct buf *content, const struct item *item)
{
    const struct part *citations = &item->parts[PART_CITATIONS];
    item_open_block(content, SLICE("\"text\""));
    item_add_string(content, "text", &item->parts[PART_TEXT]);
    if (citations->is_given) {
        json_add_name(content, "citations");
        buf_add_byte(content, '[');
        buf_add(content, buf_slice(&citations->said));
        buf_add_byte(content, ']');
    }
    item_close_block(content, item->index);
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

enum err item_hear_reasoning(struct items *items, const struct piece *piece)
{
    const struct json *said = converse_only_member(piece->only);
    size_t row = 0;
    struct item *item = NULL;
    if (said == NULL || said->kind != JSON_STRING)
        return item_hear_raw(items, piece);
    while (row < COUNT_OF(reasoning_parts) &&
           !slice_equal_text(said->name, reasoning_parts[row].name))
        row++;
    if (row == COUNT_OF(reasoning_parts))
        return item_hear_raw(items, piece);
    enum err err = item_for(items, ITEM_REASONING, piece->event->index, &item);
    if (err != OK)
        return err;
    if (item == NULL)
        return item_hear_raw(items, piece);
    items->text_bytes += reasoning_parts[row].part == PART_TEXT ? converse_text_bytes(said) : 0;
    item_open_block(piece->content, SLICE("\"reasoning_content\""));
    json_add_name(piece->content, "reasoning_content");
    buf_add_byte(piece->content, '{');
    json_add_member(piece->content, reasoning_parts[row].langchain, said->source);
    buf_add_byte(piece->content, '}');
    item_close_block(piece->content, piece->event->index);
    return item_add_part(items, &item->parts[reasoning_parts[row].part], item_inside(said));
}

void item_show_reasoning(struct buf *content, const struct item *item)
{
    item_open_block(content, SLICE("\"reasoning_content\""));
    json_add_name(content, "reasoning_content");
    buf_add_byte(content, '{');
    for (size_t i = 0; i < COUNT_OF(reasoning_parts); i++)
        item_add_string(content, reasoning_parts[i].langchain,
                        &item->parts[reasoning_parts[i].part]);
    buf_add_byte(content, '}');
    item_close_block(content, item->index);
}
