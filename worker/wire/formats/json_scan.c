#include "wire/formats/json_scan.h"

#include <string.h>

static bool fail(struct json_scan *scan)
{
    scan->failed = true;
    return false;
}

static void skip_blanks(struct json_scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\t' || *scan->at == '\r'))
        scan->at++;
}

/* Takes this byte, if it is the next one behind blanks. */
static bool take(struct json_scan *scan, char byte)
{
    skip_blanks(scan);
    if (scan->at == scan->end || *scan->at != byte)
        return false;
    scan->at++;
    return true;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "find_special counts from the low end");

#ifdef __SSE2__
typedef char sixteen __attribute__((vector_size(16)));

/* A bit for each byte that equals one of the two. */
static unsigned find_two(const char *at, char one, char other)
{
    sixteen bytes;
    memcpy(&bytes, at, sizeof bytes);
    return (unsigned)__builtin_ia32_pmovmskb128((sixteen)(bytes == one) |
                                                (sixteen)(bytes == other));
}
#endif

#define ONES  0x0101010101010101U
#define HIGHS 0x8080808080808080U

/* Sets the high bit of each byte that equals `byte`; bytes above such a one may be set, too. */
static uint64_t equal_bytes(uint64_t eight, char byte)
{
    uint64_t apart = eight ^ (ONES * (unsigned char)byte);
    return (apart - ONES) & ~apart & HIGHS;
}

/* The first quote or backslash, or `end`. On little-endian machines (all that the worker is built
 * for) the first of eight bytes is the lowest. */
static const char *find_special(const char *at, const char *end)
{
#ifdef __SSE2__
    for (; end - at >= 16; at += 16) {
        unsigned found = find_two(at, '"', '\\');
        if (found != 0)
            return at + __builtin_ctz(found);
    }
#endif
    for (; end - at >= 8; at += 8) {
        uint64_t eight;
        memcpy(&eight, at, sizeof eight);
        uint64_t found = equal_bytes(eight, '"') | equal_bytes(eight, '\\');
        if (found != 0)
            return at + __builtin_ctzll(found) / 8;
    }
    while (at < end && *at != '"' && *at != '\\')
        at++;
    return at;
}

/* Behind an opening quote: goes behind the closing one. */
static bool skip_string(struct json_scan *scan)
{
    const char *at = find_special(scan->at, scan->end);
    while (at < scan->end && *at == '\\' && scan->end - at >= 2)
        at = find_special(at + 2, scan->end);
    if (at == scan->end || *at != '"')
        return fail(scan);
    scan->at = at + 1;
    return true;
}

/* From an opening bracket: goes behind the closing one. Brackets must match by kind. */
static bool skip_nested(struct json_scan *scan)
{
    char closing[JSON_SCAN_DEPTH_MAX];
    size_t depth = 0;
    while (scan->at < scan->end) {
        char byte = *scan->at++;
        if (byte == '"' && !skip_string(scan))
            return false;
        if (byte == '{' || byte == '[') {
            if (depth + scan->depth >= JSON_SCAN_DEPTH_MAX)
                return fail(scan);
            closing[depth++] = byte == '{' ? '}' : ']';
        }
        if ((byte == '}' || byte == ']') && byte != closing[--depth])
            return fail(scan);
        if (depth == 0)
            return true;
    }
    return fail(scan);
}

static bool is_of_number(char byte)
{
    return (byte >= '0' && byte <= '9') || byte == '-' || byte == '+' || byte == '.' ||
           byte == 'e' || byte == 'E';
}

static bool skip_number(struct json_scan *scan)
{
    const char *begin = scan->at;
    while (scan->at < scan->end && is_of_number(*scan->at))
        scan->at++;
    return scan->at > begin || fail(scan);
}

static bool skip_word(struct json_scan *scan)
{
    if (*scan->at <= '9')
        return skip_number(scan);
    static const struct slice WORDS[] = {{"true", 4}, {"false", 5}, {"null", 4}};
    struct slice rest = slice_of(scan->at, (size_t)(scan->end - scan->at));
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        if (slice_starts(rest, WORDS[i])) {
            scan->at += WORDS[i].len;
            return true;
        }
    }
    return skip_number(scan);
}

void json_scan_begin(struct json_scan *scan, struct slice text)
{
    *scan = (struct json_scan){.at = text.ptr, .end = text.ptr + text.len};
    if (text.len == 0 || !json_scan_enter(scan))
        scan->failed = true;
}

bool json_scan_next(struct json_scan *scan, struct slice *ret_name)
{
    if (scan->failed || scan->depth == 0)
        return fail(scan);
    if (take(scan, '}')) {
        scan->depth--;
        scan->has_members = true; /* of the parent: this one */
        return false;
    }
    if (scan->has_members && !take(scan, ','))
        return fail(scan);
    scan->has_members = true;
    if (!take(scan, '"'))
        return fail(scan);
    const char *name = scan->at;
    if (!skip_string(scan))
        return false;
    *ret_name = slice_of(name, (size_t)(scan->at - name) - 1);
    return take(scan, ':') || fail(scan);
}

bool json_scan_string(struct json_scan *scan, struct slice *ret_text)
{
    skip_blanks(scan);
    if (scan->failed || scan->at == scan->end || *scan->at != '"')
        return false;
    const char *begin = scan->at + 1, *last = find_special(begin, scan->end);
    if (last == scan->end || *last != '"')
        return false;
    *ret_text = slice_of(begin, (size_t)(last - begin));
    scan->at = last + 1;
    return true;
}

bool json_scan_value(struct json_scan *scan, struct slice *ret_value)
{
    skip_blanks(scan);
    if (scan->failed || scan->at == scan->end)
        return fail(scan);
    const char *begin = scan->at;
    bool is_good = false;
    if (*begin == '"') {
        scan->at++;
        is_good = skip_string(scan);
    } else if (*begin == '{' || *begin == '[')
        is_good = skip_nested(scan);
    else
        is_good = skip_word(scan);
    *ret_value = slice_of(begin, (size_t)(scan->at - begin));
    return is_good;
}

bool json_scan_enter(struct json_scan *scan)
{
    if (scan->failed || scan->depth >= JSON_SCAN_DEPTH_MAX || !take(scan, '{'))
        return false;
    scan->depth++;
    scan->has_members = false;
    return true;
}

bool json_scan_is_whole(const struct json_scan *scan)
{
    struct json_scan rest = *scan;
    skip_blanks(&rest);
    return !scan->failed && scan->depth == 0 && rest.at == rest.end;
}

bool json_scan_plain(struct slice value, struct slice *ret_text)
{
    if (value.len < 2 || value.ptr[0] != '"')
        return false;
    const char *last = value.ptr + value.len - 1;
    if (find_special(value.ptr + 1, last) != last)
        return false;
    *ret_text = slice_of(value.ptr + 1, value.len - 2);
    return true;
}
