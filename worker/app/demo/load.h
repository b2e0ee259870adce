/* `bedrock-worker load`: a steady stream of requests of three tenants, and what came of them.
 * load.c sends and reads, load_tally.c counts; the tally is pure. It knows its own requests by
 * their id, `load-RUN-NUMBER`, and ignores those of others. */
#ifndef APP_DEMO_LOAD_H
#define APP_DEMO_LOAD_H

#include "app/client/reading.h"
#include "app/settings/settings.h"
#include "base/attr.h"
#include "base/buf.h"

#define LOAD_TENANTS      3
#define LOAD_REQUESTS_MAX 100000000

struct load_tenant {
    const char *name;
    int64_t asked, answered, failed;
    int64_t input_tokens, output_tokens;
    int64_t lost_calls; /* that ended with their worker, and were made again */
};

struct load_tally {
    char run[16];
    struct load_tenant tenants[LOAD_TENANTS];
    uint8_t *answers; /* of each request; 2 = more than one */
    size_t room;      /* requests that `answers` has room for */
    size_t sent;
    int64_t answered, twice;
    char trouble[256]; /* the first error of a request; "" = none */
};

/* An answer to show. */
struct load_answer {
    size_t number;
    struct slice text; /* lies in the arena or the record */
    bool is_new;       /* the first answer to a request of this run */
    bool is_ok;
};

void load_tally_init(struct load_tally *tally, uint64_t seed);
void load_tally_done(struct load_tally *tally);
/* Appends value and key of the next request and counts it; `model` may be null. False: out of
 * memory. */
MUST_CHECK bool load_tally_ask(struct load_tally *tally, struct slice model, struct buf *ret_value,
                               struct buf *ret_key);
/* Counts a response. The answer is of this run when it is_new. */
void load_tally_add_response(struct load_tally *tally, struct arena *arena, struct slice value,
                             struct load_answer *ret_answer);
/* Counts a usage record. */
void load_tally_add_usage(struct load_tally *tally, struct arena *arena, struct slice value);
/* The tenant of a request. */
const char *load_tally_tenant(const struct load_tally *tally, size_t number);
/* Requests without an answer. */
int64_t load_tally_open(const struct load_tally *tally);
/* Appends the table: a line for each tenant, with its heading. */
void load_tally_add_table(const struct load_tally *tally, struct buf *text);

struct load_options {
    int64_t rate;     /* requests a second */
    int64_t requests; /* 0 = until a signal */
    int64_t every_ms; /* between two tables */
    int64_t wait_ms;  /* for the last answers */
};

/* Sends requests and prints answers and tables; returns the exit code: done when every request has
 * exactly one answer. */
int load_run(const struct settings *settings, const struct load_options *options);

#endif
