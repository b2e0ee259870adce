/* What the worker holds of Kafka's requests, as their number and their bytes, and how much more
 * each partition may hand over: even shares, so that one partition whose requests wait cannot stop
 * the others. A partition that is gone still holds what is not settled, but has no share. */
#ifndef ENGINE_HOLD_H
#define ENGINE_HOLD_H

#include "engine/state.h"

/* From delivery.max_held and delivery.max_held_bytes. */
void hold_init(struct engine *engine);
/* The partitions that have a slot are others than before: their shares are counted again. */
void hold_recount(struct engine *engine);

/* A partition holds one request more (1) or less (-1). */
void hold_count(struct engine *engine, struct partition *partition, int change);
/* What one of its requests holds changes from `before` to `after` bytes. */
void hold_bytes(struct engine *engine, struct partition *partition, uint64_t before,
                uint64_t after);

/* Held by all partitions together, those that are gone too. */
uint32_t held_count(const struct engine *engine);
uint64_t held_bytes(const struct engine *engine);
/* How many requests, and how many bytes of requests, a partition may still add now. Where nothing
 * is held there is always room for a byte: a request over the limit is taken when there is no
 * other. */
uint64_t hold_room_count(const struct engine *engine, const struct partition *partition);
uint64_t hold_room_bytes(const struct engine *engine, const struct partition *partition);

#endif
