/* OpenAI's tool calls while an answer is heard, whole or in pieces: each piece becomes a
 * tool_call_chunk of the step, and all together the message's calls. Calls differ by their `index`;
 * a piece without one goes on with the last call, unless it has an id. Arguments are JSON as text;
 * those that are no object make an invalid call. The calls lie in the answer's arena, their
 * arguments on the heap until tool_calls_done. Private to this folder. Source: OpenAI's Chat
 * Completions; LangChain's ToolCall, InvalidToolCall and ToolCallChunk. */
#ifndef WIRE_BEDROCK_INVOKE_TOOL_CALLS_H
#define WIRE_BEDROCK_INVOKE_TOOL_CALLS_H

#include "wire/bedrock/invoke/parts.h"

#define CALLS_MAX 4096

/* A list of calls, or of pieces of calls; other values say nothing. */
MUST_CHECK enum err tool_calls_hear(struct said *said, const struct json *list);
/* The content is the text as a string; the calls beside it. */
MUST_CHECK enum err tool_calls_keep(struct said *said, struct answer *ret_answer);
void tool_calls_done(struct said *said);

#endif
