/* Reply topics: a request may name one if the settings allow it; it must exist and have the
 * partition that is asked for, and that is known before Bedrock is called, because a record for a
 * topic that is not there aborts the whole transaction. Answers of the broker are remembered for a
 * while: good ones REPLY_KNOWN_MS, bad ones REPLY_BAD_MS. */
#ifndef ENGINE_REPLY_H
#define ENGINE_REPLY_H

#include "engine/state.h"

/* What is remembered, for the bound of the engine's memory. */
#define REPLY_BYTES    (REPLY_TOPICS_MAX * sizeof(struct reply_topic))
#define REPLY_KNOWN_MS 60000
#define REPLY_BAD_MS   5000

/* ERR_NO_MEMORY. */
MUST_CHECK enum err reply_init(struct engine *engine);
void reply_done(struct engine *engine);

/* OK: the job's answer may go where it wants. ERR_REPLY_REFUSED: it may not, ret_why says why.
 * ERR_UNSTABLE: the job now waits (job->reply_link) and comes back through reply_found. */
MUST_CHECK enum err reply_check(struct engine *engine, struct job *job, struct why *ret_why);
/* An answer of the broker: the waiting jobs are given to `ready` (by reply_link) to be checked
 * again. */
void reply_found(struct engine *engine, uint32_t ticket, enum err err, int32_t partitions,
                 struct link *ready);
/* The line about a refusal, before the job forgets where its answer was to go. */
void reply_log_rejected(struct engine *engine, const struct job *job, const char *words);

#endif
