/* Every way an operation can fail, and what the worker does about it: one list, err.def. Its remedy
 * column is the retry policy; its code column is the `error.code` that a client sees (records.md).
 * Errors are values; text for people is made only where a person must act. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum remedy {
    DO_NOTHING,    /* no failure */
    DO_REJECT,     /* final: answer with an error */
    DO_RETRY,      /* try again, attempts bounded */
    DO_RETRY_ONCE, /* as DO_RETRY, at most one more time for this cause */
    DO_BACK_OFF,   /* try again, bounded by time only, and slow the target down */
    DO_REFRESH,    /* try again once, after credentials or the clock offset changed */
    DO_STOP,       /* the worker cannot go on */
};

enum err {
    OK = 0,
#define ERR(name, remedy, code, retryable, words) ERR_##name,
#include "base/err.def"
#undef ERR
    ERR_COUNT
};

enum remedy err_remedy(enum err err);
const char *err_code(enum err err); /* `throttled`, …; "internal" for errors no client should see */
int err_retryable(enum err err);    /* 1: the same request may work later */
const char *err_words(enum err err); /* a sentence part for people, without data */
const char *err_name(enum err err);  /* THROTTLED */

#endif
