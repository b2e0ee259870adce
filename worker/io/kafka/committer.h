/* The committer: a thread that owns the producer of results, because transactions block. One
 * mailbox with one lock: a batch goes in, its end comes out. */
#ifndef IO_KAFKA_COMMITTER_H
#define IO_KAFKA_COMMITTER_H

#include "engine/ports.h"
#include "io/kafka/conf.h"
#include "io/loop/log_sink.h"
#include "io/loop/wake.h"

struct rd_kafka_consumer_group_metadata_s;

struct kafka_committer;

/* NULL: ret_error (KAFKA_ERROR_MAX) says why. The thread begins to make its producer at once. */
MUST_CHECK struct kafka_committer *kafka_committer_new(const struct kafka_config *config,
                                                       struct log_sink *sink, struct loop_wake wake,
                                                       char *ret_error);
/* Its producer has been ready once: what is taken can be published. */
bool kafka_committer_is_ready(struct kafka_committer *committer);
/* One at a time; what the batch points to is borrowed until its end was taken. Takes `group` (may
 * be NULL). */
void kafka_committer_give(struct kafka_committer *committer, const struct batch *batch,
                          struct rd_kafka_consumer_group_metadata_s *group);
/* The batch that has ended, if one has; ret_end's reason is valid until the next one is given. */
MUST_CHECK const struct batch *kafka_committer_take(struct kafka_committer *committer,
                                                    struct batch_end *ret_end);
/* Gives up whatever the thread does, as soon as the call that it is in returns. */
void kafka_committer_stop(struct kafka_committer *committer);
/* Waits for the thread. NULL is fine. */
void kafka_committer_free(struct kafka_committer *committer);

#endif
