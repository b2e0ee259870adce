/* The conversation of a request: `messages` or `prompt` to system and turns. */
#ifndef WIRE_CHAT_CONVERSATION_H
#define WIRE_CHAT_CONVERSATION_H

#include "wire/chat/reader.h"

/* Notes the mistakes of single messages and goes on; else ERR_INVALID, ERR_UNKNOWN_TEMPLATE,
 * ERR_TEMPLATE_VARIABLES, ERR_REQUEST_TOO_LARGE, ERR_NO_MEMORY. */
MUST_CHECK enum err conversation_read(struct reader *reader);

#endif
