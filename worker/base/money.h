/* Money as whole numbers, so that every sum is exact: no double is used anywhere. The unit is 10⁻¹²
 * of a currency. A price for a million tokens with at most six decimals is then a whole number of
 * units for one token. An amount (64 bits) holds 9.2 million of a currency, a sum (128 bits) any
 * number of amounts. Amounts are never negative. Nothing here allocates; only a buf can fail. */
#ifndef BASE_MONEY_H
#define BASE_MONEY_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/slice.h"

#define MONEY_PRICE_DECIMALS  6
#define MONEY_AMOUNT_DECIMALS 12
#define MONEY_PRICE_MAX       INT64_C(1000000000000) /* a million for a million tokens */
#define MONEY_CURRENCY_LEN    3

/* Reads a price for a million tokens, such as `3` or `0.0375`, as units for one token. NULL: it is
 * one; else what is wrong and what to write: a sign, an exponent, more than six decimals, or more
 * than MONEY_PRICE_MAX. */
const char *money_price_fault(struct slice text, int64_t *ret_price);
/* Reads an amount as money_add_amount writes it, or with more zeros. False when `text` is none. */
MUST_CHECK bool money_read_amount(struct slice text, int64_t *ret_amount);
/* Reads a number as JSON writes it, `1.25e-05`, digit by digit, times 10 to the power `shift`, in
 * whole units. False: it is negative, no number, above INT64_MAX, or has a fraction of a unit. */
MUST_CHECK bool money_read_number(struct slice text, int shift, int64_t *ret_units);

#define MONEY_TEXT_MAX 24 /* of an amount, without a NUL */

/* Writes an amount as money_add_amount does; returns its length. */
size_t money_write_amount(char ret_text[MONEY_TEXT_MAX], int64_t amount);
/* Append a decimal without needless zeros: an amount `0.000123`, a price for a million tokens `3`.
 */
void money_add_amount(struct buf *buf, int64_t amount);
void money_add_price(struct buf *buf, int64_t price);

/* Adds `count` times `price` to *amount. False, and *amount is unchanged: the sum is above
 * INT64_MAX, or one of them is negative. */
MUST_CHECK bool money_add_times(int64_t *amount, int64_t count, int64_t price);

/* A sum of amounts; zeroed = 0. */
struct money_sum {
    uint64_t high, low;
};

/* Adds an amount, which is not negative (CHECKed), or another sum. */
void money_sum_add(struct money_sum *sum, int64_t amount);
void money_sum_add_sum(struct money_sum *sum, const struct money_sum *other);
/* Appends it as money_add_amount does. */
void money_add_sum(struct buf *buf, const struct money_sum *sum);

/* A code of ISO 4217 that is in use, such as USD? */
bool money_is_currency(struct slice code);

#define MONEY_PRICES_MAX 40 /* the name of a version of prices, with its NUL */

/* What a call cost. */
struct money_cost {
    bool is_known; /* else the rest means nothing */
    char currency[MONEY_CURRENCY_LEN + 1];
    char prices[MONEY_PRICES_MAX]; /* the version of the prices */
    int64_t input, output, cache_read, cache_write;
    int64_t amount; /* their sum */
};

#endif
