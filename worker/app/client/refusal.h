/* What Bedrock's answer to a probe (probe.h) says about the model: refusal.def has the texts. Only
 * `check` asks for them; what the worker does after an error never depends on a text
 * (wire/bedrock/fault.h). */
#ifndef APP_CLIENT_REFUSAL_H
#define APP_CLIENT_REFUSAL_H

#include "base/slice.h"
#include "wire/formats/why.h"

enum refusal_kind {
    REFUSAL_UNKNOWN, /* says nothing about the model */
    REFUSAL_OF_MODEL,
    REFUSAL_BY_MODEL,
    REFUSAL_OF_PROBE,
    REFUSAL_OF_KEYS,
    REFUSAL_FOR_NOW /* nothing about the model, and another answer comes later */
};

struct refusal {
    enum refusal_kind kind;
    const char *text; /* what it means and what to do; "" = nothing to do */
};

struct refusal refusal_of(const struct why *why);
/* What the regions begin with that can call an inference profile with this id (`us-` for `us.…`),
 * if `region` does not; NULL: it fits, or the model is no profile of a geography. */
const char *refusal_regions(struct slice model, struct slice region);

#endif
