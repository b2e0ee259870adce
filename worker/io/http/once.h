/* One HTTP exchange that its caller waits for: for commands. The worker's calls go through
 * io/http/client.h. */
#ifndef IO_HTTP_ONCE_H
#define IO_HTTP_ONCE_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "io/http/client.h"

#define HTTP_ONCE_WORDS_MAX 256

struct http_once_answer {
    int status;
    struct buf head, body;           /* initialized by the caller; their limits bound the answer */
    char words[HTTP_ONCE_WORDS_MAX]; /* why there is none */
};

/* Sends the request over a connection of its own by `config`'s certificates, proxy and connect_ms,
 * and waits up to `timeout_ms` in all. ERR_TIMEOUT; ERR_CONNECTION (no way there, no TLS);
 * ERR_BROKEN_STREAM (cut off, or over the limits); ERR_NO_MEMORY. */
MUST_CHECK enum err http_once(const struct http_config *config, const struct http_request *request,
                              int64_t timeout_ms, struct http_once_answer *ret_answer);

#endif
