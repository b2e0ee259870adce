/* The topic of chunks: how many partitions it has, looked up once a minute. Chunks of a request
 * without a key go to one partition by its id, so that they stay in order. */
#ifndef ENGINE_CHUNK_TOPIC_H
#define ENGINE_CHUNK_TOPIC_H

#include "engine/state.h"

/* Looks it up when that is due. Once a turn. */
void chunk_topic_turn(struct engine *engine);
/* An answer of the broker. False: the ticket is of another look-up. */
MUST_CHECK bool chunk_topic_found(struct engine *engine, uint32_t ticket, enum err err,
                                  int32_t partitions);
/* Where the chunks of a job go: -1 = by its key, or the number of partitions is not known. */
int32_t chunk_topic_partition(const struct engine *engine, const struct job *job);

#endif
