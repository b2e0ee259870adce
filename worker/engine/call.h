/* Calls: open exchanges with Bedrock. A call is one attempt of one job: the signed request, what is
 * heard of the answer, and at its end a verdict. It knows nothing of retries (job.c) and holds no
 * connection once it has ended. */
#ifndef ENGINE_CALL_H
#define ENGINE_CALL_H

#include "engine/receiver.h"
#include "engine/state.h"

/* What became of a call; the slices and texts live until call_free. */
struct verdict {
    struct why why; /* err OK: `answer` is whole */
    struct answer answer;
    int status;                   /* HTTP; 0 = none came */
    size_t received_bytes;        /* of output, as far as it came */
    int64_t retry_after_ms;       /* -1 = none named */
    bool is_billable;             /* Bedrock billed it, or may have */
    const char *estimated_reason; /* NULL = the counts are exact */
    struct usage_counts counts;
};

MUST_CHECK enum err calls_init(struct engine *engine);
void calls_done(struct engine *engine);
/* Calls that are open, and call slots that are free: together delivery.max_in_flight. */
uint32_t calls_open(const struct engine *engine);
uint32_t calls_free(const struct engine *engine);

/* Opens the exchange of an attempt that just began (attempt_begin). On an error nothing has begun
 * and ret_why says why. */
MUST_CHECK enum err call_begin(struct engine *engine, struct job *job, struct attempt *attempt,
                               struct why *ret_why);
/* The call of this name, or NULL when it is late. */
struct call *call_find(struct engine *engine, struct call_ref ref);
/* The head of its answer as it came; empty when none did. */
struct slice call_head_text(const struct call *call);
/* The verdict at its end. `end` NULL: we broke it off ourselves, because it cannot become whole or
 * is cancelled. */
void call_judge(struct engine *engine, struct call *call, const struct call_end *end,
                struct verdict *ret_verdict);
/* How it failed, without data: io's words, or the name of what Bedrock said. For log lines. */
void verdict_add_failure(const struct verdict *verdict, struct buf *words);
void call_break_off(struct engine *engine, struct call *call);
void call_free(struct engine *engine, struct call *call);

#endif
