/* The addresses of hosts. One look-up (getaddrinfo in uv's thread pool) serves all calls to a host,
 * and is repeated while the host is in use. curl would start one thread per call whose name is not
 * in its cache: thousands at a start. When the first look-up of a host fails, the exchanges that
 * wait for it end; when a later one fails, the known addresses stay in use. */
#ifndef IO_HTTP_NAMES_H
#define IO_HTTP_NAMES_H

#include <uv.h>

#include "base/attr.h"
#include "base/list.h"
#include "base/slice.h"
#include "io/loop/alarm.h"

#define NAMES_MAX       64    /* curl looks up the names of further hosts */
#define NAME_FRESH_MS   30000 /* older addresses are looked up again */
#define NAME_REASON_MAX 256
#define NAME_PAIRS_MAX  1024
#define NAME_HOST_MAX   254

struct names;

/* A host and port. The table owns it. */
struct name {
    struct names *owner;
    uv_getaddrinfo_t request;
    struct link waiting; /* the exchanges that wait for the first look-up; the client's */
    char host[NAME_HOST_MAX];
    char port[8];
    /* host:port:address,address… in the form of CURLOPT_RESOLVE; "" = not known */
    char pairs[NAME_PAIRS_MAX];
    char reason[NAME_REASON_MAX]; /* why the last look-up failed */
    int64_t asked_ms;             /* when the last look-up began */
    bool is_asking;
    bool is_answered; /* a look-up has ended, for names_next_answered */
    bool has_news;    /* `pairs` changed since name_news */
};

/* Makes an empty table; it sets `alarm` when a look-up ends. NULL: out of memory. */
MUST_CHECK struct names *names_new(uv_loop_t *loop, struct alarm *alarm);
/* The name of the URL's host; begins a look-up when its addresses are unknown or old. NULL: the
 * host needs no look-up (an address, localhost), or curl must do it (NAMES_MAX, no memory). */
struct name *names_find(struct names *names, struct slice url, int64_t now_ms);
/* Are there addresses? */
bool name_is_known(const struct name *name);
/* The pairs, if they changed since the last call; NULL otherwise. */
const char *name_news(struct name *name);
/* The next name whose look-up has ended; NULL = none. */
struct name *names_next_answered(struct names *names);

/* The end, in this order: names_close cancels look-ups; the caller runs the loop until
 * names_are_closed; names_free frees the memory (NULL is fine). */
void names_close(struct names *names);
bool names_are_closed(const struct names *names);
void names_free(struct names *names);

#endif
