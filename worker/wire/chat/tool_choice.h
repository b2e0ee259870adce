/* Reads `tool_choice`: auto, any, none, true or the name of a tool, as text or in the form of
 * Converse, OpenAI or Anthropic. It is sent as it was asked for: which model accepts which choice,
 * Bedrock knows best. Sources: langchain-aws, _format_tool_choice; the APIs' references. */
#ifndef WIRE_CHAT_TOOL_CHOICE_H
#define WIRE_CHAT_TOOL_CHOICE_H

#include "wire/chat/values.h"

request_read_field request_read_tool_choice;
/* Whether the tools have the one that is chosen. ERR_INVALID. */
MUST_CHECK enum err tool_choice_check(struct reader *reader);

/* The value of a name that was read, JSON; false when out of memory. */
MUST_CHECK bool tool_name(struct reader *reader, struct slice name, struct slice *ret_name);

#endif
