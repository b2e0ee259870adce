/* Reply topics: a request may name one that the settings allow. The worker checks that topic and
 * partition exist before it calls Bedrock, because a record for a missing topic aborts the whole
 * transaction. It keeps the broker's answers: good ones REPLY_KNOWN_MS, bad ones REPLY_BAD_MS. */
#ifndef ENGINE_REPLY_H
#define ENGINE_REPLY_H

#include "engine/state.h"

/* The bytes of the table of topics; part of the engine's memory bound. */
#define REPLY_BYTES                                                                                \
    (REPLY_TOPICS_MAX * sizeof(struct reply_topic) +                                               \
     (size_t)2 * REPLY_BUCKETS * sizeof(struct link))
#define REPLY_KNOWN_MS 60000
#define REPLY_BAD_MS   5000

/* Allocates the table. ERR_NO_MEMORY. */
MUST_CHECK enum err reply_init(struct engine *engine);
/* Frees the table. */
void reply_done(struct engine *engine);

/* OK: the job's answer may go to its reply topic, or it names none. ERR_REPLY_REFUSED: it may not;
 * logged, *ret_why has the reason. ERR_UNSTABLE: the job waits for a look-up (job->reply_link)
 * until reply_found returns it. */
MUST_CHECK enum err reply_check(struct engine *engine, struct job *job, struct why *ret_why);
/* Takes the broker's answer to a look-up; moves the jobs that waited for it to `ready` (by
 * reply_link), for another reply_check. Ignores an unknown ticket. */
void reply_found(struct engine *engine, uint32_t ticket, enum err err, int32_t partitions,
                 struct link *ready);
/* The next job that waited because the table was full of look-ups, when it has a place again; NULL
 * = none. For another reply_check. */
struct job *reply_next(struct engine *engine);
/* Logs a rejected reply topic; `text` is the reason. Call this before the job forgets the topic. */
void reply_log_rejected(struct engine *engine, const struct job *job, const char *text);

#endif
