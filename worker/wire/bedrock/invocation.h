/* A call to a model as an HTTP request: its URL and its signed headers. The engine asks for
 * requests, `check --connect` for a trial. */
#ifndef WIRE_BEDROCK_INVOCATION_H
#define WIRE_BEDROCK_INVOCATION_H

#include "wire/bedrock/dialect.h"
#include "wire/bedrock/endpoint.h"
#include "wire/bedrock/sigv4.h"

struct invocation {
    const struct endpoint *endpoint;
    const struct dialect *dialect;
    const struct request *request; /* whose headers the API adds; model and stream are below */
    struct slice model;            /* id or ARN */
    bool stream;
    struct slice body; /* as on the wire */
    struct slice region, user_agent;
    int64_t wall_ms; /* corrected by the clock offset */
};

/* Fills `url` (a NUL behind the URL counts) and appends to `headers` Authorization, X-Amz-Date[,
 * X-Amz-Security-Token], Content-Type, User-Agent and the API's own, each line ended by CRLF.
 * ERR_NO_CREDENTIALS as sigv4_add_headers; ERR_TOO_LARGE, ERR_NO_MEMORY. */
MUST_CHECK enum err invocation_add(struct buf *url, struct buf *headers,
                                   const struct invocation *invocation,
                                   const struct credentials *credentials, struct sigv4_key *key);
/* One line, ended by CRLF. */
void invocation_add_header(struct buf *headers, const char *name, struct slice value);

#endif
