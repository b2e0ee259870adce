/* The chunk topic: its number of partitions, looked up once a minute. The worker sends all chunks
 * of a request without a key to one partition, chosen by the request's id, so they stay in order.
 */
#ifndef ENGINE_CHUNK_TOPIC_H
#define ENGINE_CHUNK_TOPIC_H

#include "engine/state.h"

/* Starts a look-up when one is due. Once a turn. */
void chunk_topic_turn(struct engine *engine);
/* Takes the broker's answer; an error keeps the number known before. False: the ticket belongs to
 * another look-up. */
MUST_CHECK bool chunk_topic_found(struct engine *engine, uint32_t ticket, enum err err,
                                  int32_t partitions);
/* The partition for a job's chunks; -1 = librdkafka chooses: the record has a key, or the number of
 * partitions is unknown. */
int32_t chunk_topic_partition(const struct engine *engine, const struct job *job);

#endif
