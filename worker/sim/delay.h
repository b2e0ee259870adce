/* Delays and the other numbers of the settings: `250ms` is fixed, `uniform(100ms, 300ms)` is even
 * between two, `lognormal(800ms, 0.5)` has that median and that sigma of its logarithm: the shape
 * of real models' answers. Drawn from a seeded generator. */
#ifndef SIM_DELAY_H
#define SIM_DELAY_H

#include "base/attr.h"
#include "base/random.h"
#include "base/slice.h"

#define DELAY_MS_MAX 86400000 /* a day; longer draws are cut to it */

enum delay_kind { DELAY_UNSET, DELAY_FIXED, DELAY_UNIFORM, DELAY_LOGNORMAL };

struct delay {
    enum delay_kind kind;
    int64_t from_ms; /* fixed: the delay; lognormal: its median */
    int64_t to_ms;   /* uniform */
    double sigma;    /* lognormal, 0 to 5 */
};

MUST_CHECK bool delay_read(struct slice text, struct delay *ret_delay);
/* Milliseconds; 0 when unset. */
int64_t delay_draw(const struct delay *delay, struct random *random);
/* Even in [0, 1). */
double chance_draw(struct random *random);

/* A duration as in all settings (yaml/units.h), at most a day; `-5m` too when `signed_too`. */
MUST_CHECK bool span_read(struct slice text, bool signed_too, int64_t *ret_ms);
/* A plain decimal number: digits, a point, an exponent never. */
MUST_CHECK bool number_read(struct slice text, double *ret_value);

#endif
