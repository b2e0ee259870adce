/* Searches for the keys of one identity, one at a time, in a thread of its own. The loop sends the
 * requests of a search, as a channel of its pool, and the thread waits for their answers; so a
 * provider that hangs stalls nothing but its own search. Unless marked, the functions are for the
 * loop's thread. */
#ifndef IO_AWS_SEARCHER_H
#define IO_AWS_SEARCHER_H

#include "io/aws/chain.h"
#include "io/http/client.h"
#include "io/loop/log_sink.h"
#include "io/loop/wake.h"

struct searcher;

/* Borrowed until searcher_free. */
struct searcher_config {
    struct http *http;
    struct log_sink *sink;
    struct loop_wake wake; /* called by the thread when the loop has something to do */
    const struct chain_identity *identity;
};

struct searcher_result {
    enum err err;
    struct keys keys; /* the caller's after searcher_take */
    bool is_costly;   /* the search took requests or a process */
    char reason[SEARCH_REASON_MAX];
};

/* Starts the thread. NULL: out of memory or threads. */
MUST_CHECK struct searcher *searcher_new(const struct searcher_config *config);
/* Begins a search; none must be running. */
void searcher_begin(struct searcher *searcher);
bool searcher_is_busy(const struct searcher *searcher);
/* Sends the search's request, ends one that takes too long; returns when it is to be called again
 * without an event, INT64_MAX = never. Call it once per turn. */
int64_t searcher_step(struct searcher *searcher, int64_t now_ms);
/* Takes the result of a search that has ended, into a result whose keys are initialized. */
MUST_CHECK bool searcher_take(struct searcher *searcher, struct searcher_result *ret_result);
/* Ends the running search, its request and its child process; no further one begins. */
void searcher_cancel(struct searcher *searcher);
/* Cancels, waits for the thread, and frees everything. Before http_close. NULL is fine. */
void searcher_free(struct searcher *searcher);

#endif
