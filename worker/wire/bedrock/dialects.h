/* The dialects of this version, and which one sends a request. */
#ifndef WIRE_BEDROCK_DIALECTS_H
#define WIRE_BEDROCK_DIALECTS_H

#include "wire/bedrock/dialect.h"

struct dialects {
    const struct dialect *const *rows;
    size_t count;
};

/* The dialect for a request: the first row of the API that it names whose family serves its model;
 * where it names none, the first row that does. `dialects` NULL = those of this version. A request
 * that no row serves gets the first row of its API: such requests are rejected, and only records
 * about them ask. There must be one: the catalog that the request was read against has the same
 * APIs. */
const struct dialect *dialect_for(const struct dialects *dialects, const struct request *request);
/* For catalogs of requests (wire/chat/catalog.h). Where the request leaves it to the worker,
 * Converse, unless the model has none, or the caller writes the body (provider custom). */
void dialect_choose(struct request *request);
MUST_CHECK enum err dialect_check(const struct request *request, struct why *ret_why);
/* The APIs of this version: what a request's and an alias's `api` may be beside `auto`. */
const struct api_name *const *dialect_apis(size_t *ret_count);

#endif
