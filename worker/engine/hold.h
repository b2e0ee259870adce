/* What the worker holds of Kafka's requests, in number and bytes, and how much more each partition
 * may hand over. Partitions have even shares, so a partition whose requests wait cannot stop the
 * others. A partition claims what it can use: one with records that wait claims its even share, any
 * other one what it held within the last seconds. While there are others, the last sixteenth is
 * kept for partitions below their share, so one that gets records again is served at once and gets
 * the rest of its share as soon as something commits. A partition that is gone holds what is not
 * settled yet but has no share. */
#ifndef ENGINE_HOLD_H
#define ENGINE_HOLD_H

#include "engine/state.h"

/* Limits: delivery.max_held and delivery.max_held_bytes. */
void hold_init(struct engine *engine);
/* A partition entered a slot, or left it: the shares are counted again before their next use. */
void hold_enter(struct engine *engine, struct partition *partition);
void hold_leave(struct engine *engine, struct partition *partition);

/* The partition has records that wait, or may have some. */
void hold_ask(struct engine *engine, struct partition *partition);
/* It has none now. */
void hold_be_quiet(struct engine *engine, struct partition *partition);

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
uint64_t hold_room_count(struct engine *engine, const struct partition *partition);
/* How many more bytes of requests it may add now; it may exceed them by one request, and all
 * partitions together exceed delivery.max_held_bytes by no more than one request. Beyond its share
 * a partition adds only what fits whole. At least 1 while the worker holds nothing: so it takes a
 * request over the limit when there is no other. */
uint64_t hold_room_bytes(struct engine *engine, const struct partition *partition);

#endif
