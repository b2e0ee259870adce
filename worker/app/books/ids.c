#include "app/books/ids.h"

#include <string.h>

#include "base/memory.h"

#define ROOM_MIN 16

struct ids_slot {
    struct entry_id id;
    uint32_t number;
    bool is_taken;
};

void ids_init(struct ids *ids, size_t limit, uint64_t seed)
{
    *ids = (struct ids){.limit = limit, .seed = seed};
}

void ids_done(struct ids *ids)
{
    memory_free(ids->slots);
    ids_init(ids, ids->limit, ids->seed);
}

static struct ids_slot *slot_of(const struct ids *ids, const struct entry_id *id)
{
    size_t mask = 2 * ids->room - 1;
    size_t at = (size_t)slice_hash(slice_of(id, sizeof *id), ids->seed) & mask;
    while (ids->slots[at].is_taken && memcmp(&ids->slots[at].id, id, sizeof *id) != 0)
        at = (at + 1) & mask;
    return &ids->slots[at];
}

static bool grow(struct ids *ids)
{
    struct ids bigger = *ids;
    bigger.room = ids->room == 0 ? ROOM_MIN : 2 * ids->room;
    bigger.slots = memory_new(2 * bigger.room * sizeof *bigger.slots);
    if (bigger.slots == NULL)
        return false;
    for (size_t i = 0; i < 2 * ids->room; i++)
        if (ids->slots[i].is_taken)
            *slot_of(&bigger, &ids->slots[i].id) = ids->slots[i];
    memory_free(ids->slots);
    *ids = bigger;
    return true;
}

uint32_t *ids_find(const struct ids *ids, const struct entry_id *id)
{
    struct ids_slot *slot = ids->count > 0 ? slot_of(ids, id) : NULL;
    return slot != NULL && slot->is_taken ? &slot->number : NULL;
}

uint32_t *ids_put(struct ids *ids, const struct entry_id *id)
{
    uint32_t *found = ids_find(ids, id);
    if (found != NULL)
        return found;
    if (ids->count == ids->limit || (ids->count == ids->room && !grow(ids)))
        return NULL;
    struct ids_slot *slot = slot_of(ids, id);
    *slot = (struct ids_slot){.id = *id, .is_taken = true};
    ids->count++;
    return &slot->number;
}
