/* One output into a producer's queue, and what the ways to fail mean. */
#ifndef IO_KAFKA_PRODUCE_H
#define IO_KAFKA_PRODUCE_H

#include "base/attr.h"
#include "base/err.h"
#include "wire/outputs/output.h"

struct rd_kafka_s;
struct kafka_config;

/* The value is borrowed until its delivery report unless `copy`; key and headers are copied.
 * Returns librdkafka's code (rd_kafka_resp_err_t): 0 = queued; never blocks. `opaque` comes back in
 * the delivery report. */
MUST_CHECK int kafka_produce(struct rd_kafka_s *producer, const struct output *output, bool copy,
                             void *opaque);
/* Would this record be refused again? Then what for: ERR_TOO_LARGE, ERR_NOT_FOUND, ERR_NOT_ALLOWED,
 * ERR_INVALID. OK: the cause may pass. */
enum err kafka_refusal(int code);
/* Makes the producer know the topics of the settings, so that its first record need not wait:
 * librdkafka 2.0.2 may take a second for that. Waits up to `timeout_ms` for the answer; 0 = asks
 * alone. */
void kafka_warm_up(struct rd_kafka_s *producer, const struct kafka_config *config, int timeout_ms);

#endif
