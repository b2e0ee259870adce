/* The field structured_output: its members, read and checked (request_read_structured). What is
 * sent for it: structured_sent.h. */
#ifndef WIRE_CHAT_STRUCTURED_H
#define WIRE_CHAT_STRUCTURED_H

#include "wire/chat/reader.h"

/* Whether Bedrock takes the string as the name of a tool (ToolName of its service model). `hint`
 * stands behind the error. ERR_INVALID, ERR_NO_MEMORY. */
MUST_CHECK enum err structured_check_name(struct reader *reader, const struct json *value,
                                          const char *path, const char *hint);

#endif
