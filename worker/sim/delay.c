#include "sim/delay.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "yaml/units.h"

#define NUMBER_TEXT_MAX 32
#define SIGMA_MAX       5.0
#define TWO_PI          6.283185307179586

bool number_read(struct slice text, double *ret_value)
{
    char copy[NUMBER_TEXT_MAX];
    bool has_digit = false;
    if (text.len == 0 || text.len >= sizeof copy)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        bool is_digit = byte >= '0' && byte <= '9';
        has_digit = has_digit || is_digit;
        if (!is_digit && byte != '.' && !(byte == '-' && i == 0))
            return false;
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    char *end = NULL;
    double value = strtod(copy, &end);
    if (!has_digit || *end != '\0')
        return false;
    *ret_value = value;
    return true;
}

bool span_read(struct slice text, bool signed_too, int64_t *ret_ms)
{
    int64_t ms = 0;
    bool is_negative = signed_too && slice_starts(text, SLICE("-"));
    if (!units_read_span(slice_sub(text, is_negative ? 1 : 0, text.len), &ms) || ms > DELAY_MS_MAX)
        return false;
    *ret_ms = is_negative ? -ms : ms;
    return true;
}

/* Splits `name(first, second)`. */
static bool read_pair(struct slice text, struct slice name, struct slice *ret_first,
                      struct slice *ret_second)
{
    if (!slice_starts(text, name) || !slice_ends(text, SLICE(")")))
        return false;
    struct slice inside = slice_sub(text, name.len, text.len - name.len - 1);
    size_t comma = slice_find(inside, ',');
    if (comma == inside.len)
        return false;
    *ret_first = slice_trim(slice_sub(inside, 0, comma));
    *ret_second = slice_trim(slice_sub(inside, comma + 1, inside.len));
    return true;
}

bool delay_read(struct slice text, struct delay *ret_delay)
{
    struct delay delay = {.kind = DELAY_FIXED};
    struct slice first, second;
    bool good;
    text = slice_trim(text);
    if (read_pair(text, SLICE("uniform("), &first, &second)) {
        delay.kind = DELAY_UNIFORM;
        good = span_read(first, false, &delay.from_ms) && span_read(second, false, &delay.to_ms) &&
               delay.from_ms <= delay.to_ms;
    } else if (read_pair(text, SLICE("lognormal("), &first, &second)) {
        delay.kind = DELAY_LOGNORMAL;
        good = span_read(first, false, &delay.from_ms) && number_read(second, &delay.sigma) &&
               delay.sigma >= 0 && delay.sigma <= SIGMA_MAX;
    } else {
        good = span_read(text, false, &delay.from_ms);
    }
    if (good)
        *ret_delay = delay;
    return good;
}

double chance_draw(struct random *random)
{
    return (double)(random_next(random) >> 11) * 0x1p-53;
}

/* Draws a standard normal number (Box-Muller); 1 - chance keeps the logarithm finite. */
static double normal_draw(struct random *random)
{
    double radius = sqrt(-2.0 * log(1.0 - chance_draw(random)));
    return radius * cos(TWO_PI * chance_draw(random));
}

int64_t delay_draw(const struct delay *delay, struct random *random)
{
    double ms;
    switch (delay->kind) {
    case DELAY_FIXED:
        return delay->from_ms;
    case DELAY_UNIFORM:
        return delay->from_ms +
               (int64_t)random_below(random, (uint64_t)(delay->to_ms - delay->from_ms) + 1);
    case DELAY_LOGNORMAL:
        ms = (double)delay->from_ms * exp(delay->sigma * normal_draw(random));
        return ms < DELAY_MS_MAX ? (int64_t)ms : DELAY_MS_MAX;
    case DELAY_UNSET:
    default:
        return 0;
    }
}
