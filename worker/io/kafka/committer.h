/* The committer: a thread that publishes batches of results (io/kafka/publisher.h), because
 * librdkafka's calls for transactions block. The loop gives it one batch at a time and takes the
 * batch's end; both use a mailbox with one lock. All functions are for the loop's thread. */
#ifndef IO_KAFKA_COMMITTER_H
#define IO_KAFKA_COMMITTER_H

#include "engine/ports.h"
#include "io/kafka/conf.h"
#include "io/kafka/lines.h"
#include "io/loop/wake.h"

struct rd_kafka_consumer_group_metadata_s;

struct kafka_committer;

/* Starts the thread, which makes its producer at once and calls `wake` when it is ready and when a
 * batch ends. `config` is borrowed. NULL: ret_error (KAFKA_ERROR_MAX) says why. */
MUST_CHECK struct kafka_committer *kafka_committer_new(const struct kafka_config *config,
                                                       struct kafka_lines *lines,
                                                       struct loop_wake wake, char *ret_error);
/* Has the producer been ready once? From then on the worker may take requests. */
bool kafka_committer_is_ready(struct kafka_committer *committer);
/* Gives a batch; the one before must have been taken. What the batch points to is borrowed until
 * the batch is taken. Takes `group` over, the group metadata for the offsets (KIP-447); NULL =
 * none. */
void kafka_committer_give(struct kafka_committer *committer, const struct batch *batch,
                          struct rd_kafka_consumer_group_metadata_s *group);
/* Takes the batch that has ended; NULL = none has. ret_end->reason is valid until the next batch is
 * given. */
MUST_CHECK const struct batch *kafka_committer_take(struct kafka_committer *committer,
                                                    struct batch_end *ret_end);
/* Makes the thread end as soon as the call that it is in returns. */
void kafka_committer_stop(struct kafka_committer *committer);
/* Ends the thread and waits for it. NULL is fine. */
void kafka_committer_free(struct kafka_committer *committer);

#endif
