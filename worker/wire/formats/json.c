#include "wire/formats/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "wire/formats/json_mend.h"
#include "wire/formats/json_plain.h"

/* Up to here an object's names are compared pair by pair, above they are sorted: a hostile object
 * must not cost the square of its members. */
#define JSON_PAIRWISE_MAX 16

/* cJSON reads numbers through a buffer of 64 bytes and silently drops what is behind. */
#define JSON_NUMBER_MAX 63
#define JSON_DIGITS_MAX 40

/* An array or object that is not closed yet. */
struct frame {
    struct json *node;
    struct json *last; /* its last element or member so far */
};

struct scan {
    struct arena *arena;
    struct slice text;
    size_t at;
    size_t nodes;
    bool is_loose;
    size_t depth;
    struct frame frames[JSON_LOOSE_DEPTH_MAX];
    struct json *root;
    enum err err;
    size_t fault_at;
    bool is_json; /* what was refused */
    const char *words;
};

/* --- strings --- */

static struct slice without_quotes(struct slice source)
{
    return slice_sub(source, 1, source.len - 2);
}

static bool has_escapes(struct slice source)
{
    return slice_find(source, '\\') < source.len;
}

/* The value of a scanned string with escapes, NUL-terminated and without a NUL inside (the scan
 * refuses \u0000), to be deleted by the caller; NULL when out of memory. */
static cJSON *decode(struct slice source)
{
    cJSON *item = cJSON_ParseWithLength(source.ptr, source.len);
    if (item != NULL)
        CHECK(cJSON_IsString(item));
    return item;
}

/* `source` is the string with its quotes, scanned before. */
static bool string_value(struct arena *arena, struct slice source, struct slice *ret_text)
{
    if (!has_escapes(source)) {
        *ret_text = without_quotes(source);
        return true;
    }
    cJSON *item = decode(source);
    if (item == NULL)
        return false;
    bool copied = arena_copy(arena, slice_of_text(item->valuestring), ret_text);
    cJSON_Delete(item);
    return copied;
}

/* --- the scan --- */

static bool refuse(struct scan *scan, size_t at, const char *words)
{
    scan->err = ERR_FORMAT;
    scan->fault_at = at;
    scan->words = words;
    return false;
}

/* JSON, but none that is taken. */
static bool refuse_json(struct scan *scan, size_t at, const char *words)
{
    scan->is_json = true;
    return refuse(scan, at, words);
}

static bool no_memory(struct scan *scan)
{
    scan->err = ERR_NO_MEMORY;
    return false;
}

/* NUL at the end: nothing that may stand in JSON outside of strings. */
static char peek(const struct scan *scan)
{
    return scan->at < scan->text.len ? scan->text.ptr[scan->at] : '\0';
}

static void skip_blanks(struct scan *scan)
{
    char byte = peek(scan);
    while (byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t') {
        scan->at++;
        byte = peek(scan);
    }
}

/* What is wrong here: the end, or something else than what was expected. */
static bool refuse_here(struct scan *scan, const char *words)
{
    return refuse(scan, scan->at,
                  scan->at == scan->text.len ? "unexpected end of the text" : words);
}

/* Behind `\u`; moves behind the whole escape, both halves of a surrogate pair. */
static bool scan_unicode(struct scan *scan, size_t from)
{
    int32_t unit = json_hex4(scan->text, scan->at);
    if (unit < 0)
        return refuse(scan, from, "\\u without four hexadecimal digits");
    if (unit == 0)
        return refuse_json(scan, from, "\\u0000 in a string");
    scan->at += 4;
    if (unit < 0xd800 || unit > 0xdfff)
        return true;
    if (json_low_half(scan->text, scan->at, unit) < 0)
        return refuse_json(scan, from, "lone surrogate in a string");
    scan->at += 6;
    return true;
}

static bool scan_escape(struct scan *scan)
{
    size_t from = scan->at++;
    char kind = peek(scan);
    if (scan->at == scan->text.len)
        return refuse(scan, from, "unterminated string");
    scan->at++;
    if (kind == 'u')
        return scan_unicode(scan, from);
    if (kind == '\0' || strchr("\"\\/bfnrt", kind) == NULL)
        return refuse(scan, from, "invalid escape in a string");
    return true;
}

static bool scan_string(struct scan *scan, struct slice *ret_source)
{
    size_t from = scan->at++;
    for (;;) {
        scan->at += json_plain_len(scan->text, scan->at);
        if (scan->at == scan->text.len)
            return refuse(scan, from, "unterminated string");
        char byte = peek(scan);
        if (byte == '"')
            break;
        if (byte != '\\')
            return refuse(scan, scan->at, "unescaped control character in a string");
        if (!scan_escape(scan))
            return false;
    }
    scan->at++;
    *ret_source = slice_sub(scan->text, from, scan->at - from);
    return true;
}

static size_t skip_digits(struct scan *scan)
{
    size_t from = scan->at;
    while (peek(scan) >= '0' && peek(scan) <= '9')
        scan->at++;
    return scan->at - from;
}

static bool scan_number(struct scan *scan)
{
    size_t from = scan->at;
    if (peek(scan) == '-')
        scan->at++;
    bool zero = peek(scan) == '0';
    size_t whole = skip_digits(scan);
    bool right = whole == 1 || (whole > 1 && !zero);
    if (peek(scan) == '.') {
        scan->at++;
        right = skip_digits(scan) > 0 && right;
    }
    if (peek(scan) == 'e' || peek(scan) == 'E') {
        scan->at++;
        if (peek(scan) == '+' || peek(scan) == '-')
            scan->at++;
        right = skip_digits(scan) > 0 && right;
    }
    return right || refuse(scan, from, "invalid number");
}

static bool scan_word(struct scan *scan, struct slice word, enum json_kind kind, struct json *node)
{
    if (!slice_starts(slice_sub(scan->text, scan->at, word.len), word))
        return refuse(scan, scan->at, "expected a value");
    scan->at += word.len;
    node->kind = kind;
    return true;
}

static bool open_container(struct scan *scan, struct json *node, enum json_kind kind)
{
    if (scan->depth == (scan->is_loose ? JSON_LOOSE_DEPTH_MAX : JSON_DEPTH_MAX))
        return refuse_json(scan, scan->at, "nested too deeply");
    node->kind = kind;
    scan->frames[scan->depth++] = (struct frame){.node = node};
    scan->at++;
    return true;
}

static void link_node(struct scan *scan, struct json *node)
{
    if (scan->depth == 0) {
        scan->root = node;
        return;
    }
    struct frame *frame = &scan->frames[scan->depth - 1];
    if (frame->last == NULL)
        frame->node->first = node;
    else
        frame->last->next = node;
    frame->last = node;
    frame->node->count++;
}

/* A whole scalar, or the opening of an array or object. */
static bool scan_value(struct scan *scan, struct slice name)
{
    size_t from = scan->at;
    if (scan->nodes == JSON_NODES_MAX)
        return refuse_json(scan, from, "too many values");
    scan->nodes++;
    struct json *node = arena_new(scan->arena, sizeof *node);
    if (node == NULL)
        return no_memory(scan);
    node->name = name;
    link_node(scan, node);
    char byte = peek(scan);
    bool right;
    if (byte == '"') {
        node->kind = JSON_STRING;
        return scan_string(scan, &node->source);
    } else if (byte == '{' || byte == '[') {
        node->source = slice_sub(scan->text, from, 1);
        return open_container(scan, node, byte == '{' ? JSON_OBJECT : JSON_ARRAY);
    } else if (byte == '-' || (byte >= '0' && byte <= '9')) {
        node->kind = JSON_NUMBER;
        right = scan_number(scan);
    } else if (byte == 't') {
        right = scan_word(scan, SLICE("true"), JSON_TRUE, node);
    } else if (byte == 'f') {
        right = scan_word(scan, SLICE("false"), JSON_FALSE, node);
    } else if (byte == 'n') {
        right = scan_word(scan, SLICE("null"), JSON_NULL, node);
    } else {
        return refuse_here(scan, "expected a value");
    }
    node->source = slice_sub(scan->text, from, scan->at - from);
    return right;
}

static bool scan_name(struct scan *scan, struct slice *ret_name)
{
    struct slice source;
    if (peek(scan) != '"')
        return refuse_here(scan, "expected a member name");
    if (!scan_string(scan, &source))
        return false;
    if (!string_value(scan->arena, source, ret_name))
        return no_memory(scan);
    skip_blanks(scan);
    if (peek(scan) != ':')
        return refuse_here(scan, "expected a colon");
    scan->at++;
    skip_blanks(scan);
    return true;
}

/* --- duplicate members --- */

static bool refuse_duplicate(struct scan *scan, const struct json *a, const struct json *b)
{
    const struct json *later = a->source.ptr > b->source.ptr ? a : b;
    return refuse_json(scan, (size_t)(later->source.ptr - scan->text.ptr), "duplicate member");
}

static bool check_pairwise(struct scan *scan, const struct json *object)
{
    for (const struct json *a = object->first; a != NULL; a = a->next)
        for (const struct json *b = a->next; b != NULL; b = b->next)
            if (a->name.len == b->name.len && memcmp(a->name.ptr, b->name.ptr, a->name.len) == 0)
                return refuse_duplicate(scan, a, b);
    return true;
}

/* Lengths first: any order that puts equal names side by side will do, and this one seldom looks at
 * the bytes. */
static int compare_names(const struct json *a, const struct json *b)
{
    if (a->name.len != b->name.len)
        return a->name.len < b->name.len ? -1 : 1;
    return memcmp(a->name.ptr, b->name.ptr, a->name.len);
}

static void merge(const struct json **from, size_t count, size_t width, const struct json **to)
{
    for (size_t start = 0; start < count; start += 2 * width) {
        size_t middle = start + width < count ? start + width : count;
        size_t end = start + 2 * width < count ? start + 2 * width : count;
        size_t a = start, b = middle;
        for (size_t i = start; i < end; i++) {
            bool take_a = a < middle && (b == end || compare_names(from[a], from[b]) <= 0);
            to[i] = take_a ? from[a++] : from[b++];
        }
    }
}

/* Merge sort, bottom up: n log n whatever the names are. */
static bool check_sorted(struct scan *scan, const struct json *object)
{
    size_t count = object->count, filled = 0;
    const struct json **both = memory_new(2 * count * sizeof(struct json *));
    if (both == NULL)
        return no_memory(scan);
    const struct json **names = both, **spare = both + count;
    for (const struct json *member = object->first; member != NULL; member = member->next)
        names[filled++] = member;
    CHECK(filled == count);
    for (size_t width = 1; width < count; width *= 2) {
        const struct json **sorted = spare;
        merge(names, count, width, sorted);
        spare = names;
        names = sorted;
    }
    bool right = true;
    for (size_t i = 1; i < count && right; i++)
        if (compare_names(names[i - 1], names[i]) == 0)
            right = refuse_duplicate(scan, names[i - 1], names[i]);
    memory_free(both);
    return right;
}

static bool close_container(struct scan *scan)
{
    struct json *node = scan->frames[--scan->depth].node;
    scan->at++;
    node->source.len = (size_t)(scan->text.ptr + scan->at - node->source.ptr);
    if (node->kind == JSON_ARRAY || scan->is_loose)
        return true;
    if (node->count <= JSON_PAIRWISE_MAX)
        return check_pairwise(scan, node);
    return check_sorted(scan, node);
}

/* One step inside the innermost container: its end, or its next element or member. */
static bool scan_item(struct scan *scan)
{
    const struct json *container = scan->frames[scan->depth - 1].node;
    bool is_object = container->kind == JSON_OBJECT;
    struct slice name = SLICE_NULL;
    skip_blanks(scan);
    if (peek(scan) == (is_object ? '}' : ']'))
        return close_container(scan);
    if (container->count > 0) {
        if (peek(scan) != ',')
            return refuse_here(scan, is_object ? "expected a comma or }" : "expected a comma or ]");
        scan->at++;
        skip_blanks(scan);
    }
    if (is_object && !scan_name(scan, &name))
        return false;
    return scan_value(scan, name);
}

static bool scan_text(struct scan *scan)
{
    size_t valid = utf8_valid_len(scan->text);
    if (valid < scan->text.len)
        return refuse(scan, valid, "invalid UTF-8");
    if (slice_starts(scan->text, SLICE("\xef\xbb\xbf")))
        return refuse(scan, 0, "byte order mark (BOM) before the value");
    skip_blanks(scan);
    if (!scan_value(scan, SLICE_NULL))
        return false;
    while (scan->depth > 0)
        if (!scan_item(scan))
            return false;
    skip_blanks(scan);
    return scan->at == scan->text.len || refuse(scan, scan->at, "unexpected bytes after the value");
}

static void locate(const struct scan *scan, struct json_fault *ret_fault)
{
    *ret_fault = (struct json_fault){scan->fault_at, 1, 1, scan->is_json, scan->words};
    for (size_t i = 0; i < scan->fault_at; i++) {
        ret_fault->column++;
        if (scan->text.ptr[i] == '\n') {
            ret_fault->line++;
            ret_fault->column = 1;
        }
    }
}

static enum err parse(struct arena *arena, struct slice text, bool is_loose,
                      const struct json **ret_root, struct json_fault *ret_fault)
{
    struct scan scan;
    scan.arena = arena;
    scan.text = text.ptr == NULL ? SLICE("") : text;
    scan.at = scan.nodes = scan.depth = 0;
    scan.is_loose = is_loose;
    scan.is_json = false;
    scan.root = NULL;
    scan.err = OK;
    if (!scan_text(&scan)) {
        CHECK(scan.err != OK);
        if (scan.err == ERR_FORMAT && ret_fault != NULL)
            locate(&scan, ret_fault);
        return scan.err;
    }
    *ret_root = scan.root;
    return OK;
}

enum err json_parse(struct arena *arena, struct slice text, const struct json **ret_root,
                    struct json_fault *ret_fault)
{
    return parse(arena, text, false, ret_root, ret_fault);
}

enum err json_parse_loosely(struct arena *arena, struct slice text, const struct json **ret_root,
                            struct json_fault *ret_fault)
{
    struct slice mended;
    enum err err = parse(arena, text, false, ret_root, ret_fault);
    if (err != ERR_FORMAT)
        return err;
    if (!json_mend(arena, text, &mended))
        return ERR_NO_MEMORY;
    return parse(arena, mended, true, ret_root, ret_fault);
}

/* --- reading nodes --- */

const struct json *json_member_of(const struct json *object, struct slice name)
{
    if (!json_is(object, JSON_OBJECT))
        return NULL;
    for (const struct json *member = object->first; member != NULL; member = member->next)
        if (slice_equal(member->name, name))
            return member;
    return NULL;
}

const struct json *json_member(const struct json *object, const char *name)
{
    return json_member_of(object, slice_of_text(name));
}

bool json_is(const struct json *node, enum json_kind kind)
{
    return node != NULL && node->kind == kind;
}

bool json_string(struct arena *arena, const struct json *node, struct slice *ret_text)
{
    return json_is(node, JSON_STRING) && string_value(arena, node->source, ret_text);
}

bool json_equal_text(const struct json *node, const char *text)
{
    if (!json_is(node, JSON_STRING))
        return false;
    if (!has_escapes(node->source))
        return slice_equal_text(without_quotes(node->source), text);
    cJSON *item = decode(node->source);
    bool equal = item != NULL && strcmp(item->valuestring, text) == 0;
    cJSON_Delete(item);
    return equal;
}

/* A number as digits without zeros around them: value = digits * 10^scale. */
struct decimal {
    bool negative;
    char digits[JSON_DIGITS_MAX];
    size_t count;
    size_t dropped; /* digits behind, which did not fit; scale counts them */
    int64_t scale;
};

static void add_digit(struct decimal *decimal, char digit)
{
    if (decimal->count < JSON_DIGITS_MAX)
        decimal->digits[decimal->count++] = digit;
    else
        decimal->dropped++;
}

/* Saturates far above any length of text, so that `0.000…1e1000000` still adds up. */
static int64_t read_exponent(struct slice text)
{
    int64_t value = 0;
    bool negative = text.len > 0 && text.ptr[0] == '-';
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= '0' && text.ptr[i] <= '9' && value < INT64_C(1000000000000))
            value = value * 10 + (text.ptr[i] - '0');
    return negative ? -value : value;
}

static void read_decimal(struct slice source, struct decimal *ret_decimal)
{
    *ret_decimal = (struct decimal){.negative = source.ptr[0] == '-'};
    size_t zeros = 0;
    bool fraction = false;
    for (size_t i = 0; i < source.len; i++) {
        char byte = source.ptr[i];
        if (byte == 'e' || byte == 'E') {
            ret_decimal->scale += read_exponent(slice_sub(source, i + 1, SIZE_MAX));
            break;
        }
        fraction = fraction || byte == '.';
        if (byte < '0' || byte > '9')
            continue;
        ret_decimal->scale -= fraction;
        if (byte == '0') {
            zeros += ret_decimal->count > 0;
            continue;
        }
        for (; zeros > 0; zeros--)
            add_digit(ret_decimal, '0');
        add_digit(ret_decimal, byte);
    }
    ret_decimal->scale += (int64_t)zeros + (int64_t)ret_decimal->dropped;
}

bool json_int64(const struct json *node, int64_t *ret_value)
{
    char text[1 + 19];
    struct decimal decimal;
    if (!json_is(node, JSON_NUMBER))
        return false;
    read_decimal(node->source, &decimal);
    if (decimal.count == 0) {
        *ret_value = 0;
        return true;
    }
    if (decimal.count > 19 || decimal.scale < 0 || decimal.scale > 19 - (int64_t)decimal.count)
        return false;
    size_t len = decimal.count + (size_t)decimal.scale;
    text[0] = '-';
    memset(text + 1, '0', len);
    memcpy(text + 1, decimal.digits, decimal.count);
    struct slice whole = slice_of(text, len + 1);
    return slice_to_int64(decimal.negative ? whole : slice_sub(whole, 1, len), ret_value);
}

bool json_double(const struct json *node, double *ret_value)
{
    char text[JSON_NUMBER_MAX + 1];
    struct decimal decimal;
    if (!json_is(node, JSON_NUMBER))
        return false;
    struct slice source = node->source;
    if (source.len > JSON_NUMBER_MAX) {
        read_decimal(source, &decimal);
        if (decimal.count == 0)
            add_digit(&decimal, '0');
        int scale = decimal.scale > 9999    ? 9999
                    : decimal.scale < -9999 ? -9999
                                            : (int)decimal.scale;
        int len = snprintf(text, sizeof text, "%s%.*se%d", decimal.negative ? "-" : "",
                           (int)decimal.count, decimal.digits, scale);
        CHECK(len > 0 && len <= JSON_NUMBER_MAX);
        source = slice_of(text, (size_t)len);
    }
    cJSON *item = cJSON_ParseWithLength(source.ptr, source.len);
    bool finite = item != NULL && cJSON_IsNumber(item) && isfinite(item->valuedouble);
    if (finite)
        *ret_value = item->valuedouble;
    cJSON_Delete(item);
    return finite;
}
