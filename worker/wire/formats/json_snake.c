#include "wire/formats/json_snake.h"

#define DEPTH_MAX      4  /* a citation, its location, the location's kind, its numbers */
#define NAME_BYTES_MAX 64 /* of a name that may be AWS's own */

static bool is_upper(char byte)
{
    return byte >= 'A' && byte <= 'Z';
}

static bool is_lower(char byte)
{
    return byte >= 'a' && byte <= 'z';
}

static bool is_plain_name(struct slice name)
{
    if (name.len == 0 || name.len > NAME_BYTES_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char byte = name.ptr[i];
        if (!is_upper(byte) && !is_lower(byte) && !(byte >= '0' && byte <= '9') && byte != '_')
            return false;
    }
    return true;
}

/* documentIndex → document_index, URLName → url_name */
static bool begins_word(struct slice name, size_t at)
{
    if (at == 0 || !is_upper(name.ptr[at]))
        return false;
    bool is_followed = at + 1 < name.len && is_lower(name.ptr[at + 1]);
    return is_lower(name.ptr[at - 1]) || (is_upper(name.ptr[at - 1]) && is_followed);
}

static void add_snake_name(struct buf *json, struct slice name)
{
    json_add_comma(json);
    if (!is_plain_name(name)) {
        json_add_string(json, name);
        buf_add_byte(json, ':');
        return;
    }
    buf_add_byte(json, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (begins_word(name, i))
            buf_add_byte(json, '_');
        buf_add_byte(json, (char)(is_upper(name.ptr[i]) ? name.ptr[i] | 0x20 : name.ptr[i]));
    }
    buf_add_text(json, "\":");
}

static bool is_container(const struct json *node)
{
    return node->kind == JSON_OBJECT || node->kind == JSON_ARRAY;
}

void json_add_snake(struct buf *json, const struct json *object)
{
    struct {
        const struct json *next;
        bool is_object;
    } open[DEPTH_MAX] = {{object->first, true}};
    size_t depth = 1;
    buf_add_byte(json, '{');
    while (depth > 0) {
        const struct json *node = open[depth - 1].next;
        bool in_object = open[depth - 1].is_object;
        if (node == NULL) {
            buf_add_byte(json, in_object ? '}' : ']');
            depth--;
            continue;
        }
        open[depth - 1].next = node->next;
        if (in_object)
            add_snake_name(json, node->name);
        else
            json_add_comma(json);
        if (!is_container(node) || depth == DEPTH_MAX) {
            buf_add(json, node->source);
            continue;
        }
        open[depth].next = node->first;
        open[depth++].is_object = node->kind == JSON_OBJECT;
        buf_add_byte(json, node->kind == JSON_OBJECT ? '{' : '[');
    }
}
