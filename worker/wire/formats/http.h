/* An HTTP exchange as the engine sees it: a request ready to send and the head of an answer. No I/O
 * here. */
#ifndef WIRE_FORMATS_HTTP_H
#define WIRE_FORMATS_HTTP_H

#include "base/buf.h"
#include "base/slice.h"

#define HTTP_HEAD_BYTES_MAX 65536 /* of an answer: status line and headers */

enum http_method { HTTP_POST, HTTP_GET, HTTP_PUT };

/* Borrowed by io until the call has ended. */
struct http_request {
    struct slice url;        /* https://host[:port]/path, NUL-terminated behind */
    struct slice headers;    /* lines `Name: value\r\n`, each one ended by CRLF */
    struct slice body;       /* a GET has none */
    enum http_method method; /* zeroed: a POST */
    bool is_direct;          /* never through a proxy */
};

/* The last value of a header in a raw head (lines ended by CRLF or LF; names without case),
 * trimmed; null = none. */
struct slice http_header(struct slice head, const char *name);
/* Milliseconds that the head asks to wait: x-amz-retry-after (ms), else Retry-After (seconds or an
 * HTTP date, RFC 9110), from 0 to 15 minutes; -1 = it asks for none. A date counts from the
 * answer's own Date, else from wall_ms. */
int64_t http_retry_after_ms(struct slice head, int64_t wall_ms);

#endif
