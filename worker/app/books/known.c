#include "app/books/known.h"

#include <string.h>

#include "base/memory.h"

#define MINUTE_MS  60000
#define SLOT_BYTES 12 /* time within the minute, then the bytes behind the UUID's time */
#define SLOTS_MIN  16
#define GROWTH     1.3
#define FULL       0.8 /* the share of slots that is taken when a set grows */
#define SETS_MAX   65536

struct known_minute {
    int64_t minute;
    uint8_t *slots; /* a slot that is all 0 is free */
    size_t count, room;
};

void known_init(struct known *known, size_t limit, uint64_t seed)
{
    *known = (struct known){.limit = limit, .seed = seed};
}

void known_done(struct known *known)
{
    for (size_t i = 0; i < known->count; i++)
        memory_free(known->minutes[i].slots);
    memory_free(known->minutes);
    known_init(known, known->limit, known->seed);
}

/* ---- one minute ---- */

/* The UUID's version is in it, so it is never all 0. */
static void make_slot(const struct entry_id *id, uint8_t ret_slot[SLOT_BYTES])
{
    unsigned rest = (unsigned)(entry_id_ms(id) % MINUTE_MS);
    ret_slot[0] = (uint8_t)(rest >> 8);
    ret_slot[1] = (uint8_t)rest;
    memcpy(ret_slot + 2, id->bytes + 6, 10);
}

/* Where a slot is, or would go. */
static uint8_t *find_slot(const struct known_minute *set, uint64_t seed, const uint8_t *slot)
{
    static const uint8_t FREE[SLOT_BYTES] = {0};
    uint64_t hash = slice_hash(slice_of(slot, SLOT_BYTES), seed);
    size_t at = (size_t)((hash >> 32) * set->room >> 32);
    for (;; at = at + 1 == set->room ? 0 : at + 1) {
        uint8_t *found = set->slots + at * SLOT_BYTES;
        if (memcmp(found, slot, SLOT_BYTES) == 0 || memcmp(found, FREE, SLOT_BYTES) == 0)
            return found;
    }
}

static bool is_free(const uint8_t *slot)
{
    return slot[2] == 0;
}

static enum err grow(struct known *known, struct known_minute *set)
{
    struct known_minute bigger = *set;
    bigger.room = set->room < SLOTS_MIN ? SLOTS_MIN : (size_t)((double)set->room * GROWTH);
    bigger.slots = memory_new(bigger.room * SLOT_BYTES);
    if (bigger.slots == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < set->room; i++) {
        const uint8_t *slot = set->slots + i * SLOT_BYTES;
        if (!is_free(slot))
            memcpy(find_slot(&bigger, known->seed, slot), slot, SLOT_BYTES);
    }
    memory_free(set->slots);
    known->held += (bigger.room - set->room) * SLOT_BYTES;
    *set = bigger;
    return OK;
}

/* ---- all minutes ---- */

/* The first set of at least this minute. */
static size_t place_of(const struct known *known, int64_t minute)
{
    size_t low = 0, high = known->count;
    if (high > 0 && known->minutes[high - 1].minute <= minute) /* as a rule */
        return known->minutes[high - 1].minute == minute ? high - 1 : high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (known->minutes[middle].minute < minute)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum err make_room(struct known *known)
{
    if (known->count < known->room)
        return OK;
    size_t room = known->room == 0 ? 64 : 2 * known->room;
    struct known_minute *minutes = memory_resize(known->minutes, room * sizeof *minutes);
    if (minutes == NULL)
        return ERR_NO_MEMORY;
    known->held += (room - known->room) * sizeof *minutes;
    known->minutes = minutes;
    known->room = room;
    return OK;
}

/* The set of a minute; NULL: out of memory. */
static struct known_minute *set_of(struct known *known, int64_t minute)
{
    size_t at = place_of(known, minute);
    if (at < known->count && known->minutes[at].minute == minute)
        return &known->minutes[at];
    if (make_room(known) != OK)
        return NULL;
    memmove(&known->minutes[at + 1], &known->minutes[at],
            (known->count - at) * sizeof known->minutes[0]);
    known->minutes[at] = (struct known_minute){.minute = minute};
    known->count++;
    return &known->minutes[at];
}

/* Forgets the oldest minutes until the limits hold again. */
static void forget(struct known *known, int64_t now_ms)
{
    size_t gone = 0;
    while (gone < known->count && (known->held > known->limit || known->count - gone > SETS_MAX)) {
        struct known_minute *set = &known->minutes[gone++];
        if (set->minute * MINUTE_MS > now_ms - KNOWN_SPAN_MS)
            known->lost += (int64_t)set->count;
        known->held -= set->room * SLOT_BYTES;
        memory_free(set->slots);
    }
    known->count -= gone;
    memmove(known->minutes, known->minutes + gone, known->count * sizeof known->minutes[0]);
}

enum err known_add(struct known *known, const struct entry_id *id, int64_t now_ms, bool *ret_is_new)
{
    uint8_t slot[SLOT_BYTES];
    *ret_is_new = true;
    struct known_minute *set = set_of(known, entry_id_ms(id) / MINUTE_MS);
    if (set == NULL)
        return ERR_NO_MEMORY;
    if ((double)(set->count + 1) > (double)set->room * FULL && grow(known, set) != OK)
        return ERR_NO_MEMORY;
    make_slot(id, slot);
    uint8_t *found = find_slot(set, known->seed, slot);
    *ret_is_new = is_free(found);
    if (!*ret_is_new)
        return OK;
    memcpy(found, slot, SLOT_BYTES);
    set->count++;
    if (known->held > known->limit || known->count > SETS_MAX)
        forget(known, now_ms);
    return OK;
}
