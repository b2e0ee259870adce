#include "wire/formats/json_number.h"

#include "base/check.h"

#define EXPONENT_MAX INT64_C(1000000000000) /* far above the length of any text */

/* The digits of a number from its first that is not 0 to its last. */
struct number {
    bool is_negative, is_zero;
    const char *first, *end; /* of them, with a point between */
    int64_t top, low;        /* the powers of ten of the first and the last */
};

static int64_t exponent_of(struct slice text)
{
    int64_t value = 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= '0' && text.ptr[i] <= '9' && value < EXPONENT_MAX)
            value = value * 10 + (text.ptr[i] - '0');
    return text.len > 0 && text.ptr[0] == '-' ? -value : value;
}

static struct number read(const struct json *node)
{
    struct slice text = node->source;
    struct number number = {.is_negative = text.ptr[0] == '-', .is_zero = true};
    size_t end = 0;
    while (end < text.len && text.ptr[end] != 'e' && text.ptr[end] != 'E')
        end++;
    int64_t power = exponent_of(slice_sub(text, end + 1, SIZE_MAX));
    size_t point = slice_find(slice_sub(text, 0, end), '.');
    /* of the digit at 0, if it is one */
    power += (int64_t)point - 1;
    for (size_t i = 0; i < end; i++, power--) {
        char byte = text.ptr[i];
        power += i == point; /* a point takes no place */
        if (byte < '1' || byte > '9')
            continue;
        if (number.is_zero) {
            number.first = text.ptr + i;
            number.top = power;
        }
        number.is_zero = false;
        number.end = text.ptr + i + 1;
        number.low = power;
    }
    return number;
}

static int sign_of(const struct number *number)
{
    return number->is_zero ? 0 : number->is_negative ? -1 : 1;
}

/* The digit at `at`, or 0 behind the last; moves on. */
static char next_digit(const struct number *number, const char **at)
{
    if (*at < number->end && **at == '.')
        (*at)++;
    return *at < number->end ? *(*at)++ : '0';
}

static int compare_sizes(const struct number *a, const struct number *b)
{
    const char *at_a = a->first, *at_b = b->first;
    if (a->top != b->top)
        return a->top < b->top ? -1 : 1;
    while (at_a < a->end || at_b < b->end) {
        char digit_a = next_digit(a, &at_a), digit_b = next_digit(b, &at_b);
        if (digit_a != digit_b)
            return digit_a < digit_b ? -1 : 1;
    }
    return 0;
}

int json_number_compare(const struct json *a, const struct json *b)
{
    CHECK(a->kind == JSON_NUMBER && b->kind == JSON_NUMBER);
    struct number number_a = read(a), number_b = read(b);
    int sign_a = sign_of(&number_a), sign_b = sign_of(&number_b);
    if (sign_a != sign_b)
        return sign_a < sign_b ? -1 : 1;
    return sign_a == 0 ? 0 : sign_a * compare_sizes(&number_a, &number_b);
}

bool json_number_is_whole(const struct json *node)
{
    CHECK(node->kind == JSON_NUMBER);
    struct number number = read(node);
    return number.is_zero || number.low >= 0;
}
