/* A small HTTP server in the worker's loop, on libmicrohttpd, for people and probes: GET and HEAD
 * of pages that the answerer makes whole. It has no thread of its own and no TLS; it listens on the
 * loopback unless the settings say otherwise. Only this folder uses libmicrohttpd in the worker.
 *
 * Limits: SERVER_CONNECTIONS_MAX connections (a new one then ends the oldest), 16 KiB of head,
 * SERVER_IDLE_S seconds without a byte. A connection has one request: the answer goes out as soon
 * as the head is there, so that a client which announces a body and sends none holds nothing, and
 * libmicrohttpd then ends the connection (`Connection: close`), because it cannot know where the
 * next request would begin. Keep-alive would save a scraper of one page each 5 seconds a handshake,
 * some 50 us, and would hold a place among the 32 for it. A request whose Host is neither an IP
 * address nor localhost nor one of `hosts` gets 421, so that no page of another site can read the
 * worker's by DNS rebinding. Sources: RFC 9110, RFC 9112; Content Security Policy Level 3. Loop
 * thread only. */
#ifndef IO_SERVER_SERVER_H
#define IO_SERVER_SERVER_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/slice.h"

#define SERVER_CONNECTIONS_MAX 32
#define SERVER_IDLE_S          10
#define SERVER_DEFAULT         "127.0.0.1:9464"
#define SERVER_NAME            "bedrock-worker" /* the header Server of each answer */
#define SERVER_PORTS_TRIED     16 /* of a default address: the next free one is used */
#define SERVER_PAGE_BYTES_MAX  ((size_t)16 * 1024 * 1024)
#define SERVER_PROBLEM_MAX     256

struct uv_loop_s;
struct server;

struct server_page {
    int status;         /* HTTP */
    const char *type;   /* a constant */
    const char *policy; /* Content-Security-Policy, a constant; NULL = nothing may load */
    struct buf *body;   /* the answerer appends */
};

struct server_config {
    const char *address;       /* "host:port" with an IP address, "[::1]:9464"; not empty */
    bool may_take_next;        /* a taken port: try the next ones */
    const struct slice *hosts; /* globs of host names beside IP addresses and localhost */
    size_t host_count;
    /* Makes the page of a path such as `/explain`; `query` is as it came, without `?`, and may be
     * the null slice. 404 for a path that it does not know. */
    void (*answer)(void *self, struct slice path, struct slice query, struct server_page *ret_page);
    void *self;
};

/* Listens. Copies the configuration except for the texts, which are borrowed until server_free.
 * NULL: ret_problem says why. */
MUST_CHECK struct server *server_new(struct uv_loop_s *loop, const struct server_config *config,
                                     char ret_problem[SERVER_PROBLEM_MAX]);
/* The port it listens on; not the one asked for where that was taken. */
int server_port(const struct server *server);
/* Serves what has come; each turn of the loop. Returns whether there is more to do at once. */
bool server_step(struct server *server);
/* Closes the handles; the owner runs the loop until server_is_closed before it frees the server. */
void server_close(struct server *server);
bool server_is_closed(const struct server *server);
/* NULL is allowed. */
void server_free(struct server *server);

/* Whether a text is an address to listen on: 127.0.0.1:9464, [::1]:9464. */
bool server_knows_address(const char *address);
/* Whether a Host header (host, host:port, [::1]:port) may be answered. */
bool server_knows_host(const struct slice *hosts, size_t host_count, struct slice host);

#endif
