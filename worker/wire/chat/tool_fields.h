/* Reads `tools`. A tool comes in one of LangChain's five forms: OpenAI's function, Anthropic's
 * {name, description, input_schema}, a JSON Schema with a title, Converse's toolSpec, or the name
 * of a tool that Bedrock runs; a cachePoint may stand between them. Sources: langchain-core,
 * convert_to_openai_tool; langchain-aws, _format_tools and bind_tools. */
#ifndef WIRE_CHAT_TOOL_FIELDS_H
#define WIRE_CHAT_TOOL_FIELDS_H

#include "wire/chat/values.h"

#define TOOLS_MAX 1000

request_read_field request_read_tools;

#endif
