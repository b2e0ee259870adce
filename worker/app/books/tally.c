#include "app/books/tally.h"

#include <string.h>

#include "base/memory.h"

#define ROOM_MIN 64

/* ---- sums ---- */

void sums_add(struct sums *sums, const struct entry *entry, bool has_cost)
{
    sums->requests += entry->is_final;
    sums->calls++;
    sums->estimated += entry->is_estimated;
    sums->unpriced += !has_cost;
    for (size_t i = 0; i < ENTRY_COUNTS; i++)
        sums->counts[i] += entry->counts[i];
    money_sum_add(&sums->recorded, entry->recorded);
    if (!has_cost)
        return;
    money_sum_add(&sums->amount, entry->amount);
    for (size_t i = 0; i < ENTRY_PARTS; i++)
        money_sum_add(&sums->part[i], entry->part[i]);
}

static void take_money(struct money_sum *sum, const struct money_sum *taken)
{
    bool borrows = sum->low < taken->low;
    sum->low -= taken->low;
    sum->high -= taken->high + borrows;
}

void sums_take(struct sums *sums, const struct sums *taken)
{
    sums->requests -= taken->requests;
    sums->calls -= taken->calls;
    sums->estimated -= taken->estimated;
    sums->unpriced -= taken->unpriced;
    for (size_t i = 0; i < ENTRY_COUNTS; i++)
        sums->counts[i] -= taken->counts[i];
    take_money(&sums->amount, &taken->amount);
    take_money(&sums->recorded, &taken->recorded);
    for (size_t i = 0; i < ENTRY_PARTS; i++)
        take_money(&sums->part[i], &taken->part[i]);
}

void sums_add_sums(struct sums *sums, const struct sums *added)
{
    sums->requests += added->requests;
    sums->calls += added->calls;
    sums->estimated += added->estimated;
    sums->unpriced += added->unpriced;
    for (size_t i = 0; i < ENTRY_COUNTS; i++)
        sums->counts[i] += added->counts[i];
    money_sum_add_sum(&sums->amount, &added->amount);
    money_sum_add_sum(&sums->recorded, &added->recorded);
    for (size_t i = 0; i < ENTRY_PARTS; i++)
        money_sum_add_sum(&sums->part[i], &added->part[i]);
}

/* ---- rows ---- */

void tally_init(struct tally *tally, size_t bytes_max, uint64_t seed)
{
    *tally = (struct tally){.seed = seed};
    arena_init(&tally->arena, bytes_max);
}

void tally_done(struct tally *tally)
{
    arena_done(&tally->arena);
    memory_free(tally->rows);
    memory_free(tally->slots);
    *tally = (struct tally){.seed = tally->seed};
}

static uint32_t *find_slot(const struct tally *tally, struct slice key)
{
    size_t mask = 2 * tally->room - 1;
    size_t at = (size_t)slice_hash(key, tally->seed) & mask;
    while (tally->slots[at] != 0 && !slice_equal(tally->rows[tally->slots[at] - 1]->key, key))
        at = (at + 1) & mask;
    return &tally->slots[at];
}

static bool grow(struct tally *tally)
{
    struct tally bigger = *tally;
    bigger.room = tally->room == 0 ? ROOM_MIN : 2 * tally->room;
    bigger.slots = memory_new(2 * bigger.room * sizeof *bigger.slots);
    bigger.rows = bigger.slots != NULL
                      ? memory_resize(tally->rows, bigger.room * sizeof(struct tally_row *))
                      : NULL;
    if (bigger.rows == NULL) {
        memory_free(bigger.slots);
        return false;
    }
    for (size_t i = 0; i < tally->count; i++)
        *find_slot(&bigger, bigger.rows[i]->key) = (uint32_t)i + 1;
    memory_free(tally->slots);
    *tally = bigger;
    return true;
}

struct tally_row *tally_row_of(struct tally *tally, struct slice key)
{
    if (tally->count == tally->room && !grow(tally))
        return NULL;
    uint32_t *slot = find_slot(tally, key);
    if (*slot != 0)
        return tally->rows[*slot - 1];
    struct tally_row *row = arena_new(&tally->arena, sizeof *row);
    if (row == NULL || !arena_copy(&tally->arena, key, &row->key))
        return NULL;
    tally->rows[tally->count++] = row;
    *slot = (uint32_t)tally->count;
    return row;
}
