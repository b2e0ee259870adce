#include "policy/noise.h"

#define LOW           0.8  /* of the peak: no quota refuses a call there */
#define PEAK_MIN      0.5  /* calls a second; of fewer, each refusal is too dear to try */
#define CONFIRMED     0.97 /* of the measurement before */
#define EVIDENCE      4U   /* refusals there, of the last */
#define EVIDENCE_OF   5U
#define EVIDENCE_GAP  2     /* each after so many calls */
#define MEMORY        800.0 /* calls that the share is measured by */
#define LATE_MEMORY   80.0  /* the last calls; more if the noise is large: */
#define LATE_VARIANCE 0.0475
#define LATE_PRIOR    20.0  /* calls with the known share before them */
#define DEVIATIONS_2  16.0  /* square of the standard deviations that are significant */
#define QUIET         20.0  /* times the mean distance of refusals: the noise has ended */
#define SHARE_MIN     0.004 /* less is none */
#define PART_MIN      0.5
#define PROOF         1.5    /* times the rate at which noise was found were granted: it is noise */
#define BLOCK_MIN     500.0  /* calls until noise is suspected again after that was wrong, */
#define BLOCK_MAX     8000.0 /* doubled each time, */
#define STARVED       0.25   /* unless the rate has fallen to this part */

static void fade(double *calls, double *refused, double memory)
{
    *calls *= 1 - 1 / memory;
    *refused *= 1 - 1 / memory;
}

static double share_of(const struct noise *noise)
{
    double share = noise->calls > 0 ? noise->refused / noise->calls : NOISE_SHARE_MAX;
    share = share < SHARE_MIN ? SHARE_MIN : share;
    return share > NOISE_SHARE_MAX ? NOISE_SHARE_MAX : share;
}

static double late_memory(const struct noise *noise)
{
    double variance = noise->share * (1 - noise->share);
    return variance > LATE_VARIANCE ? LATE_MEMORY * variance / LATE_VARIANCE : LATE_MEMORY;
}

static void end(struct noise *noise, double blocked)
{
    *noise = (struct noise){.wrong = noise->wrong, .blocked = blocked, .block = noise->block};
}

/* The rate has passed the last measurement without an excess, so the calls below it show the noise.
 */
static void count_low(struct noise *noise)
{
    double kept = noise->low < MEMORY ? 1 - noise->low / MEMORY : 0;
    noise->calls = noise->calls * kept + noise->low;
    noise->refused = noise->refused * kept + noise->low_refused;
    noise->low = noise->low_refused = 0;
    noise->share = share_of(noise);
    if (noise->share <= SHARE_MIN)
        end(noise, 0);
}

void noise_call(struct noise *noise, bool is_low)
{
    noise->since++;
    if (noise->share == 0) {
        noise->calls += noise->evidence > 0 ? 1 : 0;
        noise->blocked -= noise->blocked > 0 ? 1 : 0;
        return;
    }
    if (noise->since * noise->share > QUIET) {
        end(noise, 0);
        return;
    }
    fade(&noise->late, &noise->late_refused, late_memory(noise));
    noise->late++;
    if (is_low)
        noise->low++;
    else if (noise->low > 0)
        count_low(noise);
}

void noise_restart(struct noise *noise)
{
    noise->late = noise->late_refused = 0;
    noise->low = noise->low_refused = 0;
}

static unsigned suspicious(const struct noise *noise)
{
    unsigned count = 0;
    for (unsigned i = 0; i < EVIDENCE_OF; i++)
        count += noise->evidence >> i & 1;
    return count;
}

/* Before noise is known. */
static enum noise_says suspect(struct noise *noise, double rate, double share)
{
    double since = noise->since;
    noise->since = 0;
    if (noise->peak < PEAK_MIN * share || rate >= LOW * noise->peak ||
        (noise->blocked > 0 && rate >= STARVED * noise->wrong))
        return NOISE_NONE;
    if (noise->evidence == 0)
        noise->calls = since, noise->refused = 0, noise->longest = 0;
    noise->refused++;
    /* A quota grants more and more between refusals while the rate falls. */
    bool is_growing = since > noise->longest;
    noise->longest = is_growing ? since : noise->longest;
    noise->evidence = noise->evidence << 1 | (since >= EVIDENCE_GAP ? 1U : 0U);
    if (suspicious(noise) < EVIDENCE || is_growing)
        return NOISE_NONE;
    noise->share = share_of(noise);
    noise->found = rate;
    noise_restart(noise);
    return NOISE_FOUND;
}

static bool is_excess(const struct noise *noise)
{
    double share = noise->share;
    double calls = noise->late + LATE_PRIOR;
    double over = (noise->late_refused + LATE_PRIOR * share) / calls - share;
    return over > 0 && over * over * calls * 2 > DEVIATIONS_2 * share * (1 - share);
}

enum noise_says noise_refusal(struct noise *noise, double rate, bool is_low, double share)
{
    if (noise->share == 0)
        return suspect(noise, rate, share);
    noise->since = 0;
    noise->late_refused++;
    if (is_low)
        noise->low_refused++;
    return is_excess(noise) ? NOISE_EXCESS : NOISE_WITHIN;
}

void noise_measured(struct noise *noise, double before, double rate)
{
    if (noise->share > 0 || (before > 0 && rate < CONFIRMED * before))
        return;
    noise->peak = rate;
    noise->evidence = 0;
}

double noise_granted_part(const struct noise *noise)
{
    double part = (1 - noise->late_refused / (noise->late + 1)) / (1 - noise->share);
    return part < PART_MIN ? PART_MIN : part > 1 ? 1 : part;
}

bool noise_is_proved(struct noise *noise, double rate, double share)
{
    bool is_proved = noise->found == 0 || rate * share >= PROOF * noise->found;
    if (is_proved) {
        noise->found = 0;
        return true;
    }
    noise->wrong = noise->found;
    double block = noise->block < BLOCK_MIN ? BLOCK_MIN : noise->block;
    noise->block = 2 * block < BLOCK_MAX ? 2 * block : BLOCK_MAX;
    end(noise, block / share / share);
    return false;
}
