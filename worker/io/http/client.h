/* HTTP exchanges: many calls in one uv loop on libcurl, HTTP/1.1, connections pooled and kept
 * alive. The only room that sees curl. Whoever sends requests opens a channel and gives its hearer:
 * the engine's calls are one channel; all channels share the connections.
 *
 * Everything happens in http_step and http_obey: commands only queue, uv's callbacks only take
 * notes. So hearers hear of the network after engine_time of the same turn, curl's handles are
 * never added or removed inside curl, and a command never calls back. Queued commands and due
 * deadlines wake the loop by themselves.
 *
 * A request is sent at most once: curl's own "try again on a fresh connection" is let through only
 * while not one byte of the request has left. Retries belong to the hearer. */
#ifndef IO_HTTP_CLIENT_H
#define IO_HTTP_CLIENT_H

#include "engine/ports.h"

#define HTTP_CALLS_PER_MULTI 256 /* curl searches the connections of one multi one by one */

struct uv_loop_s;
struct http;
struct exchange_channel;

/* Who hears what comes of the exchanges of one channel. The head comes once and whole (the last one
 * after any 100-continue), body bytes as they arrive, `ended` once and last. Slices are borrowed
 * for the event. A hearer may start and cancel exchanges from inside an event. */
struct exchange_hearer {
    void *self; /* first argument of each */
    void (*head)(void *self, struct call_ref ref, int status, struct slice head);
    void (*body)(void *self, struct call_ref ref, struct slice bytes);
    void (*ended)(void *self, struct call_ref ref, const struct call_end *end);
};

/* Texts are borrowed until http_new returns. */
struct http_config {
    int64_t connect_ms;    /* names, TCP and TLS together */
    int64_t first_byte_ms; /* from the start of the call to the first byte of the answer's head */
    int64_t idle_ms;       /* between two pieces of the answer */
    int64_t total_ms;      /* from start to end */
    /* a pooled connection unused for longer is not used, and closed when its pool rests */
    int64_t max_idle_age_ms;
    uint32_t max_in_flight; /* exchanges of all channels at once */
    size_t max_head_bytes;  /* of an answer, interim answers included: HTTP_HEAD_BYTES_MAX */
    const char *ca_bundle;  /* PEM file; NULL = the system's */
    /* URL; "" = none, NULL = http_proxy, https_proxy, no_proxy … of the environment */
    const char *proxy;
};

/* NULL when out of memory. */
MUST_CHECK struct http *http_new(struct uv_loop_s *loop, const struct http_config *config);
/* A channel for up to `exchanges_max` exchanges at once, whose ref.index is below it; the channels
 * together have at most max_in_flight. `hearer` is copied. The channel lives until http_free. NULL
 * when out of memory. */
MUST_CHECK struct exchange_channel *
http_channel_open(struct http *http, const struct exchange_hearer *hearer, uint32_t exchanges_max);

/* Commands: they queue. No exchange of this index is under way in the channel. The request is
 * borrowed until hearer.ended or http_cancel. */
void http_start(struct exchange_channel *channel, struct call_ref ref,
                const struct http_request *request);
/* No event of this exchange follows, and its index may be used again at once. An exchange that has
 * ended is left alone. True: a byte of its request may have reached the service. */
bool http_cancel(struct exchange_channel *channel, struct call_ref ref);

/* Once in every turn of the loop, after engine_time and before engine_turn: begins and cancels what
 * was asked for, reads and writes sockets, calls hearers. Never blocks. */
void http_step(struct http *http);
/* Once in every turn, after engine_turn: what was asked for since the step, so that it needs no
 * turn of its own. True: a hearer heard something, and the engine wants another turn at once. */
MUST_CHECK bool http_obey(struct http *http);

/* libcurl and the libraries that it uses, with their versions, in one line. */
const char *http_library_versions(void);

struct http_stats {
    uint64_t calls;           /* begun */
    uint64_t connections;     /* begun since birth */
    uint64_t resends_refused; /* calls that curl would have sent a second time */
    uint64_t deaf;            /* sockets that could not be watched: out of memory */
    size_t sockets;           /* open now */
};
void http_stats(const struct http *http, struct http_stats *ret_stats);

/* Breaks all calls off without an event and closes all connections; then the loop must run until
 * http_is_closed, and http_free gives the memory back. */
void http_close(struct http *http);
bool http_is_closed(const struct http *http);
void http_free(struct http *http); /* NULL is fine */

#endif
