#include "policy/noise.h"

#define LIKELY       1000.0 /* the odds of one explanation against the other that decide */
#define QUOTA_SHARE  0.7    /* of the calls that a quota refuses while the rate doubles */
#define QUOTA_EXCESS 0.2    /* beyond the noise, at a rate that is tested */
#define PRIOR        20.0   /* calls with one refusal before the first */
#define PROVED       3.0    /* refusals of a start that no excess followed are noise */
/* Without noise a quota refuses one call of a test of its rate. Noise refuses more: */
#define TEST_SHARE  0.012
#define NOISE_SHARE 0.06
/* and a quota nearly none at rates far below what it granted. There noise refuses calls, too: */
#define FAR_BELOW       0.8 /* of the peak */
#define FAR_TEST_SHARE  0.001
#define FAR_NOISE_SHARE 0.01
#define GAP             1     /* refusals one after the other are those of an empty bucket */
#define SAME            0.8   /* two rates between this part and its inverse are the same */
#define SAME_ODDS       4.0   /* of a quota, which grants the same rate again */
#define PEAK_MIN        0.5   /* calls a second; of fewer, each refusal is too dear to try */
#define CONFIRMED       0.97  /* of the measurement before, */
#define CONFIRMATIONS   3U    /* so often: the peak is lower than it was */
#define MEMORY          800.0 /* calls that the share is measured by */
#define QUIET           20.0  /* times the mean distance of refusals: the noise has ended */
#define SHARE_MIN       0.004 /* less is none */
#define PROOF           1.5 /* times the rate at which noise was found were granted: it is noise */
#define BLOCK_MIN       500.0  /* calls until noise is suspected again after that was wrong, */
#define BLOCK_MAX       8000.0 /* doubled each time, */
#define STARVED         0.25   /* unless the rate has fallen to this part */

static double most(double a, double b)
{
    return a > b ? a : b;
}

static double share_of(double calls, double refused)
{
    double share = calls > 0 ? refused / calls : NOISE_SHARE_MAX;
    return share > NOISE_SHARE_MAX ? NOISE_SHARE_MAX : most(share, SHARE_MIN);
}

/* By one refused call the odds of a `likely` share of refusals grow against an `unlikely` one. */
static double weigh_refusal(double odds, double likely, double unlikely)
{
    return odds * likely / unlikely;
}

/* By each granted one they shrink; never below 1. */
static double weigh_grants(double odds, double calls, double likely, double unlikely)
{
    for (; calls > 0 && odds > 1; calls--)
        odds *= (1 - likely) / (1 - unlikely);
    return most(odds, 1);
}

void noise_open(struct noise *noise)
{
    *noise = (struct noise){.is_open = true, .odds = 1, .number = noise->number};
}

static void end(struct noise *noise, double blocked)
{
    *noise = (struct noise){.peak = noise->peak,
                            .odds = 1,
                            .number = noise->number,
                            .wrong = noise->wrong,
                            .blocked = blocked,
                            .block = noise->block};
}

/* ---- noise is open or known: does a quota refuse calls, too? ---- */

static void weigh(struct noise *noise, double granted)
{
    double chance =
        noise->is_open ? share_of(noise->calls + PRIOR, noise->refused + 1) : noise->share;
    double quota = noise->is_open ? QUOTA_SHARE : chance + QUOTA_EXCESS;
    noise->odds = weigh_grants(noise->odds, granted, quota, chance);
    if (noise->odds <= 1) {
        noise->sound_calls = noise->calls + granted;
        noise->sound_refused = noise->refused;
    }
    noise->odds = weigh_refusal(noise->odds, quota, chance);
}

static void count_open(struct noise *noise, double granted)
{
    noise->calls += granted + 1;
    noise->refused++;
    double kept = noise->calls > MEMORY ? MEMORY / noise->calls : 1;
    noise->calls *= kept;
    noise->refused *= kept;
}

/* The rate has passed the last measurement without an excess, so the calls below it show the noise.
 */
static void count_low(struct noise *noise)
{
    double kept = noise->low < MEMORY ? 1 - noise->low / MEMORY : 0;
    noise->calls = noise->calls * kept + noise->low;
    noise->refused = noise->refused * kept + noise->low_refused;
    noise->low = noise->low_refused = 0;
    noise->share = share_of(noise->calls, noise->refused);
    if (noise->share <= SHARE_MIN)
        end(noise, 0);
}

static void count_known(struct noise *noise, bool is_low)
{
    if (noise->since * noise->share > QUIET) {
        end(noise, 0);
        return;
    }
    if (is_low)
        noise->low++;
    else if (noise->low > 0)
        count_low(noise);
}

/* ---- there is none: does something else than a quota refuse calls? ---- */

/* A quota grants the same rate from refusal to refusal, rests included, whatever is tried. */
static bool grants_the_same(struct noise *noise, double granted, double now_s)
{
    double s = now_s - noise->refused_s;
    double rate = s > 0 ? granted / s : 0;
    bool is_same = rate > SAME * noise->granted && rate * SAME < noise->granted;
    noise->refused_s = now_s;
    noise->granted = rate;
    return is_same;
}

/* It grants more and more calls between refusals while the rate falls. */
static bool grants_more(struct noise *noise, double granted)
{
    bool is_more = granted > noise->longest;
    noise->longest = is_more ? granted : noise->longest;
    return is_more;
}

static double noise_share(const struct noise *noise)
{
    return noise->is_far_below ? FAR_NOISE_SHARE : NOISE_SHARE;
}

static double test_share(const struct noise *noise)
{
    return noise->is_far_below ? FAR_TEST_SHARE : TEST_SHARE;
}

static void weigh_quiet(struct noise *noise, double granted, double rate, double now_s)
{
    noise->odds = weigh_grants(noise->odds, granted, noise_share(noise), test_share(noise));
    if (noise->odds <= 1)
        noise->calls = noise->refused = noise->longest = 0;
    noise->calls += granted + 1;
    noise->refused++;
    noise->is_far_below = rate < FAR_BELOW * noise->peak;
    if (grants_the_same(noise, granted, now_s))
        noise->odds = most(noise->odds / SAME_ODDS, 1);
    else if (granted >= GAP)
        noise->odds = weigh_refusal(noise->odds, noise_share(noise), test_share(noise));
}

static bool is_blocked(struct noise *noise, double granted, double rate, double share)
{
    if (noise->blocked > 0) /* in calls of the rate at which it was wrong */
        noise->blocked -= (granted + 1) * most(1, noise->wrong / rate);
    return noise->peak < PEAK_MIN * share || (noise->blocked > 0 && rate >= STARVED * noise->wrong);
}

static enum noise_says suspect(struct noise *noise, double granted, double rate, double share,
                               double now_s)
{
    weigh_quiet(noise, granted, rate, now_s);
    bool is_more = grants_more(noise, granted);
    if (is_blocked(noise, granted, rate, share))
        noise->odds = 1;
    if (noise->odds < LIKELY || is_more)
        return NOISE_NONE;
    noise->is_open = true;
    noise->odds = 1;
    noise->sound_calls = noise->calls;
    noise->sound_refused = noise->refused;
    noise->found = rate;
    return NOISE_FOUND;
}

void noise_call(struct noise *noise, bool is_low)
{
    noise->since++;
    if (!noise->is_open && noise->share > 0)
        count_known(noise, is_low);
}

enum noise_says noise_refusal(struct noise *noise, double number, double rate, bool is_low,
                              double share, double now_s)
{
    /* Refusals arrive about in the order of their calls. */
    double granted = most(number - noise->number - 1, 0);
    noise->number = most(number, noise->number);
    noise->since = 0;
    if (!noise->is_open && noise->share == 0)
        return suspect(noise, granted, rate, share, now_s);
    weigh(noise, granted);
    if (noise->is_open)
        count_open(noise, granted);
    else if (is_low)
        noise->low_refused++;
    return noise->odds >= LIKELY ? NOISE_EXCESS : NOISE_WITHIN;
}

void noise_measured(struct noise *noise, double before, double rate)
{
    if (noise->share > 0)
        return;
    if (before > 0 && rate < CONFIRMED * before) {
        noise->confirmed = 0;
        return;
    }
    if (rate < noise->peak && ++noise->confirmed < CONFIRMATIONS)
        return;
    noise->peak = rate;
    noise->confirmed = 0;
}

/* ---- the end of an open question ---- */

static enum noise_verdict known(struct noise *noise)
{
    noise->calls = noise->sound_calls;
    noise->refused = noise->sound_refused;
    noise->share = share_of(noise->calls, noise->refused);
    noise->found = 0;
    return NOISE_IS_KNOWN;
}

static enum noise_verdict disproved(struct noise *noise, double share)
{
    noise->wrong = noise->found;
    double block = most(noise->block, BLOCK_MIN);
    noise->block = 2 * block < BLOCK_MAX ? 2 * block : BLOCK_MAX;
    end(noise, block / share / share);
    return NOISE_IS_DISPROVED;
}

enum noise_verdict noise_exceeded(struct noise *noise, double granted, double share)
{
    bool was_open = noise->is_open;
    noise->odds = 1;
    noise->low = noise->low_refused = 0;
    noise->is_open = false;
    if (!was_open)
        return NOISE_WAS_KNOWN;
    if (noise->found > 0)
        return granted * share >= PROOF * noise->found ? known(noise) : disproved(noise, share);
    if (noise->sound_refused >= PROVED)
        return known(noise);
    end(noise, 0);
    return NOISE_IS_NONE;
}
