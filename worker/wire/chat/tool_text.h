/* Calls and their results as text, for a request without tools: Bedrock refuses the blocks then.
 * The words are LangChain's (langchain-aws, _convert_tool_blocks_to_text), which models know. */
#ifndef WIRE_CHAT_TOOL_TEXT_H
#define WIRE_CHAT_TOOL_TEXT_H

#include "base/buf.h"
#include "wire/chat/block.h"

/* Whether the block is one of these. */
bool tool_text_replaces(const struct block *block);
/* Appends `[Called NAME with parameters: JSON]`, `[Called NAME]` or `[Tool output: TEXT]`; nothing
 * for a result that says nothing. */
void tool_text_add(struct buf *text, const struct block *block);

#endif
