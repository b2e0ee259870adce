/* Refusals at random: a service that refuses a part of all calls, whatever their rate. They say
 * nothing about a quota, and a learner that rests and slows down at each of them starves.
 *
 * Two explanations of the last calls are weighed against each other, call by call, until one is a
 * thousand times likelier (E. S. Page, Continuous Inspection Schemes, Biometrika 41, 1954).
 *
 * At the start of a target, while its rate doubles, the question is open: refusals are chance at
 * the share seen so far, until so many come together that a quota is likelier. Refusals that were
 * followed by no such excess are noise, which is known from then on.
 *
 * Where noise is known, a refusal is about the quota only when more of the last calls were refused
 * than it explains. Its share of all calls is measured from calls at rates that no excess follows.
 *
 * Where there is none, each refusal is about the quota. But a quota refuses one call a test, nearly
 * none far below what it has granted, and grants the same rate again from one refusal to the next.
 * When refusals do otherwise, noise is found: the question is open, and the rate doubles. If it
 * cannot, that was wrong. Noise ends when refusals stay away.
 *
 * Pure: nothing fails. A zeroed noise is none. */
#ifndef POLICY_NOISE_H
#define POLICY_NOISE_H

#include <stdbool.h>

#define NOISE_SHARE_MAX 0.4 /* more than that is a quota */

struct noise {
    double share;  /* of the calls that is refused at random; 0 = none is known */
    double odds;   /* of the other explanation, by the last calls; at least 1, or 0 at first */
    double since;  /* calls begun since the last refusal arrived */
    double number; /* of the last refused call, in the order of their beginnings */
    bool is_open;  /* whether there is noise is open */
    double calls, refused;             /* by which the share is measured; older ones count less */
    double sound_calls, sound_refused; /* they, when the odds were 1 last */
    double low, low_refused; /* calls at low rates since the last cut, of known noise; they count
                                later */
    double peak;             /* the highest rate that was measured, while nothing denies it */
    unsigned confirmed;      /* measurements in a row that were lower, and alike */
    bool is_far_below;       /* the peak, at the last refusal */
    double refused_s;        /* time of the last refusal */
    double granted;          /* calls a second between the last two */
    double longest;          /* calls between two refusals, since the odds were 1 */
    double found;            /* the rate at which noise was found; 0 = at the start, or proved */
    double wrong;            /* the rate at which it was found in error last */
    double blocked, block;   /* calls before it is suspected again, now and the next time */
};

enum noise_says {
    NOISE_NONE,   /* the refusal is about the quota */
    NOISE_FOUND,  /* it is not, nor were the last ones: the question is open */
    NOISE_WITHIN, /* it is not */
    NOISE_EXCESS  /* more are refused than noise explains: the quota refuses some of them */
};

enum noise_verdict {
    NOISE_WAS_KNOWN,   /* there is noise, as before */
    NOISE_IS_KNOWN,    /* there is */
    NOISE_IS_NONE,     /* the start showed none */
    NOISE_IS_DISPROVED /* it was found in error: only the quota refused calls */
};

/* The start of a target, whose `noise` is zeroed or of an earlier start: the question is open. */
void noise_open(struct noise *noise);
/* A call begins; `is_low`: at a rate below the last measurement. */
void noise_call(struct noise *noise, bool is_low);
/* The call that began as the `number`-th was refused, at `now_s`; `rate` is the present one, and
 * `share` this worker's of the quota. */
enum noise_says noise_refusal(struct noise *noise, double number, double rate, bool is_low,
                              double share, double now_s);
/* A measurement gave `rate`, and the one before it gave `before`; 0 = there was none. */
void noise_measured(struct noise *noise, double before, double rate);
/* After NOISE_EXCESS, an open question is answered; `granted` calls a second were granted to this
 * worker's `share` of the quota. Noise found in error is suspected again only after many calls. */
enum noise_verdict noise_exceeded(struct noise *noise, double granted, double share);

#endif
