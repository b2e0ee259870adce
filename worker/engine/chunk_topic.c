#include "engine/chunk_topic.h"

#include "wire/formats/hash.h"

#define KNOWN_MS 60000

void chunk_topic_turn(struct engine *engine)
{
    struct chunk_topic *own = &engine->chunk_topic;
    if (own->ticket != 0 || engine->now_ms < own->known_until_ms)
        return;
    own->ticket = ++engine->next_ticket;
    engine->ports.topic_look_up(engine->ports.self, engine->config.output.chunks_topic,
                                own->ticket);
}

bool chunk_topic_found(struct engine *engine, uint32_t ticket, enum err err, int32_t partitions)
{
    struct chunk_topic *own = &engine->chunk_topic;
    if (ticket != own->ticket)
        return false;
    own->ticket = 0;
    if (err == OK)
        own->partitions = partitions;
    own->known_until_ms = engine->now_ms + KNOWN_MS;
    return true;
}

int32_t chunk_topic_partition(const struct engine *engine, const struct job *job)
{
    int32_t partitions = engine->chunk_topic.partitions;
    if (job->record.key.ptr != NULL || partitions <= 0)
        return -1;
    return (int32_t)(hash_murmur2(job->request.id) % (uint32_t)partitions);
}
