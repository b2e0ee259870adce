#include "engine/delivered.h"

#include "base/check.h"
#include "base/memory.h"
#include "engine/result.h"

enum err delivered_init(struct engine *engine)
{
    if (engine->config.exactly_once)
        return OK;
    engine->deliveries.ring = memory_new(DELIVERED_MAX * sizeof(struct delivered));
    return engine->deliveries.ring == NULL ? ERR_NO_MEMORY : OK;
}

void delivered_free(struct engine *engine)
{
    memory_free(engine->deliveries.ring);
}

uint64_t delivered_bytes(bool exactly_once)
{
    return exactly_once ? 0 : 2 * (uint64_t)DELIVERED_MAX * sizeof(struct delivered);
}

static uint64_t place_of(const struct engine *engine, const struct partition *partition)
{
    uint64_t place = slice_hash(partition->topic, engine->hash_seed + (uint64_t)partition->number);
    return place == 0 ? 1 : place;
}

static uint64_t record_hash(const struct engine *engine, const struct record *record)
{
    return slice_hash(record->value, engine->hash_seed) * 31 + (uint64_t)result_timestamp(record);
}

static void remember(struct engine *engine, struct delivered delivered)
{
    struct deliveries *own = &engine->deliveries;
    own->ring[own->next] = delivered;
    own->next = (own->next + 1) % DELIVERED_MAX;
}

void delivered_add(struct engine *engine, const struct job *job)
{
    if (engine->deliveries.ring == NULL)
        return;
    remember(engine, (struct delivered){.place = place_of(engine, job->partition),
                                        .offset = job->offset,
                                        .hash = record_hash(engine, &job->record)});
}

void delivered_return(struct engine *engine, struct partition *partition)
{
    for (size_t i = 0; i < partition->delivered_count; i++)
        remember(engine, partition->delivered[i]);
    memory_free(partition->delivered);
    partition->delivered = NULL;
    partition->delivered_count = 0;
}

void delivered_collect(struct engine *engine, struct partition *partition)
{
    struct deliveries *own = &engine->deliveries;
    uint64_t place = place_of(engine, partition);
    size_t count = 0, kept = 0;
    if (own->ring == NULL)
        return;
    delivered_return(engine, partition); /* of an earlier read */
    for (size_t i = 0; i < DELIVERED_MAX; i++)
        count += own->ring[i].place == place;
    if (count == 0)
        return;
    partition->delivered = memory_new(count * sizeof(struct delivered));
    CHECK(partition->delivered != NULL);
    for (size_t i = 0; i < DELIVERED_MAX; i++) {
        if (own->ring[i].place != place)
            continue;
        if (ledger_is_open(&partition->ledger, own->ring[i].offset))
            partition->delivered[kept++] = own->ring[i];
        own->ring[i].place = 0;
    }
    partition->delivered_count = kept;
}

bool delivered_before(const struct engine *engine, const struct partition *partition,
                      const struct record *record)
{
    if (partition->delivered_count == 0)
        return false;
    uint64_t hash = record_hash(engine, record);
    for (size_t i = 0; i < partition->delivered_count; i++)
        if (partition->delivered[i].offset == record->offset &&
            partition->delivered[i].hash == hash)
            return true;
    return false;
}
