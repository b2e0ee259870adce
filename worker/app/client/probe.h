/* One call to a model that can cost nothing, for `check --connect`: Converse without a message and
 * with a maxTokens of 0, which Bedrock refuses (ValidationException) once it took the signature
 * (API reference, InferenceConfiguration: maxTokens is at least 1). */
#ifndef APP_CLIENT_PROBE_H
#define APP_CLIENT_PROBE_H

#include "app/assembly.h"
#include "wire/bedrock/sigv4.h"
#include "wire/formats/why.h"

#define PROBE_TIMEOUT_MS 10000

struct probe {
    char url[ENDPOINT_URL_MAX + 1]; /* scheme, host and base path of the endpoint */
    bool is_answered;               /* an HTTP response came; else `why` says what went wrong */
    int64_t took_ms;
    int status;     /* HTTP's */
    struct why why; /* what the answer means (wire/bedrock/fault.def): REJECTED when all is well */
    /* not 0: a second call was signed with the service's time, which is so far ahead of ours */
    int64_t clock_offset_ms;
};

/* Blocks, for up to two PROBE_TIMEOUT_MS. `region`: empty = the worker's. */
void probe_model(const struct assembly *assembly, const struct credentials *credentials,
                 struct slice model, struct slice region, struct probe *ret_probe);

#endif
