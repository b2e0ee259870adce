#include "policy/day_budget.h"

#define PART_MIN 0.01 /* a smaller part is a guess that would spend the budget at once */

/* Forgets the half hours that are more than a day old. */
static void advance(struct day_budget *budget, int64_t now_ms)
{
    int64_t slot = now_ms / DAY_BUDGET_SLOT_MS;
    if (slot - budget->slot >= DAY_BUDGET_SLOTS)
        *budget = (struct day_budget){.slot = slot};
    while (budget->slot < slot)
        budget->spent[++budget->slot % DAY_BUDGET_SLOTS] = 0;
}

void day_budget_spend(struct day_budget *budget, double tokens, double part, int64_t now_ms)
{
    advance(budget, now_ms);
    part = part < PART_MIN ? PART_MIN : part > 1 ? 1 : part;
    if (tokens > 0)
        budget->spent[budget->slot % DAY_BUDGET_SLOTS] += tokens / part;
}

double day_budget_spent(struct day_budget *budget, int64_t now_ms)
{
    double sum = 0;
    advance(budget, now_ms);
    for (int i = 0; i < DAY_BUDGET_SLOTS; i++)
        sum += budget->spent[i];
    return sum;
}

bool day_budget_allows(struct day_budget *budget, double max, double tokens, int64_t now_ms,
                       int64_t *ret_again_ms)
{
    double spent = day_budget_spent(budget, now_ms);
    int64_t oldest = budget->slot - (DAY_BUDGET_SLOTS - 1);
    if (spent <= 0 || spent + tokens <= max)
        return true;
    *ret_again_ms = now_ms;
    for (int64_t slot = oldest; slot <= budget->slot; slot++) {
        if (slot >= 0)
            spent -= budget->spent[slot % DAY_BUDGET_SLOTS];
        *ret_again_ms = (slot + DAY_BUDGET_SLOTS) * DAY_BUDGET_SLOT_MS;
        if (spent <= 0 || spent + tokens <= max)
            break;
    }
    return false;
}
