/* Calls: open exchanges with Bedrock. A call is one attempt of one job: the signed request, the
 * answer as it arrives (receiver.h) and, at its end, a verdict. It knows nothing of retries (job.c)
 * and holds no connection after its end. */
#ifndef ENGINE_CALL_H
#define ENGINE_CALL_H

#include "engine/receiver.h"
#include "engine/state.h"

/* The outcome of a call; slices and texts are valid until call_free. */
struct verdict {
    struct why why; /* err OK: `answer` is complete */
    struct answer answer;
    int status;                   /* HTTP; 0 = no head arrived */
    size_t received_bytes;        /* of output */
    int64_t retry_after_ms;       /* from Retry-After; -1 = absent */
    bool is_billable;             /* Bedrock bills the call, or may do so */
    const char *estimated_reason; /* reason field of the usage record; NULL = exact counts */
    struct usage_counts counts;
};

/* Allocates max_in_flight call slots. ERR_NO_MEMORY; calls_done is due in any case. */
MUST_CHECK enum err calls_init(struct engine *engine);
/* Frees all calls, and the receivers. Cancels nothing. */
void calls_done(struct engine *engine);
/* Number of open calls. */
uint32_t calls_open(const struct engine *engine);
/* Number of free call slots. Open and free together: delivery.max_in_flight. */
uint32_t calls_free(const struct engine *engine);

/* How many more jobs may be called now or, with delivery.write_ahead, marked for a call: the free
 * slots that no marked job is to have, and ahead as many as calls ended since the last cut. */
uint32_t calls_room(const struct engine *engine);
/* Counts a job as marked (1) or not any more (-1). */
void calls_mark(struct engine *engine, int change);
/* A batch with offsets was cut. */
void calls_cut(struct engine *engine);

/* Builds and signs the request of `attempt` (from attempt_begin) and starts the exchange; job->call
 * is the call. CHECKs that there are credentials and a free slot. On an error the call did not
 * begin and *ret_why has the reason. */
MUST_CHECK enum err call_begin(struct engine *engine, struct job *job, struct attempt *attempt,
                               struct why *ret_why);
/* The open call that `ref` names; NULL when that call is over. */
struct call *call_find(struct engine *engine, struct call_ref ref);
/* The head of the answer as received, borrowed from the call; empty before it arrives. */
struct slice call_head_text(const struct call *call);
/* Fills *ret_verdict at the end of a call. `end` NULL: the worker ended the call itself, because
 * the answer cannot become complete or the call is cancelled. */
void call_judge(struct engine *engine, struct call *call, const struct call_end *end,
                struct verdict *ret_verdict);
/* Appends how the call failed, for log lines: io's text, or status, type and text of Bedrock's
 * error. Contains no data of requests or answers. */
void verdict_add_failure(const struct verdict *verdict, struct buf *text);
/* Cancels the exchange; no further event of it follows. */
void call_break_off(struct engine *engine, struct call *call);
/* Frees the call's slot, request and receiver. */
void call_free(struct engine *engine, struct call *call);

#endif
