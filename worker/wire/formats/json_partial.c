#include "wire/formats/json_partial.h"

#include <string.h>

/* What is open at a place of the text, and how far the text is whole. */
struct cut {
    struct slice text;
    char closers[JSON_LOOSE_DEPTH_MAX]; /* of the open arrays and objects, outermost first */
    size_t
        whole[JSON_LOOSE_DEPTH_MAX + 1]; /* behind the last whole value of each, and of the text */
    size_t depth;
    size_t keep;       /* bytes of the text that stay */
    bool ends_in_text; /* in a string, which a quote closes */
    char before;       /* the last byte that is no blank and in no string; NUL = none */
};

/* Behind the string that begins at `at`; text.len + 1 when it does not end. */
static size_t behind_string(struct slice text, size_t at)
{
    for (at++; at < text.len && text.ptr[at] != '"'; at++)
        at += text.ptr[at] == '\\' ? 1 : 0;
    return at + 1;
}

/* A member's name stands where an object begins or goes on. */
static bool is_name(const struct cut *cut)
{
    return cut->depth > 0 && cut->closers[cut->depth - 1] == '}' &&
           (cut->before == '{' || cut->before == ',');
}

/* The bytes of a string without its end that a quote can close: a broken escape goes. False: it is
 * broken in a \u, and the string goes with it. */
static bool string_part(struct slice text, size_t from, size_t *ret_len)
{
    *ret_len = text.len;
    for (size_t at = from + 1; at < text.len; at++) {
        if (text.ptr[at] != '\\')
            continue;
        if (at + 1 == text.len)
            *ret_len = at;
        else if (text.ptr[at + 1] == 'u' && text.len - at < sizeof "\\u0000" - 1)
            return false;
        at++;
    }
    return true;
}

/* A string from `at` on; returns the byte behind it. */
static size_t take_string(struct cut *cut, size_t at)
{
    size_t end = behind_string(cut->text, at);
    bool is_value = !is_name(cut);
    cut->before = '"';
    if (end <= cut->text.len) {
        if (is_value)
            cut->whole[cut->depth] = end;
        return end;
    }
    cut->keep = cut->whole[cut->depth];
    size_t len;
    if (is_value && string_part(cut->text, at, &len)) {
        cut->keep = len;
        cut->ends_in_text = true;
    }
    return cut->text.len;
}

static bool is_scalar(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || byte == 'E' ||
           byte == '-' || byte == '+' || byte == '.';
}

/* A number or literal from `at` on; at the end of the text as much of it as is one. */
static size_t take_scalar(struct cut *cut, size_t at)
{
    static const char *const literals[] = {"true", "false", "null"};
    size_t end = at;
    while (end < cut->text.len && is_scalar(cut->text.ptr[end]))
        end++;
    struct slice token = slice_sub(cut->text, at, end - at);
    cut->before = '0';
    if (end == cut->text.len && !slice_is_one_of(token, literals, COUNT_OF(literals))) {
        while (token.len > 0 && strchr("+-.eE", token.ptr[token.len - 1]) != NULL)
            token.len--;
        if (token.len == 0 || (token.ptr[0] >= 'a' && token.ptr[0] <= 'z'))
            return end;
    }
    cut->whole[cut->depth] = at + token.len;
    return end;
}

/* One token that begins at `at`; returns the byte behind it, 0 when the text makes no sense. */
static size_t take(struct cut *cut, size_t at)
{
    char byte = cut->text.ptr[at];
    if (byte == '"')
        return take_string(cut, at);
    if (is_scalar(byte))
        return take_scalar(cut, at);
    if (byte == '{' || byte == '[') {
        if (cut->depth == COUNT_OF(cut->closers))
            return 0;
        cut->closers[cut->depth++] = byte == '{' ? '}' : ']';
        cut->whole[cut->depth] = at + 1;
    } else if (byte == '}' || byte == ']') {
        if (cut->depth == 0 || cut->closers[--cut->depth] != byte)
            return 0;
        cut->whole[cut->depth] = at + 1;
    }
    bool is_blank = byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
    cut->before = is_blank ? cut->before : byte;
    return at + 1;
}

/* False: the text makes no sense. */
static bool find_cut(struct cut *cut)
{
    size_t at = 0;
    while (at < cut->text.len && (cut->depth > 0 || cut->whole[0] == 0)) {
        at = take(cut, at);
        if (at == 0)
            return false;
    }
    if (!cut->ends_in_text)
        cut->keep = cut->whole[cut->depth];
    return cut->keep > 0;
}

bool json_complete(struct arena *arena, struct slice text, struct slice *ret_text)
{
    struct cut cut = {.text = text};
    *ret_text = SLICE_NULL;
    if (!find_cut(&cut))
        return true;
    char *copy = arena_new(arena, cut.keep + 1 + cut.depth);
    if (copy == NULL)
        return false;
    size_t len = cut.keep;
    memcpy(copy, text.ptr, len);
    if (cut.ends_in_text)
        copy[len++] = '"';
    while (cut.depth > 0)
        copy[len++] = cut.closers[--cut.depth];
    *ret_text = slice_of(copy, len);
    return true;
}

enum err json_parse_partial(struct arena *arena, struct slice text, const struct json **ret_root)
{
    struct slice whole;
    enum err err = json_parse_loosely(arena, text, ret_root, NULL);
    if (err != ERR_FORMAT)
        return err;
    if (!json_complete(arena, text, &whole))
        return ERR_NO_MEMORY;
    return whole.ptr == NULL ? ERR_FORMAT : json_parse_loosely(arena, whole, ret_root, NULL);
}
