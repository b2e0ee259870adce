/* Bedrock's InvokeModel and InvokeModelWithResponseStream: the body is the vendor's own. The
 * families of models are rows of families.def. */
#ifndef WIRE_BEDROCK_INVOKE_INVOKE_H
#define WIRE_BEDROCK_INVOKE_INVOKE_H

#include "wire/bedrock/dialect.h"

enum invoke_family {
#define FAMILY(id, name, provider, models, shape, stop_key, takes) INVOKE_##id,
#include "wire/bedrock/invoke/families.def"
#undef FAMILY
    INVOKE_FAMILY_COUNT
};

extern const struct api api_invoke;
extern const struct dialect invoke_dialects[INVOKE_FAMILY_COUNT];

#endif
