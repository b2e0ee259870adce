/* The content of a message: a string, or an array of blocks. */
#ifndef WIRE_CHAT_BLOCKS_H
#define WIRE_CHAT_BLOCKS_H

#include "wire/chat/turns.h"

/* Where a text stands. As in LangChain, a blank string counts only where its turn has nothing else
 * (is_blank), and the strings of consecutive messages become one text (goes_on), blank ones with
 * them. A blank text block is the caller's own; Bedrock refuses blank texts, so `.` stands for it.
 */
enum text_place { TEXT_MESSAGE, TEXT_ELEMENT, TEXT_BLOCK };

/* Adds the content of one message, at the place `path`. Notes the mistakes of single blocks and
 * goes on; else ERR_INVALID, ERR_NO_MEMORY. */
MUST_CHECK enum err blocks_add_content(struct turns *turns, enum role role,
                                       const struct json *content, const char *path);
/* Adds a tool's message: the result of the call `id` (JSON), in the user's turn. `content` may be
 * NULL. Errors as blocks_add_content. */
MUST_CHECK enum err blocks_add_tool_message(struct turns *turns, struct slice id, bool is_error,
                                            const struct json *content, const char *path);
/* Adds a call of a message's tool_calls, behind its content; id and name are JSON. `input` is an
 * object or a text, NULL = none; `path` is the call's. ERR_REQUEST_TOO_LARGE, ERR_NO_MEMORY. */
MUST_CHECK enum err blocks_add_call(struct turns *turns, struct slice id, struct slice name,
                                    const struct json *input, const char *path);
/* Adds a text, filled in where the turns have template variables. ERR_TEMPLATE_VARIABLES,
 * ERR_INVALID, ERR_REQUEST_TOO_LARGE, ERR_NO_MEMORY. */
MUST_CHECK enum err blocks_add_text(struct turns *turns, enum role role, enum text_place place,
                                    struct slice text, const char *path);

#endif
