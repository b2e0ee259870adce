/* The model that a request names: an alias of the settings, a model id or an ARN. */
#ifndef WIRE_CHAT_MODEL_H
#define WIRE_CHAT_MODEL_H

#include "wire/chat/reader.h"

/* Fills the request's model and region, and the alias's defaults for what the request leaves out.
 * ERR_UNKNOWN_MODEL, ERR_INVALID. */
MUST_CHECK enum err model_resolve(struct reader *reader);

#endif
