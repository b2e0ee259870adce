/* The identities of the worker: keeps the keys of each one fresh (policy/renewal.h), gives them to
 * the engine, and lets others that sign (Kafka's MSK IAM) read them. Each identity searches in a
 * thread of its own (searcher.h), one search at a time; the old keys serve until they end. Unless
 * marked, the functions are for the loop's thread. */
#ifndef IO_AWS_IDENTITIES_H
#define IO_AWS_IDENTITIES_H

#include "engine/ports.h"
#include "io/aws/searcher.h"

/* Borrowed until identities_free. */
struct identities_config {
    const struct chain_identity *list; /* by the numbers that the engine uses; 0 is the default */
    uint32_t count;
    struct http *http;
    struct log_sink *sink;
    struct loop_wake wake;
    uint64_t seed; /* for jitter */
};

struct identities;

/* Starts the threads; searches begin with the first step. Each identity needs room for one exchange
 * in http. NULL: out of memory or threads. */
MUST_CHECK struct identities *identities_new(const struct identities_config *config);
/* Sets the engine that gets the keys of the identities below `count`; the others serve those that
 * ask with identities_keys. */
void identities_attach(struct identities *identities, struct engine *engine, uint32_t count);
/* The service refused the keys: renews them soon, one search for all that ask meanwhile. */
void identities_refresh(struct identities *identities, uint32_t identity);
/* Takes what searches have found, and begins those that are due. Returns when it is to be called
 * again. Call it once per turn. */
int64_t identities_step(struct identities *identities, int64_t now_ms);
/* Ends all searches and their children; no further one begins. */
void identities_cancel(struct identities *identities);
/* After identities_cancel or at once, before http_close. NULL is fine. */
void identities_free(struct identities *identities);

/* Copies the present keys of an identity into keys that are initialized. False: there are none now;
 * ret_reason says why. ret_version changes with the keys. Any thread. */
MUST_CHECK bool identities_keys(struct identities *identities, uint32_t identity,
                                struct keys *ret_keys, uint64_t *ret_version,
                                char ret_reason[SEARCH_REASON_MAX]);

#endif
