#include "wire/bedrock/converse/forms.h"
#include "wire/bedrock/converse/item.h"

/* --- tool uses --- */

/* Members that a later version of Bedrock may add to the start of a tool use; null when none. */
static enum err keep_others(struct items *items, const struct json *use, struct slice *ret_others)
{
    static const char *const renamed[] = {"toolUseId", "name", "type"};
    struct buf others OWNED_BY(buf_done);
    buf_init(&others, items->limit);
    for (const struct json *member = use->first; member != NULL; member = member->next)
        if (!slice_is_one_of(member->name, renamed, COUNT_OF(renamed)))
            json_add_copy(&others, member);
    enum err err = item_charge(items, others.len);
    return err == OK ? message_keep_buf(items->arena, &others, ret_others) : err;
}

static enum err keep_tool(struct items *items, const struct json *use, struct item *item)
{
    const struct json *type = json_member(use, "type");
    item->tool.is_call = form_is_call(use);
    struct slice shown = item->tool.is_call ? SLICE("\"tool_use\"") : SLICE("\"server_tool_use\"");
    if (!item->tool.is_call && json_is(type, JSON_STRING))
        shown = type->source;
    enum err err = item_keep_source(items, shown, &item->tool.type);
    if (err == OK)
        err = item_keep_source(items, json_member(use, "name")->source, &item->tool.name);
    if (err == OK)
        err = item_keep_source(items, json_member(use, "toolUseId")->source, &item->tool.id);
    return err == OK ? keep_others(items, use, &item->tool.others) : err;
}

static bool is_tool_start(const struct json *use)
{
    return form_is_use(use) && json_member(use, "input") == NULL &&
           json_member(use, "index") == NULL;
}

static void add_tool_head(struct buf *content, const struct item *item)
{
    item_open_block(content, item->tool.type);
    json_add_member(content, "name", item->tool.name);
    json_add_member(content, "id", item->tool.id);
    if (item->tool.others.len > 0)
        json_add_comma(content);
    buf_add(content, item->tool.others);
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

enum err item_hear_tool_start(struct items *items, const struct piece *piece)
{
    struct item *item;
    if (!is_tool_start(piece->only) || item_find(items, piece->event->index) != NULL)
        return item_hear_raw(items, piece);
    enum err err = item_add(items, ITEM_TOOL, piece->event->index, &item);
    if (err == OK)
        err = keep_tool(items, piece->only, item);
    if (err != OK)
        return err;
    add_tool_head(piece->content, item);
    item_close_block(piece->content, item->index);
    if (item->tool.is_call)
        add_call_chunk(piece->tool_calls, item, item->tool.name, SLICE("\"\""), item->tool.id);
    return OK;
}

enum err item_hear_tool_input(struct items *items, const struct piece *piece)
{
    const struct json *input = converse_only_member(piece->only);
    struct item *item = item_find(items, piece->event->index);
    if (input == NULL || input->kind != JSON_STRING || !slice_equal_text(input->name, "input") ||
        item == NULL || item->kind != ITEM_TOOL)
        return item_hear_raw(items, piece);
    items->text_bytes += converse_text_bytes(input);
    item_open_block(piece->content, item->tool.type);
    json_add_member(piece->content, "input", input->source);
    item_close_block(piece->content, item->index);
    if (item->tool.is_call)
        add_call_chunk(piece->tool_calls, item, SLICE_NULL, input->source, SLICE_NULL);
    return item_add_part(items, &item->parts[PART_TEXT], item_inside(input));
}

void item_show_tool(struct buf *content, const struct item *item)
{
    add_tool_head(content, item);
    item_add_string(content, "input", &item->parts[PART_TEXT]);
    item_close_block(content, item->index);
}

enum err item_add_call(const struct items *items, const struct item *item,
                       struct message_texts *texts)
{
    struct arena scratch OWNED_BY(arena_done);
    arena_init(&scratch, DIALECT_SCRATCH_BYTES(items->held));
    return message_add_call_in_parts(&scratch, texts, item->tool.name,
                                     buf_slice(&item->parts[PART_TEXT].said), item->tool.id);
}

/* --- results of tools that Bedrock runs --- */

static struct slice result_type(const struct piece *piece)
{
    return slice_equal_text(piece->only->name, "serverToolResult") ? SLICE("\"server_tool_result\"")
                                                                   : SLICE("\"tool_result\"");
}

/* Its content is a list from the start, so that the pieces of all results add up. */
enum err item_hear_result_start(struct items *items, const struct piece *piece)
{
    const struct json *id = json_member(piece->only, "toolUseId");
    const struct json *status = json_member(piece->only, "status");
    struct item *item;
    if (!json_is(id, JSON_STRING) || item_find(items, piece->event->index) != NULL)
        return item_hear_raw(items, piece);
    struct buf head OWNED_BY(buf_done);
    buf_init(&head, items->limit);
    buf_add_byte(&head, '{');
    json_add_member(&head, "type", result_type(piece));
    json_add_member(&head, "tool_use_id", id->source);
    json_add_bool_member(&head, "is_error", json_equal_text(status, "error"));
    if (head.failed != OK)
        return head.failed;
    enum err err = item_add(items, ITEM_RESULT, piece->event->index, &item);
    if (err == OK)
        err = item_keep_source(items, buf_slice(&head), &item->result.head);
    if (err != OK)
        return err;
    item_show_result(piece->content, item);
    return OK;
}

static bool are_parts(const struct json *parts)
{
    if (parts->kind != JSON_ARRAY)
        return false;
    for (const struct json *part = parts->first; part != NULL; part = part->next) {
        const struct json *only = converse_only_member(part);
        if (only == NULL || (!slice_equal_text(only->name, "json") &&
                             !(slice_equal_text(only->name, "text") && only->kind == JSON_STRING)))
            return false;
    }
    return true;
}

static void close_text(struct item *item)
{
    if (!item->result.is_text_open)
        return;
    struct buf *said = &item->parts[PART_TEXT].said;
    buf_add_byte(said, '"');
    item_close_block(said, (int64_t)item->result.count - 1);
    item->result.is_text_open = false;
}

/* Texts that follow each other are pieces of one; they have the index of the element. */
static void add_result_text(struct item *item, const struct json *text, struct buf *content)
{
    struct buf *said = &item->parts[PART_TEXT].said;
    if (!item->result.is_text_open) {
        json_add_comma(said);
        buf_add_text(said, "{\"type\":\"text\",\"text\":\"");
        item->result.count++;
        item->result.is_text_open = true;
    }
    buf_add(said, item_inside(text));
    item_open_block(content, SLICE("\"text\""));
    json_add_member(content, "text", text->source);
    item_close_block(content, (int64_t)item->result.count - 1);
}

static void add_result_json(struct item *item, const struct json *value, struct buf *content)
{
    struct buf *said = &item->parts[PART_TEXT].said;
    close_text(item);
    struct buf *const both[] = {said, content};
    for (size_t i = 0; i < COUNT_OF(both); i++) {
        item_open_block(both[i], SLICE("\"json\""));
        json_add_member(both[i], "json", value->source);
        item_close_block(both[i], (int64_t)item->result.count);
    }
    item->result.count++;
}

enum err item_hear_result(struct items *items, const struct piece *piece)
{
    struct item *item = item_find(items, piece->event->index);
    if (!are_parts(piece->only) || item == NULL || item->kind != ITEM_RESULT)
        return item_hear_raw(items, piece);
    if (piece->only->count == 0)
        return OK;
    /* Elements are longer than their source by their type and index. */
    enum err err = item_charge(items, 4 * piece->only->source.len);
    if (err != OK)
        return err;
    item_open_block(piece->content, result_type(piece));
    json_add_name(piece->content, "content");
    buf_add_byte(piece->content, '[');
    for (const struct json *part = piece->only->first; part != NULL; part = part->next)
        if (slice_equal_text(part->first->name, "text"))
            add_result_text(item, part->first, piece->content);
        else
            add_result_json(item, part->first, piece->content);
    buf_add_byte(piece->content, ']');
    item_close_block(piece->content, item->index);
    return item->parts[PART_TEXT].said.failed;
}

void item_show_result(struct buf *content, const struct item *item)
{
    json_add_comma(content);
    buf_add(content, item->result.head);
    json_add_name(content, "content");
    buf_add_byte(content, '[');
    buf_add(content, buf_slice(&item->parts[PART_TEXT].said));
    if (item->result.is_text_open) {
        buf_add_byte(content, '"');
        item_close_block(content, (int64_t)item->result.count - 1);
    }
    buf_add_byte(content, ']');
    item_close_block(content, item->index);
}
