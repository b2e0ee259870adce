/* Where Bedrock Runtime answers: `https://bedrock-runtime[-fips].<region>.<suffix>` by partition
 * and dual-stack (AWS endpoint rules for Bedrock Runtime), or the user's own URL. */
#ifndef WIRE_BEDROCK_ENDPOINT_H
#define WIRE_BEDROCK_ENDPOINT_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

#define ENDPOINT_URL_MAX 2047 /* bytes */

struct endpoint {
    struct slice scheme; /* http or https */
    /* for the Host header and the signature: a port that is not the default one included */
    struct slice host;
    struct slice base_path; /* "" or "/prefix", no slash at its end */
};

/* Appends the region's URL. ERR_FORMAT for a text that is not a region's name. */
MUST_CHECK enum err endpoint_add_url(struct buf *buf, struct slice region, bool fips,
                                     bool dual_stack);
/* As endpoint_add_url, for another service of AWS by the first label of its host ("sts"). */
MUST_CHECK enum err endpoint_add_service_url(struct buf *buf, const char *service,
                                             struct slice region, bool fips, bool dual_stack);
/* Appends the user's own URL, or where it is null the region's. */
MUST_CHECK enum err endpoint_choose_url(struct buf *buf, struct slice own_url, struct slice region,
                                        bool fips, bool dual_stack);
/* Takes a URL apart (borrowed): http or https, no user info, query or fragment; else ERR_FORMAT. */
MUST_CHECK enum err endpoint_read(struct slice url, struct endpoint *ret_endpoint);

#endif
