/* Makes librdkafka fetch what io/kafka/fetch_turns.h decides: it pauses the partitions that wait
 * for their turn, which throws away what their queues hold, and resumes the next ones where the
 * engine has got to. Loop thread only. */
#ifndef IO_KAFKA_FETCHING_H
#define IO_KAFKA_FETCHING_H

#include "io/kafka/partitions.h"

/* Weighs the queues, and closes and opens partitions; now and then is often enough. */
void fetching_serve(struct parts *parts, int64_t now_ms);

#endif
