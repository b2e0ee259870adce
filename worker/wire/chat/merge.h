/* The model's own fields: `model_kwargs` and `additional_model_request_fields` of a request become
 * one object, and defaults go under it. */
#ifndef WIRE_CHAT_MERGE_H
#define WIRE_CHAT_MERGE_H

#include "wire/chat/reader.h"

/* Takes the parameters out of model_kwargs, as LangChain does, and merges the rest with the
 * additional fields, which win, byte for byte; a single object stays as it was written. Notes the
 * mistakes of single members; else ERR_INVALID, ERR_NO_MEMORY. */
MUST_CHECK enum err merge_fields(struct reader *reader);
/* Puts the members of `object` (JSON) that the additional fields do not have before them. A
 * parameter that goes there, too, wins. ERR_NO_MEMORY. */
MUST_CHECK enum err merge_under(struct reader *reader, struct slice object);

#endif
