/* What the pace of a worker promises, checked as things happen, in worlds of both kinds:
 *
 *   - in no minute does a target with a known quota begin calls for more than its quota x share,
 * and what it may have saved up (burst). A call counts for one request and for the tokens that it
 * is expected to cost, and when it has ended for those that it did cost. (It begins when the quota
 *     admits it: its mark may have to be committed first.)
 *   - no request waits for ever: while a target has no open call, the quota says when the next one
 *     may begin, and that is soon. */
#ifndef SIM_PROMISES_H
#define SIM_PROMISES_H

#include "engine/state.h"

#define PROMISES_MODELS  4
#define PROMISES_ENTRIES 16384 /* of one minute and one model */
#define PROMISES_CALLS   512   /* open at a time */

/* What was booked for calls, in the order of time. */
struct booked_minute {
    uint64_t target; /* the hash of the one whose calls these are; 0 = unused */
    struct booked_entry {
        int64_t at_ms;
        double requests, tokens;
    } * entries;
    size_t first, count;
    double requests, tokens; /* sums */
    /* The largest shares of this minute and the one before, which contain the last minute. */
    double share, share_before;
    int64_t share_ms;
};

/* Of one worker. Zeroed = nothing has happened. */
struct promises {
    struct booked_minute minutes[PROMISES_MODELS];
    struct {
        uint32_t generation;
        uint64_t target;
        double expected; /* tokens */
    } calls[PROMISES_CALLS];
    struct call_ref begun[PROMISES_CALLS]; /* in this turn */
    size_t begun_count;
    int64_t longest_ms; /* that a target without open calls had to wait */
    double fullest;     /* the largest part of what a minute may have */
};

void promises_done(struct promises *promises);
/* A call begins. */
void promises_call_begins(struct promises *promises, struct call_ref call);
/* It has ended; for a call that was broken off, nothing ends. `cost` in tokens, of a call that was
 * granted. */
void promises_call_ended(struct promises *promises, const struct engine *engine,
                         struct call_ref call, bool is_granted, double cost);
/* A turn of the engine has ended. Returns the broken promise, or NULL. */
const char *promises_turn_ended(struct promises *promises, const struct engine *engine);

#endif
