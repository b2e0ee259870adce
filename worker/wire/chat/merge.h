/* Two objects of a request become one: `model_kwargs` and `additional_model_request_fields`. */
#ifndef WIRE_CHAT_MERGE_H
#define WIRE_CHAT_MERGE_H

#include "wire/chat/reader.h"

/* Takes the parameters out of model_kwargs, as LangChain does, and merges the rest with the
 * additional fields, byte for byte; a single object stays as it was written. Notes the mistakes of
 * single members; else ERR_INVALID, ERR_NO_MEMORY. */
MUST_CHECK enum err merge_fields(struct reader *reader);

#endif
