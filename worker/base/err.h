/* Every way an operation can fail, and what the worker does about it: one list, err.def. Its remedy
 * column is the retry policy; its code column is the `error.code` of an error response
 * (schema/README.md). An error is a value without text; the code that a person must act on adds
 * text where it fails. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum remedy {
    DO_NOTHING,    /* no failure */
    DO_REJECT,     /* final: respond with an error */
    DO_RETRY,      /* retry, up to max_attempts */
    DO_RETRY_ONCE, /* as DO_RETRY, but once for this cause */
    DO_BACK_OFF,   /* retry until time is up */
    DO_PACE,       /* likewise, as soon as the target's quota allows */
    DO_REFRESH,    /* retry once, after credentials or the clock offset changed */
    DO_STOP,       /* the worker cannot go on */
};

enum err {
    OK = 0,
#define ERR(name, remedy, code, retryable, words) ERR_##name,
#include "base/err.def"
#undef ERR
    ERR_COUNT
};

/* The columns of a row; texts are constants. `err` must be a value of the list. */
enum remedy err_remedy(enum err err);
/* Such as `throttled`; "internal" for errors that no client should see. */
const char *err_code(enum err err);
/* 1: the same request may succeed later. */
int err_retryable(enum err err);
/* A clause for people, such as "the connection failed"; without data. */
const char *err_words(enum err err);
/* Such as THROTTLED. */
const char *err_name(enum err err);

#endif
