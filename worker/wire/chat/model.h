/* The model that a request names: an alias of the settings, a model id or an ARN. */
#ifndef WIRE_CHAT_MODEL_H
#define WIRE_CHAT_MODEL_H

#include "wire/chat/reader.h"

/* Fills the request's model and region, the alias's defaults for what the request leaves out, and
 * what follows from the model. ERR_UNKNOWN_MODEL, ERR_INVALID, ERR_NO_MEMORY. */
MUST_CHECK enum err model_resolve(struct reader *reader);

/* The region where an alias is called: its own, else that of its ARN; null = the worker's. */
struct slice model_region_of(const struct model_alias *alias);

#endif
