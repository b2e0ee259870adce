#include "engine/slots.h"

#include "base/check.h"
#include "base/memory.h"
#include "engine/current.h"

enum err slots_init(struct engine *engine)
{
    link_init(&engine->slots.changed);
    link_init(&engine->slots.due);
    engine->slots.list = memory_new(PARTITIONS_MAX * sizeof(struct partition *));
    return engine->slots.list == NULL ? ERR_NO_MEMORY : OK;
}

void slots_done(struct engine *engine)
{
    memory_free(engine->slots.list);
    engine->slots.list = NULL;
    engine->slots.end = 0;
}

void slot_put(struct engine *engine, struct partition *partition)
{
    uint32_t slot = partition->tenure.slot;
    CHECK(slot < PARTITIONS_MAX && engine->slots.list[slot] == NULL);
    engine->slots.list[slot] = partition;
    if (slot >= engine->slots.end)
        engine->slots.end = slot + 1;
    engine->slots.used++;
}

void slot_clear(struct engine *engine, const struct partition *partition)
{
    CHECK(engine->slots.list[partition->tenure.slot] == partition);
    engine->slots.list[partition->tenure.slot] = NULL;
    engine->slots.used--;
}

struct partition *slot_find(const struct engine *engine, struct tenure tenure)
{
    if (tenure.slot >= PARTITIONS_MAX)
        return NULL;
    struct partition *partition = engine->slots.list[tenure.slot];
    if (partition == NULL || partition->tenure.epoch != tenure.epoch)
        return NULL;
    current_set_partition(partition);
    return partition;
}

uint32_t slots_used(const struct engine *engine)
{
    return engine->slots.used;
}

struct partition *slots_next(const struct engine *engine, uint32_t *cursor)
{
    while (*cursor < engine->slots.end) {
        struct partition *partition = engine->slots.list[(*cursor)++];
        if (partition != NULL)
            return partition;
    }
    return NULL;
}

struct partition *slots_next_changed(struct engine *engine, struct partition *partition)
{
    struct link *head = &engine->slots.changed;
    struct link *link = partition == NULL ? head->next : partition->ledger.link_changed.next;
    while (link != head) {
        struct partition *next = LINK_OWNER(link, struct partition, ledger.link_changed);
        if (next->ledger.is_changed && !next->is_gone)
            return next;
        link = link->next;
        link_out(&next->ledger.link_changed);
    }
    return NULL;
}

void slot_set_due(struct engine *engine, struct partition *partition)
{
    if (link_alone(&partition->link_due))
        list_add_last(&engine->slots.due, &partition->link_due);
}
