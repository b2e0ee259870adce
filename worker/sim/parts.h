/* Private to the simulator's core: sim.c (the thread and its loop), serving.c (the life of one
 * call), judging.c (what it gets), writing.c (sending its answer), parts.c (time, waiting,
 * refusals, counters). libmicrohttpd handles HTTP; a call that must wait is suspended there, and a
 * timer of the simulator resumes it. One thread does everything; others may use only `stopping` and
 * the counters. */
#ifndef SIM_PARTS_H
#define SIM_PARTS_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "base/timers.h"
#include "sim/access.h"
#include "sim/bodies/checks.h"
#include "sim/journal.h"
#include "sim/plan.h"
#include "sim/quota.h"
#include "sim/answers/reply.h"
#include "sim/sim.h"

#define REQUEST_ID_LEN   36
#define HTTP_DATE_LEN    29
#define REFUSAL_TEXT_MAX 340
#define SIM_PROBLEM_MAX  512

enum stage {
    STAGE_HEAD,    /* libmicrohttpd reads the request's head */
    STAGE_BODY,    /* … its body */
    STAGE_WAITING, /* until the answer is due */
    STAGE_WRITING, /* libmicrohttpd sends the answer */
    STAGE_RAW,     /* the simulator writes to the socket, without libmicrohttpd */
    STAGE_ENDED    /* nothing more is sent */
};

/* An error answer because the simulator rejects the request, not because of a planned fault. */
struct refusal {
    const char *type; /* NULL = none */
    int status;
    char text[REFUSAL_TEXT_MAX];
};

/* One call, from its request line to the last byte. */
struct served {
    struct link link; /* in sim->open */
    struct sim *sim;
    struct MHD_Connection *connection;
    enum stage stage;
    bool suspended; /* in libmicrohttpd, until `timer` fires */
    bool begun;     /* counted, and in the ledger */
    bool cut;       /* the simulator ends the answer early */
    bool gone;      /* the client left during the wait */
    bool too_large;
    struct timer timer;
    int64_t due_ms; /* the end of the wait; the timer also fires in between to check the client */
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
    struct buf out, tail;   /* bytes to send: head and tail of a whole answer, or frames */
    size_t out_at;          /* bytes of `out` that are sent */
    size_t raw_bytes;       /* sent in STAGE_RAW */
    int64_t quiet_until_ms; /* when to send the next piece */
    bool fault_done;        /* the stream's fault is over */
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
    int64_t now_ms;      /* monotonic, taken once per turn */
    int64_t date_second; /* of `date` */
    char date[HTTP_DATE_LEN + 1];
    char problem[SIM_PROBLEM_MAX];
};

/* parts.c */
/* Wall time in microseconds since 1970. */
int64_t sim_wall_us(void);
/* Suspends the call until `due_ms`; meanwhile its timer checks whether the client has left. */
void sim_wait(struct served *served, int64_t due_ms);
/* Writes the text of the Date header, `skew_ms` ahead. */
void sim_date(struct sim *sim, int64_t skew_ms, char ret_date[HTTP_DATE_LEN + 1]);
/* Makes the answer of a call an error. */
void sim_refuse(struct served *served, int status, const char *type, const char *text);
/* Any thread. */
void counters_read(const struct counters *counters, struct sim_stats *ret_stats);

/* serving.c: callbacks of libmicrohttpd for a new request, its progress, its end */
void *serving_new(void *sim, const char *target, struct MHD_Connection *connection);
enum MHD_Result serving_step(void *sim, struct MHD_Connection *connection, const char *url,
                             const char *method, const char *version, const char *data,
                             size_t *data_len, void **context);
void serving_ended(void *sim, struct MHD_Connection *connection, void **context,
                   enum MHD_RequestTerminationCode code);
/* Handles the timer of a waiting call: ends the wait, or checks the client and waits on. */
void serving_wake(struct served *served);
/* Counts the call and writes its beginning to the ledger. */
void serving_begin(struct served *served);

/* judging.c */
/* Reads the operation and the model from the path `/model/<id>/<operation>`. */
void judging_find_operation(struct served *served, const char *method);
/* The value of a request header; null = it has none. For struct access_request. */
struct slice judging_header(void *served, const char *name);
/* Checks operation, caller, model and body. Leaves the plan of the call, or a refusal. */
void judging_decide(struct served *served, const char *method);

/* writing.c */
/* Gives the planned answer or the error to libmicrohttpd. MHD_NO closes the connection. */
enum MHD_Result writing_start(struct served *served);
/* Writes more of the endless headers. */
enum MHD_Result writing_raw(struct served *served);
/* Ends the connection with a TCP reset. */
void writing_reset(struct served *served);
/* Answers with `body`, such as the counters. */
enum MHD_Result writing_text(struct served *served, int status, const char *type,
                             struct slice body);
/* Does the answer with this fault still hold a correct message? */
bool writing_is_right(enum fault fault);

#endif
