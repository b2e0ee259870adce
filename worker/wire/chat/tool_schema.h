/* The schema of a tool's input as Bedrock gets it. Bedrock counts unions of types, 16 in all, so
 * LangChain takes the branch `null` out of `anyOf` and out of lists of types, and this room does as
 * it does (langchain-aws, _strip_null_anyof): one branch that remains stands in place of its list.
 * All else stays byte for byte. */
#ifndef WIRE_CHAT_TOOL_SCHEMA_H
#define WIRE_CHAT_TOOL_SCHEMA_H

#include "wire/formats/json.h"

/* Borrows the schema when nothing of it changes, else writes into the arena. ERR_NO_MEMORY. */
MUST_CHECK enum err tool_schema_slim(struct arena *arena, const struct json *schema,
                                     struct slice *ret_schema);

#endif
