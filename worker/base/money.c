#include "base/money.h"

#include <string.h>

#include "base/check.h"

#define SUM_TEXT_MAX    (39 + 1) /* of the largest sum */
#define MONEY_ONE       INT64_C(1000000000000)
#define MONEY_PRICE_ONE INT64_C(1000000)
#define EXPONENT_MAX    1000
#define DIGITS_SAFE     18 /* so many decimal digits fit into 64 bits */

static const int64_t POWERS[DIGITS_SAFE + 1] = {1,
                                                10,
                                                100,
                                                1000,
                                                10000,
                                                100000,
                                                1000000,
                                                10000000,
                                                100000000,
                                                1000000000,
                                                10000000000,
                                                100000000000,
                                                1000000000000,
                                                10000000000000,
                                                100000000000000,
                                                1000000000000000,
                                                10000000000000000,
                                                100000000000000000,
                                                1000000000000000000};

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* ---- reading ---- */

/* A decimal being read from left to right: value = digits * 10^exponent. */
struct decimal {
    struct slice rest;
    int64_t digits;
    int exponent;
    size_t count;     /* of digits */
    size_t decimals;  /* of them, behind the point; without zeros at the end */
    bool is_too_long; /* for 64 bits */
};

/* Zeros at the end of a fraction add nothing, and must not overflow. */
static size_t without_zeros(struct slice digits)
{
    while (digits.len > 0 && digits.ptr[digits.len - 1] == '0')
        digits.len--;
    return digits.len;
}

static size_t run_of_digits(struct slice text)
{
    size_t len = 0;
    while (len < text.len && is_digit(text.ptr[len]))
        len++;
    return len;
}

static void take_digits(struct decimal *decimal, struct slice digits)
{
    if (decimal->digits == 0 && digits.len <= DIGITS_SAFE && !decimal->is_too_long) {
        int64_t value = 0;
        for (size_t i = 0; i < digits.len; i++)
            value = value * 10 + (digits.ptr[i] - '0');
        decimal->digits = value;
        return;
    }
    for (size_t i = 0; i < digits.len && !decimal->is_too_long; i++)
        decimal->is_too_long =
            __builtin_mul_overflow(decimal->digits, 10, &decimal->digits) ||
            __builtin_add_overflow(decimal->digits, digits.ptr[i] - '0', &decimal->digits);
}

/* Reads `12` or `12.5`; false: it does not begin with such a number. What follows is in `rest`. */
static bool decimal_read(struct slice text, struct decimal *ret)
{
    *ret = (struct decimal){.rest = text};
    size_t whole = run_of_digits(text);
    take_digits(ret, slice_sub(text, 0, whole));
    ret->count = whole;
    ret->rest = slice_sub(text, whole, SIZE_MAX);
    if (ret->rest.len > 0 && ret->rest.ptr[0] == '.') {
        struct slice behind = slice_sub(ret->rest, 1, SIZE_MAX);
        size_t all = run_of_digits(behind);
        ret->decimals = without_zeros(slice_sub(behind, 0, all));
        take_digits(ret, slice_sub(behind, 0, ret->decimals));
        ret->exponent = -(int)(ret->decimals < EXPONENT_MAX ? ret->decimals : EXPONENT_MAX);
        ret->rest = slice_sub(behind, all, SIZE_MAX);
        return whole > 0 && all > 0;
    }
    return whole > 0;
}

/* digits * 10^(exponent + shift), if it is whole and fits. */
static bool decimal_scaled(const struct decimal *decimal, int shift, int64_t *ret)
{
    int64_t value = decimal->digits;
    int exponent = decimal->exponent + shift;
    if (value != 0 && exponent > DIGITS_SAFE)
        return false;
    if (value != 0 && exponent > 0 && __builtin_mul_overflow(value, POWERS[exponent], &value))
        return false;
    for (; value != 0 && exponent < 0; exponent++) {
        if (value % 10 != 0)
            return false;
        value /= 10;
    }
    *ret = value;
    return true;
}

const char *money_price_fault(struct slice text, int64_t *ret_price)
{
    struct decimal decimal;
    if (text.len > 0 && text.ptr[0] == '-')
        return "is negative; a price is 0 or more";
    bool is_one = decimal_read(text, &decimal);
    if (is_one && decimal.rest.len > 0 &&
        (decimal.rest.ptr[0] == 'e' || decimal.rest.ptr[0] == 'E'))
        return "has an exponent; write the price for a million tokens in digits, such as 0.0375";
    if (!is_one || decimal.rest.len > 0)
        return "is not a price; write the price for a million tokens in digits, such as 3 or "
               "0.0375";
    if (decimal.decimals > MONEY_PRICE_DECIMALS)
        return "has more than 6 decimals; a price for a million tokens has at most 6";
    int64_t price;
    if (decimal.is_too_long || !decimal_scaled(&decimal, MONEY_PRICE_DECIMALS, &price) ||
        price > MONEY_PRICE_MAX)
        return "is above 1000000; write the price for a million tokens";
    *ret_price = price;
    return NULL;
}

/* Amounts as the worker writes them, without a look at what is rare. False: any other text. */
static bool read_short_amount(struct slice text, int64_t *ret_amount)
{
    int64_t digits = 0, value;
    size_t at = 0, point = text.len;
    if (text.len > DIGITS_SAFE)
        return false;
    for (; at < text.len && (is_digit(text.ptr[at]) || (text.ptr[at] == '.' && point == text.len));
         at++) {
        if (text.ptr[at] == '.')
            point = at;
        else
            digits = digits * 10 + (text.ptr[at] - '0');
    }
    size_t decimals = point < text.len ? text.len - point - 1 : 0;
    if (at < text.len || point == 0 || (point < text.len && decimals == 0) ||
        decimals > MONEY_AMOUNT_DECIMALS ||
        __builtin_mul_overflow(digits, POWERS[MONEY_AMOUNT_DECIMALS - decimals], &value))
        return false;
    *ret_amount = value;
    return true;
}

bool money_read_amount(struct slice text, int64_t *ret_amount)
{
    struct decimal decimal;
    if (read_short_amount(text, ret_amount))
        return true;
    return decimal_read(text, &decimal) && decimal.rest.len == 0 && !decimal.is_too_long &&
           decimal.decimals <= MONEY_AMOUNT_DECIMALS &&
           decimal_scaled(&decimal, MONEY_AMOUNT_DECIMALS, ret_amount);
}

/* Reads `e-05` to the end. */
static bool read_exponent(struct slice text, int *exponent)
{
    int64_t value = 0;
    bool is_marked = text.len > 1 && (text.ptr[0] == 'e' || text.ptr[0] == 'E');
    struct slice number = slice_sub(text, 1, SIZE_MAX);
    if (number.len > 1 && number.ptr[0] == '+' && is_digit(number.ptr[1]))
        number = slice_sub(number, 1, SIZE_MAX);
    if (!is_marked || !slice_to_int64(number, &value) || value < -EXPONENT_MAX ||
        value > EXPONENT_MAX)
        return false;
    *exponent += (int)value;
    return true;
}

bool money_read_number(struct slice text, int shift, int64_t *ret_units)
{
    struct decimal decimal;
    CHECK(shift >= -EXPONENT_MAX && shift <= EXPONENT_MAX);
    if (!decimal_read(text, &decimal) || decimal.is_too_long)
        return false;
    if (decimal.rest.len > 0 && !read_exponent(decimal.rest, &decimal.exponent))
        return false;
    return decimal_scaled(&decimal, shift + MONEY_AMOUNT_DECIMALS, ret_units);
}

/* ---- printing ---- */

/* Divides by ten, and returns what is left over. */
static unsigned divide(struct money_sum *sum)
{
    uint64_t parts[] = {sum->high >> 32, sum->high & UINT32_MAX, sum->low >> 32,
                        sum->low & UINT32_MAX};
    uint64_t over = 0;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        uint64_t part = over << 32 | parts[i];
        parts[i] = part / 10;
        over = part % 10;
    }
    *sum = (struct money_sum){parts[0] << 32 | parts[1], parts[2] << 32 | parts[3]};
    return (unsigned)over;
}

/* Writes units of which 10^decimals are one, from the end of a room; returns where it begins. */
static char *write_back(char *end, int64_t units, int64_t one, int decimals)
{
    CHECK(units >= 0);
    uint64_t whole = (uint64_t)units / (uint64_t)one, fraction = (uint64_t)units % (uint64_t)one;
    char *at = end;
    if (fraction != 0) {
        for (; fraction % 10 == 0; fraction /= 10)
            decimals--;
        for (; decimals > 0; decimals--, fraction /= 10)
            *--at = (char)('0' + fraction % 10);
        *--at = '.';
    }
    do
        *--at = (char)('0' + whole % 10);
    while ((whole /= 10) != 0);
    return at;
}

size_t money_write_amount(char ret_text[MONEY_TEXT_MAX], int64_t amount)
{
    char room[MONEY_TEXT_MAX], *end = room + sizeof room;
    const char *at = write_back(end, amount, MONEY_ONE, MONEY_AMOUNT_DECIMALS);
    size_t len = (size_t)(end - at);
    memcpy(ret_text, at, len);
    return len;
}

void money_add_amount(struct buf *buf, int64_t amount)
{
    char text[MONEY_TEXT_MAX];
    buf_add(buf, slice_of(text, money_write_amount(text, amount)));
}

void money_add_price(struct buf *buf, int64_t price)
{
    char room[MONEY_TEXT_MAX], *end = room + sizeof room;
    const char *at = write_back(end, price, MONEY_PRICE_ONE, MONEY_PRICE_DECIMALS);
    buf_add(buf, slice_of(at, (size_t)(end - at)));
}

void money_add_sum(struct buf *buf, const struct money_sum *sum)
{
    char room[SUM_TEXT_MAX];
    struct money_sum rest = *sum;
    size_t at = sizeof room;
    bool is_begun = false; /* a digit other than 0 came: what follows is written */
    for (int place = 0; rest.high != 0 || rest.low != 0 || place <= MONEY_AMOUNT_DECIMALS;
         place++) {
        unsigned digit = divide(&rest);
        if (place == MONEY_AMOUNT_DECIMALS && is_begun)
            room[--at] = '.';
        is_begun = is_begun || digit != 0 || place >= MONEY_AMOUNT_DECIMALS;
        if (is_begun)
            room[--at] = (char)('0' + digit);
    }
    buf_add(buf, slice_of(room + at, sizeof room - at));
}

/* ---- sums ---- */

bool money_add_times(int64_t *amount, int64_t count, int64_t price)
{
    int64_t product, total;
    if (count < 0 || price < 0 || __builtin_mul_overflow(count, price, &product) ||
        __builtin_add_overflow(*amount, product, &total))
        return false;
    *amount = total;
    return true;
}

void money_sum_add(struct money_sum *sum, int64_t amount)
{
    CHECK(amount >= 0);
    sum->high += __builtin_add_overflow(sum->low, (uint64_t)amount, &sum->low);
}

void money_sum_add_sum(struct money_sum *sum, const struct money_sum *other)
{
    sum->high += other->high + __builtin_add_overflow(sum->low, other->low, &sum->low);
}

/* ---- currencies ---- */

bool money_is_currency(struct slice code)
{
    /* ISO 4217, active codes of countries' currencies, 2026-01 */
    static const char CODES[] =
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN "
        "BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP "
        "GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS "
        "KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR "
        "MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD "
        "RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP "
        "TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW";
    struct slice codes = slice_of(CODES, sizeof CODES - 1);
    for (size_t at = 0; at < codes.len; at += MONEY_CURRENCY_LEN + 1)
        if (slice_equal(slice_sub(codes, at, MONEY_CURRENCY_LEN), code))
            return true;
    return false;
}
