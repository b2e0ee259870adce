/* Refusals at random: a service that refuses a part of all calls, whatever their rate. They say
 * nothing about a quota, and a learner that rests and slows down at each of them starves.
 *
 * A quota refuses no call at a rate well below the one that it was measured at, and while the rate
 * falls it grants more and more calls between two refusals. So four of five refusals in a row at
 * rates below four fifths of the last measurement that was not lower than the one before, each
 * after some calls but not after more than ever, are noise. The rate then grows quickly: if it
 * cannot, they were not. The noise's share of all calls is measured from calls at rates that no
 * excess follows; then a refusal is about the quota only when the share of the last calls is
 * significantly higher. Noise ends when refusals stay away.
 *
 * Before the first guess of a rate there is nothing to compare with. Pure: nothing fails. A zeroed
 * noise is none. */
#ifndef POLICY_NOISE_H
#define POLICY_NOISE_H

#include <stdbool.h>

#define NOISE_SHARE_MAX 0.25 /* more than that is a quota */

struct noise {
    double share;              /* of the calls that is refused at random; 0 = none is known */
    double calls, refused;     /* by which the share is measured; older ones count less */
    double low, low_refused;   /* calls at low rates since the last cut; they count later */
    double late, late_refused; /* the last calls since the last cut, older ones count less */
    double since;              /* calls begun since the last refusal */
    double peak;               /* the rate below which refusals are suspicious; 0 = unknown */
    unsigned evidence;         /* a bit of each of the last refusals, 1 = suspicious */
    double longest;            /* calls between them */
    double found;              /* the rate at which noise was found; 0 = it is proved */
    double wrong;              /* the rate at which it was found in error last */
    double blocked, block;     /* calls before it is suspected again, now and the next time */
};

enum noise_says {
    NOISE_NONE,   /* the refusal is about the quota */
    NOISE_FOUND,  /* it is not, nor were the last ones */
    NOISE_WITHIN, /* it is not */
    NOISE_EXCESS  /* more are refused than the noise explains: the quota refuses some of them */
};

/* A call begins; `is_low`: at a rate below the last measurement. */
void noise_call(struct noise *noise, bool is_low);
/* A call was refused; `rate` is the present one, `share` this worker's of the quota. */
enum noise_says noise_refusal(struct noise *noise, double rate, bool is_low, double share);
/* A measurement gave `rate`, and the one before it gave `before`; 0 = there was none. */
void noise_measured(struct noise *noise, double before, double rate);
/* The part of the calls that the quota grants, after NOISE_EXCESS: 0.5 <= part <= 1. */
double noise_granted_part(const struct noise *noise);
/* After the first NOISE_EXCESS: whether `rate`, which the target grants to this worker's `share` of
 * the quota, is so much higher than the one at which noise was found that it is noise indeed. Else
 * there is none, and it is suspected again only after many calls. */
bool noise_is_proved(struct noise *noise, double rate, double share);
/* The rate was cut: the calls before say nothing about it. */
void noise_restart(struct noise *noise);

#endif
