/* Two objects of a request become one: `model_kwargs` and `additional_model_request_fields`. */
#ifndef WIRE_CHAT_MERGE_H
#define WIRE_CHAT_MERGE_H

#include "wire/chat/reader.h"

/* Takes LangChain's parameters out of model_kwargs, merges the rest with the additional fields. */
MUST_CHECK enum err merge_fields(struct reader *reader);

#endif
