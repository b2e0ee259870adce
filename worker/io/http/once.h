/* One HTTP exchange that blocks its caller, for commands such as `check`. The running worker uses
 * io/http/client.h. The caller owns request and answer. */
#ifndef IO_HTTP_ONCE_H
#define IO_HTTP_ONCE_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "io/http/client.h"

#define HTTP_ONCE_REASON_MAX 448

struct http_once_answer {
    int status;
    struct buf head, body; /* the caller initializes them; their limits bound the answer */
    char reason[HTTP_ONCE_REASON_MAX]; /* why it failed; "" = it did not */
};

/* Sends the request over a new connection and waits for the answer, up to `timeout_ms` in all. Uses
 * the certificates, the proxy and connect_ms of `config`. ERR_TIMEOUT; ERR_CONNECTION (no
 * connection, no TLS); ERR_BROKEN_STREAM (cut off, or over the limits); ERR_NO_MEMORY. */
MUST_CHECK enum err http_once(const struct http_config *config, const struct http_request *request,
                              int64_t timeout_ms, struct http_once_answer *ret_answer);

#endif
