/* The addresses of hosts: looked up once for all calls, outside the loop's thread, and looked up
 * anew while they are used. (curl would begin one thread for each call that needs a name which is
 * not in its cache: thousands at a start.) A look-up that fails ends the calls that wait for it;
 * known addresses stay in use when a later one fails. */
#ifndef IO_HTTP_NAMES_H
#define IO_HTTP_NAMES_H

#include <uv.h>

#include "base/attr.h"
#include "base/list.h"
#include "base/slice.h"
#include "io/loop/alarm.h"

#define NAMES_MAX      64 /* more hosts are left to curl */
#define NAME_FRESH_MS  30000
#define NAME_WORDS_MAX 256
#define NAME_PAIRS_MAX 1024
#define NAME_HOST_MAX  254

struct names;

struct name {
    struct names *owner;
    uv_getaddrinfo_t request;
    struct link waiting; /* the owner's: who waits for the first answer */
    char host[NAME_HOST_MAX];
    char port[8];
    /* host:port:address,address… as CURLOPT_RESOLVE has it; "" = not known */
    char pairs[NAME_PAIRS_MAX];
    char words[NAME_WORDS_MAX]; /* why not */
    int64_t asked_ms;
    bool is_asking;
    bool is_answered; /* news for names_next_answered */
    bool has_news;    /* `pairs` changed since name_news */
};

/* `alarm` is set when an answer is there. NULL: out of memory. */
MUST_CHECK struct names *names_new(uv_loop_t *loop, struct alarm *alarm);
/* The name of the URL's host; asks for it when it is not known or not fresh. NULL: it needs none
 * (an address, localhost), or there are too many. */
struct name *names_find(struct names *names, struct slice url, int64_t now_ms);
bool name_is_known(const struct name *name);
/* The pairs, if they changed since the last question; else NULL. */
const char *name_news(struct name *name);
/* The next name whose look-up has ended; NULL = none. */
struct name *names_next_answered(struct names *names);

/* Breaks look-ups off; freed when the loop has run until names_are_closed. */
void names_close(struct names *names);
bool names_are_closed(const struct names *names);
void names_free(struct names *names); /* NULL is fine */

#endif
