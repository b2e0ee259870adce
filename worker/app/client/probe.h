/* A call to a model that costs nothing, for `check --connect`: Converse without a message and with
 * a maxTokens of 0, InvokeModel with an array. Once Bedrock has accepted the signature, it
 * rejects the call with a ValidationException (API reference, InferenceConfiguration: maxTokens is
 * at least 1; every vendor's body is an object). */
#ifndef APP_CLIENT_PROBE_H
#define APP_CLIENT_PROBE_H

#include "app/assembly.h"
#include "wire/bedrock/sigv4.h"
#include "wire/formats/why.h"

#define PROBE_TIMEOUT_MS 10000

/* What a probe found. */
struct probe {
    char url[ENDPOINT_URL_MAX + 1]; /* scheme, host and base path of the endpoint */
    bool is_answered;               /* an HTTP answer came; if not, `why` says what failed */
    int64_t took_ms;
    int status;     /* of HTTP */
    struct why why; /* what the answer means (wire/bedrock/fault.def): REJECTED when all is well */
    /* How far the service's clock is ahead; not 0 = the probe called again with the right time. */
    int64_t clock_offset_ms;
};

/* Calls the model of a request, in its region (empty = the worker's) and with its API; of the rest
 * only provider and base_model are read. Blocks for up to two PROBE_TIMEOUT_MS. */
void probe_model(const struct assembly *assembly, const struct credentials *credentials,
                 const struct request *asked, struct probe *ret_probe);
/* Has Bedrock count the tokens of a message for the model (CountTokens, which is free too): shows
 * whether the account may use it, where Bedrock counts for it. Otherwise as probe_model. */
void probe_count(const struct assembly *assembly, const struct credentials *credentials,
                 const struct request *asked, struct probe *ret_probe);

#endif
