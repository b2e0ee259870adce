/* Credential providers: each looks for keys in one place of the AWS SDKs' chain, in a file of
 * providers/ with a row in providers.def; chain.h asks them in order.
 *
 * A provider is one function that runs from its beginning to its end in a thread of its own, so it
 * reads like the rule that it follows: it may read files, wait, and call search_http, which blocks
 * this thread only. It keeps nothing between two searches. The ports of the search are its only way
 * to the network, the clock and the log: in the worker, requests go through the loop's connection
 * pool; a command sends them itself; a test answers them.
 *
 * What it answers:
 *   OK                  ret_keys holds the keys (keys_set) with their end and source.
 *   ERR_NOT_FOUND       not configured here: the chain asks the next one. The provider says what is
 *                       missing with search_lacks ("AWS_ACCESS_KEY_ID is not set").
 *   ERR_NO_CREDENTIALS  configured and broken: the chain ends, nothing falls through. The provider
 *                       says what is wrong and what to do with search_fail.
 *   ERR_CANCELLED       the worker stops.
 *   ERR_NO_MEMORY
 * Texts name files, profiles, variables and hosts, and never a value that may be secret. */
#ifndef IO_AWS_PROVIDER_H
#define IO_AWS_PROVIDER_H

#include "base/buf.h"
#include "io/aws/environment.h"
#include "io/aws/keys.h"
#include "wire/formats/http.h"

#define SEARCH_REASON_MAX      2048
#define SEARCH_ANSWER_MAX      ((size_t)256 * 1024) /* most bytes of an answer that are read */
#define SEARCH_CHAIN_MAX       16                   /* profiles that refer to each other */
#define SEARCH_HTTP_REASON_MAX 448

struct search_request {
    enum http_method method;
    struct slice url;     /* NUL-terminated behind */
    struct slice headers; /* lines `Name: value\r\n` */
    struct slice body;
    bool is_direct;     /* metadata: never through a proxy */
    int64_t timeout_ms; /* from its start to the end of the answer */
};

struct search_answer {
    int status;
    struct buf head, body; /* search_answer_init; may hold secrets, so search_answer_done wipes */
    char reason[SEARCH_HTTP_REASON_MAX]; /* why there is none; "" = there is one */
};

void search_answer_init(struct search_answer *answer);
void search_answer_done(struct search_answer *answer);

/* `self` is the first argument of each. */
struct search_ports {
    void *self;
    /* Sends a request over a connection without redirects, waits for the whole answer. OK whatever
     * the status; ERR_CONNECTION, ERR_TIMEOUT, ERR_BROKEN_STREAM, ERR_TOO_LARGE (over
     * SEARCH_ANSWER_MAX), ERR_CANCELLED, ERR_NO_MEMORY; then ret_answer->reason says why. */
    enum err (*http)(void *self, const struct search_request *request,
                     struct search_answer *ret_answer);
    int64_t (*wall_ms)(void *self);
    /* Waits `ms`; false: the search is cancelled. */
    bool (*pause)(void *self, int64_t ms);
    /* A descriptor that becomes readable when the search is cancelled, for poll(2); -1 = none. */
    int (*cancel_fd)(void *self);
    /* Logs a line at debug: `who` is the name of its row. */
    void (*note)(void *self, const char *who, struct slice text);
};

/* One search for the keys of one identity. */
struct search {
    const struct aws_environment *environment; /* variables and files, read a moment ago */
    const struct search_ports *ports;
    char profile[AWS_PROFILE_MAX]; /* whose keys are sought; source_profile changes it */
    char region[128]; /* of STS; the environment's, unless the settings name another; "" = none */
    bool uses_variables;  /* false: a profile is named that goes before the environment's
                             keys and web identity */
    bool needs_signature; /* a bearer token does not serve */
    bool is_costly;       /* it has sent a request or started a process */
    struct slice visited[SEARCH_CHAIN_MAX]; /* the profiles with roles that led here */
    size_t visited_count;
    /* The chain, for search_in_profile and search_at. */
    enum err (*find_in_profile)(struct search *search, struct keys *ret_keys);
    enum err (*find_at)(struct search *search, struct slice credential_source,
                        struct keys *ret_keys);
    char reason[SEARCH_REASON_MAX]; /* what each provider lacks, or what is broken */
};

/* A provider; see above. */
typedef enum err provider(struct search *search, struct keys *ret_keys);

/* When a provider takes part. */
enum provider_part {
    PROVIDER_VARIABLES, /* not when a profile is named by the settings, nor for a source_profile */
    PROVIDER_ROLE,      /* the profile's role; a source_profile's role is its own business */
    PROVIDER_PROFILE,   /* for the profile, and for each source_profile */
    PROVIDER_MACHINE,   /* after all others */
};

struct provider_row {
    const char *name; /* in providers.def */
    provider *find;
    enum provider_part part;
    const char *canonical; /* its name as credential_source; NULL = none */
    const char *source;    /* for people */
    const char *needs;     /* what has to be set; for the manual */
};

#define PROVIDER(name, part, canonical, source, needs) provider provider_##name;
#include "io/aws/providers.def"
#undef PROVIDER

/* ---- for providers ---- */

/* Adds a clause to the reason, and returns ERR_NOT_FOUND. */
enum err search_lacks(struct search *search, const char *format, ...) PRINTF(2, 3);
/* Replaces the reason, and returns ERR_NO_CREDENTIALS. */
enum err search_fail(struct search *search, const char *format, ...) PRINTF(2, 3);
/* As search_fail, for an `err` that is not to be passed on as it is: ERR_CANCELLED and
 * ERR_NO_MEMORY return themselves. `what` is what the provider did ("asking http://…"). */
enum err search_fail_with(struct search *search, enum err err, const char *what,
                          const char *reason);
/* As search_fail, for a key or token that keys_set does not take; `what` names it and its place. */
enum err search_fail_unclean(struct search *search, const char *what);
/* A property of search->profile, from `credentials` or else from `config`; the null slice = it is
 * missing or empty. Borrows the environment. */
struct slice search_property(const struct search *search, const char *name);
/* As search_property, from one file only. */
struct slice search_property_in(const struct search *search, enum profiles_file file,
                                const char *name);
/* Writes where the property stands, for people: `role_arn of profile x in /…/config`. */
void search_property_source(const struct search *search, const char *name,
                            char ret_source[AWS_SOURCE_MAX]);
/* Reads a whole file of at most `limit` bytes into an initialized buf, with the path's `~/` for the
 * home. On an error (ERR_IO, ERR_TOO_LARGE, ERR_NO_MEMORY) ret_reason names path and cause. */
MUST_CHECK enum err search_read_file(const struct search *search, struct slice path, size_t limit,
                                     struct buf *ret_text, char ret_reason[AWS_REASON_MAX]);
/* Sends the request by the ports, into an initialized answer. */
MUST_CHECK enum err search_http(struct search *search, const struct search_request *request,
                                struct search_answer *ret_answer);
/* Finds the keys of search->profile as a source_profile: without variables, roles and metadata.
 * ERR_NOT_FOUND: it has none. */
MUST_CHECK enum err search_in_profile(struct search *search, struct keys *ret_keys);
/* Finds the keys of one provider by its name as credential_source. ERR_NOT_FOUND: it has none;
 * ERR_INVALID: there is no such source. */
MUST_CHECK enum err search_at(struct search *search, struct slice credential_source,
                              struct keys *ret_keys);
/* Takes keys that a provider has read, and sets their source. Parts with a byte that no key has are
 * a failure that names `source`, never the value. */
MUST_CHECK enum err search_take(struct search *search, struct keys *ret_keys,
                                const struct keys_parts *parts, const char *source);
void search_note(const struct search *search, const char *who, struct slice text);
int64_t search_wall_ms(const struct search *search);

#endif
