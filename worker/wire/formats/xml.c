#include "wire/formats/xml.h"

#include <string.h>

#include "base/utf8.h"

struct reader {
    struct arena *arena;
    struct slice rest;
    char path[XML_PATH_MAX];
    size_t path_len;
    size_t ends[XML_DEPTH_MAX]; /* path_len before each open element */
    size_t depth;
    size_t elements;
    bool is_leaf;          /* the innermost element had no element yet */
    const char *text_from; /* where its text begins */
    struct xml_leaf *first, *last;
    const char *why;
    bool is_out_of_memory;
};

static bool fail(struct reader *reader, const char *why)
{
    reader->why = why;
    return false;
}

static void skip(struct reader *reader, size_t count)
{
    reader->rest = slice_sub(reader->rest, count, reader->rest.len);
}

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static void skip_spaces(struct reader *reader)
{
    size_t count = 0;
    while (count < reader->rest.len && is_space(reader->rest.ptr[count]))
        count++;
    skip(reader, count);
}

static bool is_name_byte(char byte, bool is_first)
{
    bool is_letter =
        (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' || byte == ':';
    return is_letter || (!is_first && ((byte >= '0' && byte <= '9') || byte == '-' || byte == '.'));
}

/* The name at the beginning of the rest, which it skips; empty = there is none. */
static struct slice take_name(struct reader *reader)
{
    size_t len = 0;
    while (len < reader->rest.len && is_name_byte(reader->rest.ptr[len], len == 0))
        len++;
    struct slice name = slice_sub(reader->rest, 0, len);
    skip(reader, len);
    return name;
}

static bool take(struct reader *reader, const char *text)
{
    struct slice expected = slice_of_text(text);
    if (!slice_starts(reader->rest, expected))
        return false;
    skip(reader, expected.len);
    return true;
}

/* The index of `text` in the rest, or its length. */
static size_t find(const struct reader *reader, const char *text)
{
    struct slice expected = slice_of_text(text);
    for (size_t i = 0; i + expected.len <= reader->rest.len; i++) {
        if (memcmp(reader->rest.ptr + i, expected.ptr, expected.len) == 0)
            return i;
    }
    return reader->rest.len;
}

/* ---- texts ---- */

static size_t add_code_point(uint32_t point, char *ret_bytes)
{
    if (point < 0x80) {
        ret_bytes[0] = (char)point;
        return 1;
    }
    size_t len = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const uint32_t LEADS[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len - 1; i > 0; i--, point >>= 6)
        ret_bytes[i] = (char)(0x80 | (point & 0x3f));
    ret_bytes[0] = (char)(LEADS[len] | point);
    return len;
}

static int digit_of(char byte, int base)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    int letter = byte | 0x20;
    return base == 16 && letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/* `#65` or `#x41`. */
static bool read_number(struct slice name, uint32_t *ret_point)
{
    int base = name.len > 1 && name.ptr[1] == 'x' ? 16 : 10;
    size_t at = base == 16 ? 2 : 1;
    *ret_point = 0;
    if (at == name.len || name.len > 9)
        return false;
    for (; at < name.len; at++) {
        int digit = digit_of(name.ptr[at], base);
        if (digit < 0)
            return false;
        *ret_point = *ret_point * (uint32_t)base + (uint32_t)digit;
    }
    bool is_control = *ret_point < 0x20 && *ret_point != 9 && *ret_point != 10 && *ret_point != 13;
    return !is_control && *ret_point < 0x110000 && (*ret_point < 0xd800 || *ret_point > 0xdfff);
}

/* The character that `&name;` stands for. */
static bool read_reference(struct slice name, uint32_t *ret_point)
{
    static const struct {
        struct slice name;
        uint32_t point;
    } KNOWN[] = {
        {{"amp", 3}, '&'},  {{"lt", 2}, '<'},    {{"gt", 2}, '>'},
        {{"quot", 4}, '"'}, {{"apos", 4}, '\''},
    };
    for (size_t i = 0; i < COUNT_OF(KNOWN); i++) {
        *ret_point = KNOWN[i].point;
        if (slice_equal(name, KNOWN[i].name))
            return true;
    }
    return name.len > 0 && name.ptr[0] == '#' && read_number(name, ret_point);
}

/* Decodes a text; no reference is shorter than what it stands for. */
static bool decode(struct reader *reader, struct slice text, struct slice *ret_text)
{
    char *bytes = arena_new(reader->arena, text.len + 1);
    size_t len = 0;
    if (bytes == NULL) {
        reader->is_out_of_memory = true;
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        uint32_t point;
        if (text.ptr[i] != '&') {
            bytes[len++] = text.ptr[i];
            continue;
        }
        struct slice rest = slice_sub(text, i + 1, text.len);
        size_t end = slice_find(rest, ';');
        if (end == rest.len || !read_reference(slice_sub(rest, 0, end), &point))
            return fail(reader, "an entity that XML does not define");
        len += add_code_point(point, bytes + len);
        i += end + 1;
    }
    *ret_text = slice_of(bytes, len);
    return true;
}

static bool add_leaf(struct reader *reader, struct slice text)
{
    struct xml_leaf *leaf = arena_new(reader->arena, sizeof *leaf);
    if (leaf == NULL ||
        !arena_copy(reader->arena, slice_of(reader->path, reader->path_len), &leaf->path)) {
        reader->is_out_of_memory = true;
        return false;
    }
    if (reader->last != NULL)
        reader->last->next = leaf;
    else
        reader->first = leaf;
    reader->last = leaf;
    return decode(reader, text, &leaf->text);
}

/* ---- elements ---- */

static bool open_element(struct reader *reader, struct slice name)
{
    if (reader->depth == XML_DEPTH_MAX)
        return fail(reader, "elements nested too deeply");
    if (++reader->elements > XML_ELEMENTS_MAX)
        return fail(reader, "too many elements");
    if (reader->path_len + name.len + 1 > XML_PATH_MAX)
        return fail(reader, "names that are too long");
    reader->ends[reader->depth++] = reader->path_len;
    if (reader->path_len > 0)
        reader->path[reader->path_len++] = '/';
    memcpy(reader->path + reader->path_len, name.ptr, name.len);
    reader->path_len += name.len;
    reader->is_leaf = true;
    return true;
}

/* `text` is all since its start tag, for a leaf. */
static bool close_element(struct reader *reader, struct slice text)
{
    bool is_good = !reader->is_leaf || add_leaf(reader, text);
    reader->path_len = reader->ends[--reader->depth];
    reader->is_leaf = false;
    return is_good;
}

static bool skip_attributes(struct reader *reader)
{
    for (;;) {
        size_t before = reader->rest.len;
        skip_spaces(reader);
        if (reader->rest.len == 0 || reader->rest.ptr[0] == '>' || reader->rest.ptr[0] == '/')
            return true;
        if (reader->rest.len == before || take_name(reader).len == 0)
            return fail(reader, "a tag that is not one");
        skip_spaces(reader);
        bool is_assigned = take(reader, "=");
        skip_spaces(reader);
        char quote = reader->rest.len > 0 ? reader->rest.ptr[0] : '\0';
        if (!is_assigned || (quote != '"' && quote != '\''))
            return fail(reader, "an attribute without a quoted value");
        skip(reader, 1);
        size_t len = slice_find(reader->rest, quote);
        if (len == reader->rest.len || slice_find(slice_sub(reader->rest, 0, len), '<') < len)
            return fail(reader, "an attribute without an end");
        skip(reader, len + 1);
    }
}

static bool read_start_tag(struct reader *reader)
{
    struct slice name = take_name(reader);
    if (name.len == 0)
        return fail(reader, "a tag that is not one");
    if (!open_element(reader, name) || !skip_attributes(reader))
        return false;
    if (take(reader, "/>"))
        return close_element(reader, SLICE(""));
    if (!take(reader, ">"))
        return fail(reader, "a tag without an end");
    reader->text_from = reader->rest.ptr;
    return true;
}

/* `text_end` is where the tag begins. */
static bool read_end_tag(struct reader *reader, const char *text_end)
{
    struct slice name = take_name(reader);
    size_t from = reader->depth > 0 ? reader->ends[reader->depth - 1] : 0;
    from += from > 0 ? 1 : 0;
    skip_spaces(reader);
    if (reader->depth == 0 || !take(reader, ">") ||
        !slice_equal(name, slice_of(reader->path + from, reader->path_len - from)))
        return fail(reader, "an end tag that does not match");
    return close_element(reader,
                         slice_of(reader->text_from, (size_t)(text_end - reader->text_from)));
}

static bool skip_comment(struct reader *reader)
{
    size_t end = find(reader, "--");
    skip(reader, end);
    return take(reader, "-->") || fail(reader, "a comment without an end");
}

/* Reads the tag at the beginning of the rest. A comment within a text would cut it in two. */
static bool read_markup(struct reader *reader)
{
    const char *begins = reader->rest.ptr;
    if (take(reader, "</"))
        return read_end_tag(reader, begins);
    if (take(reader, "<!--")) {
        if (reader->depth > 0 && reader->is_leaf)
            return fail(reader, "a comment within a text");
        return skip_comment(reader);
    }
    if (slice_starts(reader->rest, SLICE("<!")) || slice_starts(reader->rest, SLICE("<?")))
        return fail(reader, "a declaration (DOCTYPE, CDATA or a processing instruction)");
    skip(reader, 1);
    reader->is_leaf = false;
    return read_start_tag(reader);
}

static bool read_document(struct reader *reader)
{
    if (take(reader, "<?xml")) {
        skip(reader, find(reader, "?>"));
        if (!take(reader, "?>"))
            return fail(reader, "a declaration without an end");
    }
    for (;;) {
        size_t len = slice_find(reader->rest, '<');
        bool has_text = slice_trim(slice_sub(reader->rest, 0, len)).len > 0;
        bool ends_leaf =
            reader->is_leaf && slice_starts(slice_sub(reader->rest, len, 2), SLICE("</"));
        if (has_text && !ends_leaf)
            return fail(reader, reader->depth > 0 ? "text beside elements"
                                                  : "text outside of the root element");
        skip(reader, len);
        if (reader->rest.len == 0)
            break;
        if (reader->depth == 0 && reader->elements > 0 &&
            !slice_starts(reader->rest, SLICE("<!--")))
            return fail(reader, "a second root element");
        if (!read_markup(reader))
            return false;
    }
    if (reader->depth > 0 || reader->elements == 0)
        return fail(reader, "its end is missing");
    return true;
}

enum err xml_parse(struct arena *arena, struct slice text, const struct xml_leaf **ret_first,
                   const char **ret_why)
{
    struct reader reader = {.arena = arena, .rest = text};
    *ret_first = NULL;
    *ret_why = "";
    if (utf8_valid_len(text) < text.len || slice_find(text, '\0') < text.len) {
        *ret_why = "a byte that is not UTF-8 text";
        return ERR_FORMAT;
    }
    if (read_document(&reader)) {
        *ret_first = reader.first;
        return OK;
    }
    *ret_why = reader.why;
    return reader.is_out_of_memory ? ERR_NO_MEMORY : ERR_FORMAT;
}

struct slice xml_text(const struct xml_leaf *first, const char *path)
{
    for (const struct xml_leaf *leaf = first; leaf != NULL; leaf = leaf->next) {
        if (slice_equal_text(leaf->path, path))
            return leaf->text;
    }
    return SLICE_NULL;
}
