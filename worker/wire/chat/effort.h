/* How much a model is to think: `reasoning.effort` becomes members of the model's own fields, as
 * LangChain's reasoning_effort does. The levels and the members are data of traits.def. */
#ifndef WIRE_CHAT_EFFORT_H
#define WIRE_CHAT_EFFORT_H

#include "wire/chat/reader.h"

/* Puts the members under the additional fields, which win. A model without levels gets none, and
 * the request says so (dropped). ERR_INVALID for a level that the model does not have,
 * ERR_NO_MEMORY. The model is resolved. */
MUST_CHECK enum err effort_apply(struct reader *reader);

#endif
