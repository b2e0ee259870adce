#include "app/books/book.h"

#include "base/check.h"
#include "base/memory.h"

#define ARENA_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define ARENA_KEEP      ARENA_BLOCK_MIN
#define KEY_BYTES_MAX   65536

/* A record of a lost call that was summed, and what to take off should another one replace it. */
struct book_lost {
    struct tally_row *row;
    struct sums sums;
};

void book_init(struct book *book, const struct book_plan *plan)
{
    *book = (struct book){.plan = *plan, .first_ms = INT64_MAX, .last_ms = INT64_MIN};
    tally_init(&book->tally, TALLY_BYTES_MAX, plan->seed);
    known_init(&book->known, KNOWN_BYTES_MAX, plan->seed);
    ids_init(&book->replaced, BOOK_REPLACED_MAX, plan->seed);
    arena_init(&book->arena, ARENA_BYTES_MAX);
    buf_init(&book->key, KEY_BYTES_MAX);
    if (plan->currency.len > 0)
        slice_write(plan->currency, book->currency, sizeof book->currency);
}

void book_done(struct book *book)
{
    tally_done(&book->tally);
    known_done(&book->known);
    ids_done(&book->replaced);
    arena_done(&book->arena);
    buf_done(&book->key);
    memory_free(book->lost);
    book->lost = NULL;
}

static void skip(struct book *book, enum book_skip why, const struct book_place *place)
{
    struct book_skipped *skipped = &book->skipped[why];
    if (skipped->count < BOOK_PLACES_MAX)
        skipped->places[skipped->count] = *place;
    skipped->count++;
}

/* ---- calls that two workers recorded ---- */

/* A record says that this id is to be left out: now, and whenever it comes. */
static void leave_out(struct book *book, const struct entry_id *id)
{
    uint32_t *number = ids_put(&book->replaced, id);
    if (number == NULL) {
        book->unchecked++;
        return;
    }
    if (*number == 0)
        return;
    const struct book_lost *lost = &book->lost[*number - 1];
    sums_take(&lost->row->sums, &lost->sums);
    *number = 0;
    book->replaced_count++;
    book->counted--;
}

static bool make_room_for_lost(struct book *book)
{
    if (book->lost_count < book->lost_room)
        return true;
    size_t room = book->lost_room == 0 ? 64 : 2 * book->lost_room;
    struct book_lost *lost = memory_resize(book->lost, room * sizeof *lost);
    if (lost == NULL)
        return false;
    book->lost = lost;
    book->lost_room = room;
    return true;
}

/* Remembers what was summed for a lost call. */
static void remember(struct book *book, const struct entry *entry, bool has_cost,
                     struct tally_row *row)
{
    uint32_t *number = book->lost_count < BOOK_LOST_MAX && make_room_for_lost(book)
                           ? ids_put(&book->replaced, &entry->id)
                           : NULL;
    if (number == NULL) {
        book->unchecked++;
        return;
    }
    struct book_lost *lost = &book->lost[book->lost_count++];
    *lost = (struct book_lost){.row = row};
    sums_add(&lost->sums, entry, has_cost);
    *number = (uint32_t)book->lost_count;
}

/* ---- records ---- */

/* Whether the cost is one of the book's currency. */
static bool is_cost_taken(struct book *book, const struct entry *entry)
{
    if (!entry->has_cost)
        return false;
    if (book->currency[0] == '\0')
        slice_write(entry->currency, book->currency, sizeof book->currency);
    bool is_same = slice_equal_text(entry->currency, book->currency);
    book->in_other_currency += !is_same;
    return is_same;
}

static enum err sum(struct book *book, struct entry *entry)
{
    if (book->plan.price != NULL)
        book->plan.price(book->plan.pricer, entry);
    buf_reset(&book->key);
    columns_add_key(&book->plan.columns, &book->arena, entry, &book->key);
    if (book->key.failed != OK)
        return book->key.failed;
    struct tally_row *row = tally_row_of(&book->tally, buf_slice(&book->key));
    if (row == NULL)
        return ERR_TOO_LARGE;
    bool has_cost = is_cost_taken(book, entry);
    sums_add(&row->sums, entry, has_cost);
    book->counted++;
    book->first_ms = entry->started_ms < book->first_ms ? entry->started_ms : book->first_ms;
    book->last_ms = entry->started_ms > book->last_ms ? entry->started_ms : book->last_ms;
    if (entry->is_lost)
        remember(book, entry, has_cost, row);
    return book->plan.heard != NULL ? book->plan.heard(book->plan.hearer, entry) : OK;
}

static enum err take_entry(struct book *book, struct entry *entry, int64_t now_ms)
{
    bool is_new = true;
    if (entry->has_replaces)
        leave_out(book, &entry->replaces);
    if (entry->started_ms < book->plan.since_ms || entry->started_ms >= book->plan.until_ms) {
        book->outside++;
        return OK;
    }
    enum err err = known_add(&book->known, &entry->id, now_ms, &is_new);
    if (err != OK)
        return err;
    if (!is_new) {
        book->doubles++;
        return OK;
    }
    if (entry->is_lost && ids_find(&book->replaced, &entry->id) != NULL) {
        book->replaced_count++;
        return OK;
    }
    return sum(book, entry);
}

enum err book_take(struct book *book, const struct book_place *place, struct slice value,
                   int64_t now_ms)
{
    static const enum book_skip SKIPS[] = {[ENTRY_FOREIGN] = SKIP_FOREIGN,
                                           [ENTRY_VERSION] = SKIP_VERSION,
                                           [ENTRY_DAMAGED] = SKIP_DAMAGED};
    struct entry entry;
    struct book_place found = *place;
    book->read++;
    enum entry_verdict verdict = entry_read(&book->arena, value, &entry, &found.why);
    enum err err = OK;
    if (verdict == ENTRY_READ)
        err = take_entry(book, &entry, now_ms);
    else
        skip(book, SKIPS[verdict], &found);
    arena_rewind(&book->arena, ARENA_KEEP);
    return err;
}
