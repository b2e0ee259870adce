#include "yaml/units.h"

#include <string.h>

#define FRACTION_DIGITS_MAX 9 /* further digits are less than a millisecond */

struct unit {
    const char *name;
    int64_t factor;
    const char *word; /* the full name, of which people write the beginning */
};

/* The order of printing: the largest unit that gives a whole number wins. */
static const struct unit SPANS[] = {
    {"d", 86400000, "days"}, {"h", 3600000, "hours"},   {"m", 60000, "minutes"},
    {"s", 1000, "seconds"},  {"ms", 1, "milliseconds"}, {"ms", 1, "msecs"},
};
static const struct unit SIZES[] = {
    {"GiB", 1 << 30, "GiB"},  {"MiB", 1 << 20, "MiB"}, {"KiB", 1 << 10, "KiB"},
    {"GB", 1000000000, "GB"}, {"MB", 1000000, "MB"},   {"kB", 1000, "kB"},
    {"KB", 1000, "KB"},       {"B", 1, "bytes"},
};

static bool is_name_byte(char byte, bool is_first)
{
    bool is_letter = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '_';
    return is_letter || (!is_first && byte >= '0' && byte <= '9');
}

/* The value of NAME_FILE; NULL = it is not set. */
static const char *file_of(const struct environment *environment, const char *name)
{
    char file_name[UNITS_NAME_MAX + sizeof "_FILE"];
    size_t len = strlen(name);
    memcpy(file_name, name, len);
    memcpy(file_name + len, "_FILE", sizeof "_FILE");
    const char *file =
        environment->add_file == NULL ? NULL : environment->get(environment->self, file_name);
    return file == NULL || file[0] == '\0' ? NULL : file;
}

/* Adds the value of the text between `${` and `}`. */
static enum err add_variable(struct buf *buf, struct slice inside,
                             const struct environment *environment, char *ret_name)
{
    size_t len = 0;
    while (len < inside.len && is_name_byte(inside.ptr[len], len == 0))
        len++;
    struct slice rest = slice_sub(inside, len, inside.len);
    bool has_default = slice_starts(rest, SLICE(":-"));
    for (size_t i = 0; i + 1 < rest.len; i++) {
        if (slice_starts(slice_sub(rest, i, rest.len), SLICE("${")))
            return ERR_FORMAT; /* the outer one would end at the inner brace */
    }
    if (len == 0 || len >= UNITS_NAME_MAX || (rest.len > 0 && !has_default))
        return ERR_FORMAT;
    memcpy(ret_name, inside.ptr, len);
    ret_name[len] = '\0';
    const char *value = environment->get(environment->self, ret_name);
    const char *file = file_of(environment, ret_name);
    if (file != NULL && value != NULL && value[0] != '\0')
        return ERR_INVALID;
    if (file != NULL)
        return environment->add_file(environment->self, file, buf);
    if (value != NULL && (value[0] != '\0' || !has_default))
        buf_add_text(buf, value);
    else if (has_default)
        buf_add(buf, slice_sub(rest, 2, rest.len));
    else
        return ERR_NOT_FOUND;
    return OK;
}

enum err units_add_expanded(struct buf *buf, struct slice text,
                            const struct environment *environment, char ret_name[UNITS_NAME_MAX])
{
    ret_name[0] = '\0';
    size_t at = 0;
    while (at < text.len) {
        struct slice rest = slice_sub(text, at, text.len);
        if (slice_starts(rest, SLICE("${"))) {
            size_t end = slice_find(rest, '}');
            if (end == rest.len)
                return ERR_FORMAT;
            enum err err = add_variable(buf, slice_sub(rest, 2, end - 2), environment, ret_name);
            if (err != OK)
                return err;
            at += end + 1;
            continue;
        }
        size_t step = slice_starts(rest, SLICE("$$")) ? 2 : 1;
        buf_add_byte(buf, rest.ptr[0]);
        at += step;
    }
    return buf->failed;
}

/* Removes the digits at the front of *text and returns them. */
static struct slice take_digits(struct slice *text)
{
    size_t len = 0;
    while (len < text->len && text->ptr[len] >= '0' && text->ptr[len] <= '9')
        len++;
    struct slice digits = slice_sub(*text, 0, len);
    *text = slice_sub(*text, len, text->len);
    return digits;
}

/* The value of the decimals after the point, in the smallest unit; cuts the rest. */
static int64_t fraction_of(struct slice digits, int64_t factor)
{
    int64_t sum = 0, scale = 1;
    for (size_t i = 0; i < digits.len && i < FRACTION_DIGITS_MAX; i++) {
        sum = sum * 10 + (digits.ptr[i] - '0');
        scale *= 10;
    }
    return sum * factor / scale;
}

/* Removes one part such as `5m` or `1.5s` from the front of *text and reads it. Its factor must be
 * below *last_factor, and replaces it. */
static bool take_span(struct slice *text, int64_t *last_factor, int64_t *ret_ms)
{
    struct slice whole = take_digits(text), fraction = SLICE("");
    if (slice_starts(*text, SLICE("."))) {
        *text = slice_sub(*text, 1, text->len);
        fraction = take_digits(text);
        if (fraction.len == 0)
            return false;
    }
    size_t len = 0;
    while (len < text->len && text->ptr[len] >= 'a' && text->ptr[len] <= 'z')
        len++;
    int64_t number = 0, factor = 0;
    for (size_t i = 0; i < COUNT_OF(SPANS); i++) {
        if (slice_equal_text(slice_sub(*text, 0, len), SPANS[i].name))
            factor = SPANS[i].factor;
    }
    *text = slice_sub(*text, len, text->len);
    if (factor == 0 || factor >= *last_factor || !slice_to_int64(whole, &number) ||
        __builtin_mul_overflow(number, factor, &number) ||
        __builtin_add_overflow(number, fraction_of(fraction, factor), ret_ms))
        return false;
    *last_factor = factor;
    return true;
}

bool units_read_span(struct slice text, int64_t *ret_ms)
{
    int64_t sum = 0, part = 0, last_factor = INT64_MAX;
    bool is_one = text.len > 0;
    if (slice_equal_text(text, "0")) {
        *ret_ms = 0;
        return true;
    }
    while (is_one && text.len > 0)
        is_one = take_span(&text, &last_factor, &part) && !__builtin_add_overflow(sum, part, &sum);
    if (is_one)
        *ret_ms = sum;
    return is_one;
}

bool units_read_size(struct slice text, int64_t *ret_bytes)
{
    int64_t number = 0;
    if (!slice_to_int64(take_digits(&text), &number))
        return false;
    int64_t factor = text.len == 0 ? 1 : 0;
    for (size_t i = 0; i < COUNT_OF(SIZES); i++) {
        if (slice_equal_text(text, SIZES[i].name))
            factor = SIZES[i].factor;
    }
    if (factor == 0 || __builtin_mul_overflow(number, factor, &number))
        return false;
    *ret_bytes = number;
    return true;
}

static void add_in_units(struct buf *buf, int64_t value, const struct unit *units, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (value != 0 && value % units[i].factor == 0) {
            buf_add_int(buf, value / units[i].factor);
            buf_add_text(buf, units[i].name);
            return;
        }
    }
    buf_add_byte(buf, '0');
}

void units_add_span(struct buf *buf, int64_t ms)
{
    add_in_units(buf, ms, SPANS, COUNT_OF(SPANS));
}

void units_add_size(struct buf *buf, int64_t bytes)
{
    add_in_units(buf, bytes, SIZES, COUNT_OF(SIZES));
}

/* Reads a whole number and the beginning of a unit's full name; blanks and case do not count. */
static bool add_meant(struct buf *buf, struct slice text, const struct unit *units, size_t count)
{
    text = slice_trim(text);
    struct slice digits = take_digits(&text);
    struct slice word = slice_trim(text);
    for (size_t i = 0; i < count && digits.len > 0 && word.len > 0; i++) {
        struct slice full = slice_of_text(units[i].word);
        if (!slice_equal_nocase(slice_sub(full, 0, word.len), word))
            continue;
        buf_add(buf, digits);
        buf_add_text(buf, units[i].name);
        return true;
    }
    return false;
}

bool units_add_meant_span(struct buf *buf, struct slice text)
{
    return add_meant(buf, text, SPANS, COUNT_OF(SPANS));
}

bool units_add_meant_size(struct buf *buf, struct slice text)
{
    return add_meant(buf, text, SIZES, COUNT_OF(SIZES));
}
