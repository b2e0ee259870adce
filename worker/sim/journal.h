/* The simulator's ledger: a JSONL file with one line when a call begins and one when it ends, so
 * that a caller that was killed in between shows as a beginning without a whole end. Lines wait in
 * memory for at most the flush interval. Appended to, never truncated; only the simulator's thread
 * writes. */
#ifndef SIM_JOURNAL_H
#define SIM_JOURNAL_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

/* Everything a line can say. Null texts are left out. */
struct journal_call {
    int64_t serial; /* from 1, in the order of beginnings */
    const char *operation;
    struct slice request_id, model, tag, access_key_id, invocation_id, sdk_request;
    int64_t started_us, ended_us; /* wall clock, microseconds since 1970 */
    const char *outcome;          /* ok, an error's type, a fault's word, client_gone, stopped */
    const char *fault;            /* the word of the planned fault, NULL = none */
    int status;                   /* 0 = none was sent */
    int64_t input_tokens, output_tokens; /* billed */
    bool billed;
    bool whole; /* the answer was written to its end */
};

struct journal {
    int file; /* -1 = none */
    struct buf pending;
    int64_t flush_ms;
    int64_t due_ms; /* INT64_MAX = nothing waits */
    bool broken;    /* a write failed: said once, lines are lost */
};

/* Path empty: nothing is kept. ERR_IO when the file cannot be opened. */
MUST_CHECK enum err journal_open(struct journal *journal, struct slice path, int64_t flush_ms);
void journal_close(struct journal *journal);
void journal_begin(struct journal *journal, const struct journal_call *call, int64_t now_ms);
void journal_end(struct journal *journal, const struct journal_call *call, int64_t now_ms);
/* Writes what is due. */
void journal_turn(struct journal *journal, int64_t now_ms);
void journal_flush(struct journal *journal);

#endif
