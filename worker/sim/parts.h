/* The inside of the simulator, from the top: sim.c (the thread and its loop), serving.c (the life
 * of one call), writing.c (how its answer goes out), parts.c (time, waiting, counters).
 * libmicrohttpd speaks HTTP; a call that must wait is suspended there and resumed by our timers.
 * All on one thread; only `stopping` and the counters are seen by others. */
#ifndef SIM_PARTS_H
#define SIM_PARTS_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "base/timers.h"
#include "sim/access.h"
#include "sim/journal.h"
#include "sim/plan.h"
#include "sim/quota.h"
#include "sim/reply.h"
#include "sim/sim.h"

#define REQUEST_ID_LEN    36
#define HTTP_DATE_LEN     29
#define REFUSAL_WORDS_MAX 340
#define SIM_PROBLEM_MAX   512

enum stage {
    STAGE_HEAD,    /* the request's head is being read */
    STAGE_BODY,    /* its body is */
    STAGE_WAITING, /* for the time of its answer */
    STAGE_WRITING, /* the answer is with libmicrohttpd */
    STAGE_RAW,     /* we write to the socket ourselves, past libmicrohttpd */
    STAGE_ENDED    /* nothing more will be said */
};

/* An answer that is a refusal of ours and no planned fault. */
struct refusal {
    const char *type; /* NULL = none */
    int status;
    char words[REFUSAL_WORDS_MAX];
};

/* One call, from its request line to the last byte. */
struct served {
    struct link link; /* in sim->open */
    struct sim *sim;
    struct MHD_Connection *connection;
    enum stage stage;
    bool suspended; /* in libmicrohttpd, until `timer` */
    bool begun;     /* counted, and in the ledger */
    bool cut;       /* by us: the answer ends before its end */
    bool gone;      /* the client left while we waited */
    bool too_large;
    struct timer timer;
    int64_t due_ms; /* when the waiting is over; the timer looks in between */
    struct slice path, query, model;
    enum operation operation;
    struct buf body;
    struct arena arena;
    struct refusal refusal;
    struct plan plan;
    struct reply_stream stream;
    struct journal_call facts;
    char request_id[REQUEST_ID_LEN];
    int64_t started_ms; /* monotonic */
    struct quota_bucket *bucket;
    int64_t reserved_tokens;
    struct buf out, tail;   /* bytes to send: a whole answer's ends, or frames */
    size_t out_at;          /* of `out`, sent */
    size_t raw_bytes;       /* sent in STAGE_RAW */
    int64_t quiet_until_ms; /* the next piece goes out then */
    bool fault_done;        /* a stream's fault has been shown */
};

/* Counters that other threads read. */
struct counters {
    _Atomic int64_t calls, ok, errors, gone, open, open_most, input_tokens, output_tokens;
    _Atomic int64_t faults[FAULT_COUNT];
};

struct sim {
    const struct sim_config *config;
    struct planner planner;
    struct quotas quotas;
    struct access_cache access;
    struct journal journal;
    struct random random; /* request ids */
    struct timers timers;
    struct link open; /* every struct served */
    struct counters counters;
    int64_t serial;
    struct MHD_Daemon *daemon;
    int wake; /* eventfd */
    pthread_t thread;
    bool started;
    _Atomic bool stopping;
    int port;
    int64_t now_ms;      /* monotonic, taken once a turn */
    int64_t date_second; /* for which `date` was made */
    char date[HTTP_DATE_LEN + 1];
    char problem[SIM_PROBLEM_MAX];
};

/* parts.c */
int64_t sim_wall_us(void);
/* Suspends the call until due_ms; meanwhile its timer looks whether the client is still there. */
void sim_wait(struct served *served, int64_t due_ms);
/* The Date header's text, skewed by so much. */
void sim_date(struct sim *sim, int64_t skew_ms, char ret_date[HTTP_DATE_LEN + 1]);
/* From any thread. */
void counters_read(const struct counters *counters, struct sim_stats *ret_stats);

/* serving.c: libmicrohttpd's callbacks */
void *serving_new(void *sim, const char *target, struct MHD_Connection *connection);
enum MHD_Result serving_step(void *sim, struct MHD_Connection *connection, const char *url,
                             const char *method, const char *version, const char *data,
                             size_t *data_len, void **context);
void serving_ended(void *sim, struct MHD_Connection *connection, void **context,
                   enum MHD_RequestTerminationCode code);
/* A waiting call whose timer fired: looks whether the client is there, goes on waiting or resumes.
 */
void serving_wake(struct served *served);
/* Counts and journals the beginning. */
void serving_begin(struct served *served);
void serving_refuse(struct served *served, int status, const char *type, const char *words);

/* writing.c */
/* The answer, as planned or refused, is given to libmicrohttpd; MHD_NO closes the connection. */
enum MHD_Result writing_start(struct served *served);
/* More of the endless headers. */
enum MHD_Result writing_raw(struct served *served);
/* Ends the connection with a reset. */
void writing_reset(struct served *served);
/* A JSON body of our own making, e.g. the counters. */
enum MHD_Result writing_text(struct served *served, int status, const char *type,
                             struct slice body);
/* The fault was a matter of form: what came is a right answer. */
bool writing_is_right(enum fault fault);

#endif
