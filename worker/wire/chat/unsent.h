/* What a request gives and its model does not take: it is left out, and the request remembers it
 * for a log line. Models that refuse temperature and top_p (traits.def), as LangChain's
 * ChatBedrockConverse does; max_tokens at Nova's highest level of reasoning, which AWS's Nova guide
 * forbids; what the alias says (`drop`). */
#ifndef WIRE_CHAT_UNSENT_H
#define WIRE_CHAT_UNSENT_H

#include "wire/chat/reader.h"

/* Takes the parameters out of the request that its model does not take. `alias` NULL: none is
 * named. The model is resolved, and the additional fields are whole. ERR_NO_MEMORY. */
MUST_CHECK enum err unsent_drop(struct reader *reader, const struct model_alias *alias);
/* The names of what was left out: `temperature, top_p`. */
void unsent_add_names(struct buf *names, uint32_t dropped);

#endif
