/* The simulator's ledger: a file of JSON lines, one when a call begins and one when it ends. So a
 * caller that was killed in between leaves a beginning without a whole end. Lines wait in memory
 * for at most the flush interval. The file is appended to, never truncated. The simulator's thread
 * only.
 */
#ifndef SIM_JOURNAL_H
#define SIM_JOURNAL_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

/* The members of a line; null texts are left out. */
struct journal_call {
    int64_t serial; /* from 1, in the order in which calls begin */
    const char *operation;
    struct slice request_id, model, tag, access_key_id, invocation_id, sdk_request;
    int64_t started_us, ended_us; /* wall time, microseconds since 1970 */
    const char *outcome;          /* ok, an error's type, a fault's word, client_gone, stopped */
    const char *fault;            /* the word of the planned fault; NULL = none */
    int status;                   /* 0 = no answer was sent */
    int64_t input_tokens, output_tokens; /* billed; the input with what the cache gave and took */
    int64_t cache_read_tokens, cache_write_tokens; /* part of the input */
    int64_t cache_write_1h_tokens;                 /* part of the writes */
    bool billed;
    bool whole; /* the whole answer was sent */
};

struct journal {
    int file; /* -1 = none */
    struct buf pending;
    int64_t flush_ms;
    int64_t due_ms; /* INT64_MAX = no line waits */
    bool broken;    /* a write failed and was reported; lines are lost */
};

/* Opens the ledger; an empty path keeps none. ERR_IO: the file cannot be opened. */
MUST_CHECK enum err journal_open(struct journal *journal, struct slice path, int64_t flush_ms);
/* Writes the waiting lines and closes the file. */
void journal_close(struct journal *journal);
/* Add the line of a call's beginning or end. */
void journal_begin(struct journal *journal, const struct journal_call *call, int64_t now_ms);
void journal_end(struct journal *journal, const struct journal_call *call, int64_t now_ms);
/* Writes the waiting lines if they are due. Call it once per turn. */
void journal_turn(struct journal *journal, int64_t now_ms);
/* Writes the waiting lines. */
void journal_flush(struct journal *journal);

#endif
