/* The `tool_calls` of an assistant's message: LangChain's {name, args, id}, or OpenAI's {id,
 * function {name, arguments}} with the arguments as text. */
#ifndef WIRE_CHAT_CALLS_H
#define WIRE_CHAT_CALLS_H

#include "wire/chat/turns.h"

/* `path` is that of the list, which is an array or null. Notes the mistakes of single calls. */
MUST_CHECK enum err calls_read(struct turns *turns, const struct json *list, const char *path);

#endif
