#include "app/settings/pairs.h"

#include <string.h>

#define RATIO_DIGITS_MAX 9

/* ---- lists of name=value ---- */

static int digit_of(char letter)
{
    if (letter >= '0' && letter <= '9')
        return letter - '0';
    letter = (char)(letter | 0x20);
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

void pairs_add_decoded(struct buf *buf, struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        bool is_coded = value.ptr[i] == '%' && i + 2 < value.len &&
                        digit_of(value.ptr[i + 1]) >= 0 && digit_of(value.ptr[i + 2]) >= 0;
        if (!is_coded) {
            buf_add_byte(buf, value.ptr[i]);
            continue;
        }
        buf_add_byte(buf, (char)(digit_of(value.ptr[i + 1]) * 16 + digit_of(value.ptr[i + 2])));
        i += 2;
    }
}

bool pairs_next(struct slice *list, struct slice *ret_name, struct slice *ret_value,
                bool *ret_is_wrong)
{
    struct slice pair = SLICE("");
    while (list->len > 0 && pair.len == 0) {
        size_t comma = slice_find(*list, ',');
        pair = slice_trim(slice_sub(*list, 0, comma));
        *list = slice_sub(*list, comma + 1, list->len);
    }
    if (pair.len == 0)
        return false;
    size_t equals = slice_find(pair, '=');
    *ret_name = slice_trim(slice_sub(pair, 0, equals));
    *ret_value = slice_trim(slice_sub(pair, equals + 1, pair.len));
    *ret_is_wrong = equals == pair.len || ret_name->len == 0;
    return !*ret_is_wrong;
}

static bool is_header_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] <= ' ' || name.ptr[i] > '~' ||
            memchr("()<>@,;:\\\"/[]?={}", name.ptr[i], 17) != NULL)
            return false;
    return true;
}

bool pairs_is_header_value(struct slice value)
{
    for (size_t i = 0; i < value.len; i++)
        if ((value.ptr[i] >= 0 && value.ptr[i] < ' ') || value.ptr[i] == 0x7f)
            return false;
    return true;
}

bool pairs_add_headers(struct slice list, struct buf *headers)
{
    struct slice name, value;
    bool is_wrong = false;
    while (pairs_next(&list, &name, &value, &is_wrong)) {
        buf_add(headers, name);
        buf_add_text(headers, ": ");
        size_t from = headers->len;
        pairs_add_decoded(headers, value);
        if (headers->failed != OK || !is_header_name(name) ||
            !pairs_is_header_value(slice_sub(buf_slice(headers), from, headers->len)))
            return false;
        buf_add_text(headers, "\r\n");
    }
    return !is_wrong && headers->failed == OK;
}

/* ---- numbers ---- */

bool pairs_read_ratio(struct slice text, double *ret_ratio)
{
    int64_t whole, part = 0;
    double scale = 1;
    size_t dot = slice_find(text, '.');
    struct slice digits = slice_sub(text, dot + 1, text.len);
    if (text.len == 0 || text.ptr[0] == '-' || !slice_to_int64(slice_sub(text, 0, dot), &whole))
        return false;
    if (dot < text.len && (digits.len == 0 || digits.len > RATIO_DIGITS_MAX ||
                           digits.ptr[0] == '-' || !slice_to_int64(digits, &part)))
        return false;
    for (size_t i = 0; dot < text.len && i < digits.len; i++)
        scale *= 10;
    double ratio = (double)whole + (double)part / scale;
    if (ratio > 1)
        return false;
    *ret_ratio = ratio;
    return true;
}
