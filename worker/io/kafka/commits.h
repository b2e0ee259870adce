/* The commits of offsets under at_least_once: keeps the newest offset per partition of the batches
 * that have ended, and commits it with the consumer once per commit interval, or at once on request
 * (under exactly_once nothing is kept, because the transaction commits the offsets). A commit waits
 * while the consumer joins its group (io/kafka/joins.h). Part of io/kafka/offsets.h; loop thread
 * only. */
#ifndef IO_KAFKA_COMMITS_H
#define IO_KAFKA_COMMITS_H

#include "engine/ports.h"
#include "io/kafka/consumer.h"

struct kept;
struct rd_kafka_op_s;
struct rd_kafka_queue_s;

struct kafka_commits {
    const struct kafka_config *config;
    struct kafka_consumer *consumer;
    struct rd_kafka_s *client;
    struct rd_kafka_queue_s *queue;
    struct log_sink *sink;
    struct engine *engine; /* hears of committed offsets; NULL = not yet there */
    struct kept *kept;     /* PARTITIONS_MAX; NULL under exactly_once */
    size_t kept_end;       /* slots from here on have never kept an offset */
    size_t held;           /* offsets that are to be committed */
    size_t send_from;      /* the slot where the next commit begins */
    bool is_committing, must_commit;
    bool is_barred; /* no commit until the generation after a join, or until barred_until_ms */
    struct buf barred_membership;
    int64_t barred_until_ms;
    int64_t now_ms, commit_due_ms;
    int64_t commit_after_ms; /* no commit before */
    uint32_t failures;       /* failed commits in a row */
    int64_t logged_ms;       /* when a refused commit was logged; 0 = never */
};

/* Answers to commits go to `queue`, as OFFSET_COMMIT events. Everything is borrowed. False: out of
 * memory; call commits_done in any case. */
MUST_CHECK bool commits_init(struct kafka_commits *commits, const struct kafka_config *config,
                             struct kafka_consumer *consumer, struct rd_kafka_queue_s *queue,
                             struct log_sink *sink);
void commits_done(struct kafka_commits *commits);
/* As kafka_offsets_keep, kafka_offsets_commit, kafka_offsets_holds, kafka_offsets_held and
 * kafka_offsets_give_up. */
void commits_keep(struct kafka_commits *commits, const struct batch_offset *offset);
void commits_request(struct kafka_commits *commits);
bool commits_hold(const struct kafka_commits *commits, struct tenure tenure);
size_t commits_held(const struct kafka_commits *commits);
void commits_give_up(struct kafka_commits *commits, struct tenure tenure, int64_t waited_ms);
/* Takes the answer to a commit; the caller destroys the event. False: the commit failed. */
MUST_CHECK bool commits_answer(struct kafka_commits *commits, struct rd_kafka_op_s *event,
                               int64_t now_ms);
/* Commits if it is time. Returns when it is time again; INT64_MAX = when woken. */
int64_t commits_step(struct kafka_commits *commits, int64_t now_ms);

#endif
