/* Producing: puts an output into a producer's queue, and says what librdkafka's errors mean for the
 * record. */
#ifndef IO_KAFKA_PRODUCE_H
#define IO_KAFKA_PRODUCE_H

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "io/kafka/handles.h"
#include "wire/outputs/output.h"

struct rd_kafka_s;
struct kafka_config;

/* Queues a record; never blocks. `handles` are those of this producer;
 * NULL: it is asked for the topic by name. With `copy` it copies the
 * value, else the value is borrowed until the delivery report; it always copies key and headers.
 * `opaque` comes back in the delivery report. Returns librdkafka's error (rd_kafka_resp_err_t), 0
 * when the record is queued. */
MUST_CHECK int kafka_produce(struct rd_kafka_s *producer, struct kafka_handles *handles,
                             const struct output *output, bool copy, void *opaque);
/* Why the broker would reject the same record again after librdkafka's error `code`: ERR_TOO_LARGE,
 * ERR_NOT_FOUND, ERR_NOT_ALLOWED or ERR_INVALID. OK: the cause may pass. */
enum err kafka_refusal(int code);
/* The fewest bytes that a set with this record alone has, uncompressed (KIP-98's format). It may
 * have some more, for times and numbers. */
size_t kafka_set_bytes(const struct output *output);
/* Makes the producer fetch the metadata of the output topics, so that the first record need not
 * wait for it (up to a second with librdkafka 2.0.2). Waits up to `timeout_ms` for the answer; 0 =
 * does not wait. Returns the id of the broker that answered; -1 = none did. */
int32_t kafka_warm_up(struct rd_kafka_s *producer, const struct kafka_config *config,
                      int timeout_ms);

#endif
