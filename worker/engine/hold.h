/* What the worker holds of Kafka's requests, in number and bytes, and how much more each partition
 * may hand over. Partitions have even shares, so a partition whose requests wait cannot stop the
 * others. A partition that is gone holds what is not settled yet but has no share. */
#ifndef ENGINE_HOLD_H
#define ENGINE_HOLD_H

#include "engine/state.h"

/* Limits: delivery.max_held and delivery.max_held_bytes. */
void hold_init(struct engine *engine);
/* Counts the shares again; call this when a partition enters or leaves a slot. */
void hold_recount(struct engine *engine);

/* Adds `change`, 1 or -1, to the number of requests that the partition holds. */
void hold_count(struct engine *engine, struct partition *partition, int change);
/* Changes what one request of the partition holds from `before` to `after` bytes. */
void hold_bytes(struct engine *engine, struct partition *partition, uint64_t before,
                uint64_t after);

/* Requests held by all partitions, also by those that are gone. */
uint32_t held_count(const struct engine *engine);
/* Bytes held by all partitions, also by those that are gone. */
uint64_t held_bytes(const struct engine *engine);
/* How many more requests the partition may add now. */
uint64_t hold_room_count(const struct engine *engine, const struct partition *partition);
/* How many more bytes of requests it may add now. At least 1 while the worker holds nothing: so it
 * takes a request over the limit when there is no other. */
uint64_t hold_room_bytes(const struct engine *engine, const struct partition *partition);

#endif
