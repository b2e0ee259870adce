#include "wire/formats/json_partial.h"

#include <string.h>

#include "wire/formats/json_mend.h"

/* What may follow, as JSON's grammar has it. */
enum next {
    NEXT_VALUE,
    NEXT_FIRST, /* a value, or the end of an array that has none */
    NEXT_NAME,
    NEXT_FIRST_NAME, /* likewise of an object */
    NEXT_COLON,
    NEXT_END, /* a comma, or the end of what is open */
};

struct cut {
    struct slice text;
    bool ends_in_text; /* in a string, which a quote closes */
    char
        closers[JSON_LOOSE_DEPTH_MAX]; /* of what is open at the end of the text, outermost first */
    size_t depth;
    /* of the grammar's reading, which ends at the first byte that is no JSON: */
    char open[JSON_LOOSE_DEPTH_MAX];
    size_t open_depth, common; /* common: so many are the same in both */
    enum next next;
    size_t keep; /* bytes that `closers` complete; 0 = none */
};

/* --- the brackets of the whole text --- */

/* False: they do not pair. */
static bool pair(struct cut *cut, char byte)
{
    if (byte == '{' || byte == '[') {
        cut->closers[cut->depth++] = byte == '{' ? '}' : ']';
        return true;
    }
    return (byte != '}' && byte != ']') || (cut->depth > 0 && cut->closers[--cut->depth] == byte);
}

static enum err find_closers(struct cut *cut)
{
    bool is_escaped = false;
    for (size_t i = 0; i < cut->text.len; i++) {
        char byte = cut->text.ptr[i];
        if (cut->depth == COUNT_OF(cut->closers))
            return ERR_FORMAT;
        if (byte == '"' && !is_escaped)
            cut->ends_in_text = !cut->ends_in_text;
        else if (!cut->ends_in_text && !pair(cut, byte))
            return ERR_MALFORMED;
        is_escaped = cut->ends_in_text && byte == '\\' && !is_escaped;
    }
    if (is_escaped)
        cut->text.len--;
    return OK;
}

/* --- tokens: each returns the byte behind it, or `at` when there is none --- */

static size_t skip_digits(struct slice text, size_t at)
{
    while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9')
        at++;
    return at;
}

/* As much as is a number. */
static size_t behind_number(struct slice text, size_t at)
{
    size_t from = at + (at < text.len && text.ptr[at] == '-');
    size_t end = from < text.len && text.ptr[from] == '0' ? from + 1 : skip_digits(text, from);
    if (end == from)
        return at;
    size_t fraction = end < text.len && text.ptr[end] == '.' ? skip_digits(text, end + 1) : end;
    end = fraction > end + 1 ? fraction : end;
    if (end == text.len || (text.ptr[end] | 0x20) != 'e')
        return end;
    size_t digits = end + 1;
    digits += digits < text.len && (text.ptr[digits] == '+' || text.ptr[digits] == '-');
    size_t exponent = skip_digits(text, digits);
    return exponent > digits ? exponent : end;
}

/* A string with good escapes; one that ends with the text is whole. */
static size_t behind_string(const struct cut *cut, size_t at)
{
    struct slice text = cut->text;
    for (size_t i = at + 1; i < text.len; i++) {
        if (text.ptr[i] == '"')
            return i + 1;
        if (text.ptr[i] != '\\')
            continue;
        i++;
        if (i == text.len || strchr("\"\\/bfnrtu", text.ptr[i]) == NULL || text.ptr[i] == '\0')
            return at;
        if (text.ptr[i] == 'u' && json_hex4(text, i + 1) < 0)
            return at;
        i += text.ptr[i] == 'u' ? 4 : 0;
    }
    return cut->ends_in_text ? text.len : at;
}

static size_t behind_scalar(const struct cut *cut, size_t at)
{
    static const char *const words[] = {"true", "false", "null"};
    struct slice rest = slice_sub(cut->text, at, SIZE_MAX);
    if (rest.ptr[0] == '"')
        return behind_string(cut, at);
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (slice_starts(rest, slice_of_text(words[i])))
            return at + slice_of_text(words[i]).len;
    return behind_number(cut->text, at);
}

/* --- as far as the text is JSON --- */

static void enter(struct cut *cut, char closer)
{
    size_t depth = cut->open_depth++;
    cut->open[depth] = closer;
    if (cut->common == depth && depth < cut->depth && cut->closers[depth] == closer)
        cut->common++;
    cut->next = closer == '}' ? NEXT_FIRST_NAME : NEXT_FIRST;
}

static void leave(struct cut *cut)
{
    cut->open_depth--;
    if (cut->common > cut->open_depth)
        cut->common = cut->open_depth;
    cut->next = NEXT_END;
}

/* What is open here can be closed, and the closers close it. */
static bool can_end(const struct cut *cut)
{
    bool is_whole =
        cut->next == NEXT_END || cut->next == NEXT_FIRST || cut->next == NEXT_FIRST_NAME;
    return is_whole && cut->open_depth == cut->depth && cut->common == cut->depth;
}

static size_t take_value(struct cut *cut, size_t at)
{
    char byte = cut->text.ptr[at];
    if (byte == '{' || byte == '[') {
        if (cut->open_depth == COUNT_OF(cut->open))
            return at;
        enter(cut, byte == '{' ? '}' : ']');
        return at + 1;
    }
    cut->next = NEXT_END;
    return behind_scalar(cut, at);
}

/* One token; returns the byte behind it, or `at` where the text is no JSON any more. */
static size_t take(struct cut *cut, size_t at)
{
    char byte = cut->text.ptr[at];
    char closer = cut->open_depth > 0 ? cut->open[cut->open_depth - 1] : '\0';
    bool may_close = cut->next != NEXT_VALUE && cut->next != NEXT_NAME && cut->next != NEXT_COLON;
    if (closer != '\0' && byte == closer && may_close) {
        leave(cut);
        return at + 1;
    }
    switch (cut->next) {
    case NEXT_NAME:
    case NEXT_FIRST_NAME:
        cut->next = NEXT_COLON;
        return byte == '"' ? behind_string(cut, at) : at;
    case NEXT_COLON:
        cut->next = NEXT_VALUE;
        return byte == ':' ? at + 1 : at;
    case NEXT_END:
        cut->next = closer == '}' ? NEXT_NAME : NEXT_VALUE;
        return byte == ',' && closer != '\0' ? at + 1 : at;
    case NEXT_VALUE:
    case NEXT_FIRST:
        return take_value(cut, at);
    }
    return at;
}

static void find_cut(struct cut *cut)
{
    for (size_t at = 0, end = 0; at < cut->text.len; at = end) {
        char byte = cut->text.ptr[at];
        end = at + 1;
        if (byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t')
            continue;
        end = take(cut, at);
        if (end == at)
            return;
        if (can_end(cut))
            cut->keep = end;
    }
}

enum err json_complete(struct arena *arena, struct slice text, struct slice *ret_text)
{
    struct cut cut = {.text = text};
    enum err err = find_closers(&cut);
    if (err != OK)
        return err;
    find_cut(&cut);
    if (cut.keep == 0)
        return ERR_FORMAT;
    char *copy = arena_new(arena, cut.keep + 1 + cut.depth);
    if (copy == NULL)
        return ERR_NO_MEMORY;
    size_t len = cut.keep;
    memcpy(copy, text.ptr, len);
    if (cut.ends_in_text && cut.keep == cut.text.len)
        copy[len++] = '"';
    while (cut.depth > 0)
        copy[len++] = cut.closers[--cut.depth];
    *ret_text = slice_of(copy, len);
    return OK;
}

enum err json_parse_partial(struct arena *arena, struct slice text, const struct json **ret_root)
{
    struct slice whole;
    enum err err = json_parse_loosely(arena, text, ret_root, NULL);
    if (err != ERR_FORMAT)
        return err;
    err = json_complete(arena, text, &whole);
    return err == OK ? json_parse_loosely(arena, whole, ret_root, NULL) : err;
}
