/* The conversation of a request: `messages` or `prompt` to system and turns. */
#ifndef WIRE_CHAT_CONVERSATION_H
#define WIRE_CHAT_CONVERSATION_H

#include "wire/chat/reader.h"

MUST_CHECK enum err conversation_read(struct reader *reader);

#endif
