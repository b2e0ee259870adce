/* What is sent for the field structured_output. A schema is sent as the one tool of the request
 * (function_calling), as Converse's outputConfig (json_schema) or in the system's text with a begun
 * answer (prompt_prefill), as ChatBedrockConverse's with_structured_output sends it. */
#ifndef WIRE_CHAT_STRUCTURED_SENT_H
#define WIRE_CHAT_STRUCTURED_SENT_H

#include "wire/chat/turns.h"

/* Puts the field into the request: `tools` and `tool_choice`, or `output_config`, or one more text
 * of `stop`. The model must be known. `has_tools`: the request gives tools or tool_choice itself.
 * ERR_INVALID, ERR_REQUEST_TOO_LARGE, ERR_NO_MEMORY. */
MUST_CHECK enum err structured_apply(struct reader *reader, bool has_tools);

/* For prompt_prefill; the others leave the turns as they are. Room for their blocks and messages:
 */
#define STRUCTURED_BLOCKS_MAX 2
/* Behind the first message: adds the schema to its text if it is the system's, else before all
 * others. ERR_REQUEST_TOO_LARGE, ERR_NO_MEMORY. */
MUST_CHECK enum err structured_instruct(struct turns *turns);
/* Behind the last message: begins the answer. Likewise. */
MUST_CHECK enum err structured_prefill(struct turns *turns);

#endif
