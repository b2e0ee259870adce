/* AWS Signature Version 4 for requests with a body in memory (AWS General Reference, "Signing AWS
 * API requests"). Service `bedrock`: labels are percent-encoded once on the wire and once more in
 * the canonical URI; signed are host, x-amz-date, x-amz-security-token and the headers that the
 * request names. */
#ifndef WIRE_BEDROCK_SIGV4_H
#define WIRE_BEDROCK_SIGV4_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define SIGV4_HEADERS_MAX      32 /* to sign, beside the three that are always there */
#define SIGV4_PARAMETERS_MAX   64 /* of the query */
#define SIGV4_SECRET_BYTES_MAX 1024

/* Keys are secrets: never logged, and cleared by their owner. */
struct credentials {
    struct slice access_key_id, secret_access_key;
    struct slice session_token; /* null = none */
    struct slice bearer_token;  /* not null: `Authorization: Bearer …` and no signature */
    int64_t expires_wall_ms;    /* INT64_MAX = never */
};

struct sigv4_header {
    struct slice name; /* lower case */
    struct slice value;
};

struct sigv4_request {
    struct slice method;
    struct slice host;  /* as in the Host header, with a port that is not the default one */
    struct slice path;  /* as on the wire */
    struct slice query; /* as on the wire, without '?', in any order; empty = none */
    /* to sign beside host, x-amz-date, x-amz-security-token; any order */
    const struct sigv4_header *headers;
    size_t header_count;
    struct slice body;
    struct slice region, service;
    int64_t wall_ms; /* corrected by the clock offset */
};

/* A day's signing key, kept between calls: it changes with date, region, service and secret. Zeroed
 * = none yet. */
struct sigv4_key {
    char scope[160];         /* date/region/service it was made for */
    uint8_t secret_hash[32]; /* of the secret it was made from */
    uint8_t key[32];
};

/* Percent-encodes everything but unreserved characters (RFC 3986), `/` too. */
void sigv4_add_label(struct buf *buf, struct slice text);
/* For tests and `bedrock-sim`: the canonical request and the string to sign. The buf fails
 * (ERR_TOO_LARGE) when there are more headers, path segments or parameters than the limits have.
 * `canonical` does not lie in `buf`. */
void sigv4_add_canonical(struct buf *buf, const struct sigv4_request *request,
                         struct slice session_token);
void sigv4_add_string_to_sign(struct buf *buf, const struct sigv4_request *request,
                              struct slice canonical);
/* Appends the header lines to send, each ended by CRLF: Authorization, X-Amz-Date[,
 * X-Amz-Security-Token], or Authorization: Bearer. ERR_NO_CREDENTIALS when there are none or they
 * hold CR, LF or NUL; ERR_TOO_LARGE, ERR_NO_MEMORY. */
MUST_CHECK enum err sigv4_add_headers(struct buf *buf, const struct sigv4_request *request,
                                      const struct credentials *credentials, struct sigv4_key *key);
/* Appends the query of a presigned URL ("Authenticating requests: using query parameters"): the
 * request's own parameters, those of the signature, which holds for `expires_s`, and the signature.
 * Only the host is signed beside them; the request's headers do not count. Errors as above, and
 * ERR_NO_CREDENTIALS for a bearer token. */
MUST_CHECK enum err sigv4_add_query(struct buf *buf, const struct sigv4_request *request,
                                    const struct credentials *credentials, int64_t expires_s,
                                    struct sigv4_key *key);

#endif
