#include "engine/size_limits.h"

#define KEPT_MS 300000

static size_t bytes_of(const struct output *output)
{
    size_t bytes = output->key.len + output->value.len;
    for (size_t i = 0; i < output->header_count; i++)
        bytes += output->headers[i].name.len + output->headers[i].value.len;
    return bytes;
}

static uint64_t hash_of(const struct engine *engine, const struct output *output)
{
    return slice_hash(output->topic, engine->hash_seed);
}

/* The topic's limit; NULL = none is known. */
static const struct size_limit *find(const struct engine *engine, uint64_t topic)
{
    for (size_t i = 0; i < SIZE_LIMITS_MAX; i++) {
        const struct size_limit *limit = &engine->size_limits.list[i];
        if (limit->topic == topic && limit->until_ms > engine->now_ms)
            return limit;
    }
    return NULL;
}

void size_limits_learn(struct engine *engine, const struct output *output, uint64_t bytes_max)
{
    uint64_t topic = hash_of(engine, output);
    struct size_limit *place = &engine->size_limits.list[0];
    const struct size_limit *known = find(engine, topic);
    size_t bytes = bytes_of(output);
    if (bytes_max > 0 && bytes_max < bytes)
        bytes = (size_t)bytes_max; /* its frame comes on top */
    if (known != NULL && known->bytes <= bytes)
        return;
    for (size_t i = 0; i < SIZE_LIMITS_MAX; i++) {
        struct size_limit *limit = &engine->size_limits.list[i];
        if (limit == known || (known == NULL && limit->until_ms < place->until_ms))
            place = limit;
    }
    *place =
        (struct size_limit){.topic = topic, .bytes = bytes, .until_ms = engine->now_ms + KEPT_MS};
}

bool size_limits_exceeded(const struct engine *engine, const struct output *output)
{
    const struct size_limit *limit = find(engine, hash_of(engine, output));
    return limit != NULL && bytes_of(output) >= limit->bytes;
}
