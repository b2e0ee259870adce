/* HTTP exchanges: many calls in one uv loop on libcurl, HTTP/1.1, connections pooled and kept
 * alive. The only room that sees curl. Events go to engine_call_head, engine_call_body and
 * engine_call_ended (engine/ports.h).
 *
 * Everything happens in http_step and http_obey: commands only queue, uv's callbacks only take
 * notes. So the engine hears of the network after engine_time of the same turn, curl's handles are
 * never added or removed inside curl, and a command never calls back. Queued commands and due
 * deadlines wake the loop by themselves.
 *
 * A call is sent at most once: curl's own "try again on a fresh connection" is let through only
 * while not one byte of the request has left. Retries belong to the engine. */
#ifndef IO_HTTP_CLIENT_H
#define IO_HTTP_CLIENT_H

#include "engine/ports.h"

#define HTTP_CALLS_PER_MULTI 256 /* curl searches the connections of one multi one by one */

struct uv_loop_s;
struct http;

/* Texts are borrowed until http_new returns. */
struct http_config {
    int64_t connect_ms;    /* names, TCP and TLS together */
    int64_t first_byte_ms; /* from the start of the call to the first byte of the answer's head */
    int64_t idle_ms;       /* between two pieces of the answer */
    int64_t total_ms;      /* from start to end */
    /* a pooled connection unused for longer is not used, and closed when its pool rests */
    int64_t max_idle_age_ms;
    uint32_t max_in_flight; /* call_ref.index is below it */
    size_t max_head_bytes;  /* of an answer, interim answers included: HTTP_HEAD_BYTES_MAX */
    const char *ca_bundle;  /* PEM file; NULL = the system's */
    /* URL; "" = none, NULL = http_proxy, https_proxy, no_proxy … of the environment */
    const char *proxy;
};

/* NULL when out of memory. */
MUST_CHECK struct http *http_new(struct uv_loop_s *loop, const struct http_config *config);
/* Who hears the events; before the first call. */
void http_attach(struct http *http, struct engine *engine);

/* The commands of engine/ports.h: they queue. The request is borrowed until engine_call_ended or
 * http_call_cancel. */
void http_call_start(struct http *http, struct call_ref call, const struct http_request *request);
/* No event of this call follows, and its index may be used again at once. A call that has ended is
 * left alone. True: a byte of its request may have reached the service. */
bool http_call_cancel(struct http *http, struct call_ref call);

/* Once in every turn of the loop, after engine_time and before engine_turn: begins and cancels what
 * was asked for, reads and writes sockets, tells the engine. Never blocks. */
void http_step(struct http *http);
/* Once in every turn, after engine_turn: what was asked for since the step, so that it needs no
 * turn of its own. True: the engine was told something and wants another turn at once. */
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
