#include "policy/budget.h"

#include <stddef.h>
#include <string.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

/* ---- spans ---- */

/* The day's number from 1970-01-01, counted in years that begin in March, so that the leap day is
 * the last one. Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
static int64_t day_of(int64_t year, int64_t month)
{
    year -= month <= 2;
    int64_t era = year / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* Months since the year 0; a month has at most 31 days, so the guess is at most one too high. */
static int64_t month_of(int64_t day)
{
    int64_t month =
        (day + 719528) * 4800 / 1753164; /* 400 years have 4,800 months and 146,097 days */
    while (day_of(month / 12, month % 12 + 1) > day)
        month--;
    while (day_of((month + 1) / 12, (month + 1) % 12 + 1) <= day)
        month++;
    return month;
}

static int64_t length_ms(enum budget_per per)
{
    return per == BUDGET_MINUTE ? MINUTE_MS : per == BUDGET_HOUR ? HOUR_MS : DAY_MS;
}

int64_t budget_start_ms(enum budget_per per, int64_t wall_ms)
{
    wall_ms = wall_ms < 0 ? 0 : wall_ms;
    if (per != BUDGET_MONTH)
        return wall_ms - wall_ms % length_ms(per);
    int64_t month = month_of(wall_ms / DAY_MS);
    return day_of(month / 12, month % 12 + 1) * DAY_MS;
}

int64_t budget_end_ms(enum budget_per per, int64_t wall_ms)
{
    wall_ms = wall_ms < 0 ? 0 : wall_ms;
    if (per != BUDGET_MONTH)
        return budget_start_ms(per, wall_ms) + length_ms(per);
    int64_t month = month_of(wall_ms / DAY_MS) + 1;
    return day_of(month / 12, month % 12 + 1) * DAY_MS;
}

int64_t budget_longest_ms(enum budget_per per)
{
    return per == BUDGET_MONTH ? 31 * DAY_MS : length_ms(per);
}

/* ---- sums ---- */

static int64_t add(int64_t a, int64_t b)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return INT64_MAX;
    return sum < 0 ? 0 : sum;
}

static int64_t less(int64_t from, int64_t amount)
{
    return amount < from ? from - amount : 0;
}

static struct budget_spent *span_of(struct budget *budget, int64_t start_ms)
{
    for (size_t i = 0; i < 2; i++)
        if (budget->spans[i].start_ms == start_ms)
            return &budget->spans[i];
    struct budget_spent *older =
        &budget->spans[budget->spans[0].start_ms <= budget->spans[1].start_ms ? 0 : 1];
    if (start_ms < older->start_ms)
        return NULL;
    *older = (struct budget_spent){.start_ms = start_ms};
    return older;
}

void budget_add(struct budget *budget, const struct budget_rules *rules, int64_t at_ms,
                int64_t amount)
{
    struct budget_spent *span = span_of(budget, budget_start_ms(rules->per, at_ms));
    if (span != NULL)
        span->spent = add(span->spent, amount);
}

int64_t budget_spent_at(const struct budget *budget, const struct budget_rules *rules,
                        int64_t wall_ms)
{
    int64_t start_ms = budget_start_ms(rules->per, wall_ms);
    for (size_t i = 0; i < 2; i++)
        if (budget->spans[i].start_ms == start_ms)
            return budget->spans[i].spent;
    return 0;
}

static int64_t unspent(const struct budget *budget, const struct budget_rules *rules,
                       int64_t wall_ms)
{
    int64_t spent = budget_spent_at(budget, rules, wall_ms);
    return spent < rules->limit ? rules->limit - spent : 0;
}

int64_t budget_left(const struct budget *budget, const struct budget_rules *rules, int64_t wall_ms)
{
    return less(unspent(budget, rules, wall_ms), budget->reserved);
}

/* ---- reservations ---- */

/* What the others do not know yet: of what is reserved, and of what this worker sees as spent. */
static struct budget_fresh fresh_of(const struct budget *budget, int64_t known_ms)
{
    struct budget_fresh sum = {.amount = 0};
    for (uint32_t i = 0; i < budget->fresh_count; i++) {
        const struct budget_fresh *fresh = &budget->fresh[i];
        if (fresh->until_ms <= known_ms)
            continue;
        sum.amount = add(sum.amount, fresh->amount);
        sum.seen = add(sum.seen, fresh->seen);
    }
    return sum;
}

static int64_t largest_of(const struct budget *budget, int64_t expected)
{
    return expected > budget->largest ? expected : budget->largest;
}

static uint32_t workers_of(const struct budget_group *group)
{
    return group->workers > 0 ? group->workers : 1;
}

bool budget_allows(const struct budget *budget, const struct budget_rules *rules, int64_t expected,
                   const struct budget_group *group, int64_t wall_ms)
{
    struct budget_fresh fresh = fresh_of(budget, group->known_ms);
    int64_t free = less(unspent(budget, rules, wall_ms), budget->others);
    free = less(free, less(budget->reserved, fresh.amount));
    int64_t wanted = add(fresh.amount, expected), largest = largest_of(budget, expected);
    if (wanted > free)
        return false;
    if (workers_of(group) > 1 && group->known_ms >= 0)
        wanted = add(wanted, fresh.seen);
    if (free / workers_of(group) < largest)
        return (double)wanted <= group->share * (double)free;
    double rest = (double)(free - (int64_t)workers_of(group) * largest);
    return (double)wanted <= (double)largest + group->share * rest;
}

bool budget_is_over(const struct budget *budget, const struct budget_rules *rules, int64_t expected,
                    const struct budget_group *group, int64_t wall_ms)
{
    int64_t left = less(budget_left(budget, rules, wall_ms), budget->others);
    return left / workers_of(group) <= largest_of(budget, expected);
}

/* Makes room for the latest: the two oldest become one. */
static void merge_oldest(struct budget *budget)
{
    budget->fresh[1].amount = add(budget->fresh[0].amount, budget->fresh[1].amount);
    budget->fresh[1].seen = add(budget->fresh[0].seen, budget->fresh[1].seen);
    memmove(&budget->fresh[0], &budget->fresh[1], (BUDGET_FRESH - 1) * sizeof budget->fresh[0]);
    budget->fresh_count--;
}

void budget_reserve(struct budget *budget, int64_t expected, int64_t now_ms)
{
    struct budget_fresh *last =
        budget->fresh_count > 0 ? &budget->fresh[budget->fresh_count - 1] : NULL;
    budget->reserved = add(budget->reserved, expected);
    budget_note_call(budget, expected);
    if (last == NULL || now_ms / BUDGET_FRESH_MS != last->until_ms / BUDGET_FRESH_MS) {
        if (budget->fresh_count == BUDGET_FRESH)
            merge_oldest(budget);
        last = &budget->fresh[budget->fresh_count++];
        *last = (struct budget_fresh){.amount = 0};
    }
    last->until_ms = now_ms;
    last->amount = add(last->amount, expected);
}

static struct budget_fresh *fresh_at(struct budget *budget, int64_t since_ms)
{
    for (uint32_t i = 0; i < budget->fresh_count; i++)
        if (budget->fresh[i].until_ms >= since_ms)
            return &budget->fresh[i];
    return NULL;
}

void budget_change(struct budget *budget, int64_t from, int64_t to, int64_t since_ms)
{
    struct budget_fresh *fresh = fresh_at(budget, since_ms);
    budget->reserved = add(less(budget->reserved, from), to);
    if (fresh != NULL)
        fresh->amount = add(less(fresh->amount, from), to);
}

void budget_seen(struct budget *budget, int64_t amount, int64_t since_ms)
{
    struct budget_fresh *fresh = fresh_at(budget, since_ms);
    budget_change(budget, amount, 0, since_ms);
    if (fresh != NULL)
        fresh->seen = add(fresh->seen, amount);
}

void budget_note_call(struct budget *budget, int64_t cost)
{
    if (cost > budget->largest)
        budget->largest = cost;
}

void budget_note_others(struct budget *budget, int64_t more)
{
    budget->others = add(budget->others, more);
}

bool budget_is_idle(const struct budget *budget, const struct budget_rules *rules, int64_t wall_ms)
{
    return budget->reserved == 0 && budget_spent_at(budget, rules, wall_ms) == 0;
}
