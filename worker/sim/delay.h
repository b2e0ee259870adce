/* Delays and other numbers of the settings. `250ms` is fixed. `uniform(100ms, 300ms)` is evenly
 * distributed between both. `lognormal(800ms, 0.5)` has this median, and this standard deviation of
 * its logarithm: the distribution of real models' latencies. The same seed draws the same delays.
 */
#ifndef SIM_DELAY_H
#define SIM_DELAY_H

#include "base/attr.h"
#include "base/random.h"
#include "base/slice.h"

#define DELAY_MS_MAX 86400000 /* a day; longer draws are clipped to it */

enum delay_kind { DELAY_UNSET, DELAY_FIXED, DELAY_UNIFORM, DELAY_LOGNORMAL };

struct delay {
    enum delay_kind kind;
    int64_t from_ms; /* fixed: the delay; lognormal: its median */
    int64_t to_ms;   /* uniform */
    double sigma;    /* lognormal, 0 to 5 */
};

/* Reads a delay; false when `text` is none. */
MUST_CHECK bool delay_read(struct slice text, struct delay *ret_delay);
/* Draws a delay in milliseconds; 0 when it is unset. */
int64_t delay_draw(const struct delay *delay, struct random *random);
/* Draws a number in [0, 1), all equally likely. */
double chance_draw(struct random *random);

/* Reads a duration as in all settings (yaml/units.h), at most a day; with `may_be_negative` also
 * `-5m`. False when `text` is none. */
MUST_CHECK bool span_read(struct slice text, bool may_be_negative, int64_t *ret_ms);
/* Reads a decimal number, with a point but without an exponent. False when `text` is none. */
MUST_CHECK bool number_read(struct slice text, double *ret_value);

#endif
