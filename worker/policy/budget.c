#include "policy/budget.h"

#include <stddef.h>

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
    int64_t left = unspent(budget, rules, wall_ms);
    return budget->reserved < left ? left - budget->reserved : 0;
}

/* ---- reservations ---- */

bool budget_allows(const struct budget *budget, const struct budget_rules *rules, int64_t expected,
                   double share, uint32_t workers, int64_t wall_ms)
{
    int64_t left = unspent(budget, rules, wall_ms), wanted = add(budget->reserved, expected);
    if (wanted > left)
        return false;
    if ((double)wanted <= share * (double)left)
        return true;
    int64_t largest = expected > budget->largest ? expected : budget->largest;
    return left / (workers > 0 ? workers : 1) >= add(budget->reserved, largest);
}

void budget_reserve(struct budget *budget, int64_t expected)
{
    budget->reserved = add(budget->reserved, expected);
    if (expected > budget->largest)
        budget->largest = expected;
}

void budget_change(struct budget *budget, int64_t from, int64_t to)
{
    budget->reserved = from < budget->reserved ? budget->reserved - from : 0;
    budget->reserved = add(budget->reserved, to);
}

bool budget_is_idle(const struct budget *budget, const struct budget_rules *rules, int64_t wall_ms)
{
    return budget->reserved == 0 && budget_spent_at(budget, rules, wall_ms) == 0;
}
