/* One message of a conversation: {"role": …, "content": …}, what LangChain prints of one, or a pair
 * [role, content]. A tool's message is the result of a call. */
#ifndef WIRE_CHAT_MESSAGES_H
#define WIRE_CHAT_MESSAGES_H

#include "wire/chat/turns.h"

/* Adds the message, the element `index` of `list`. Notes the mistakes of its parts and goes on;
 * else ERR_INVALID, ERR_TEMPLATE_VARIABLES, ERR_REQUEST_TOO_LARGE, ERR_NO_MEMORY. */
MUST_CHECK enum err message_read(struct turns *turns, const struct json *node, const char *list,
                                 size_t index);
/* The role by one of its names. ERR_INVALID at `path`. */
MUST_CHECK enum err message_role(struct reader *reader, struct slice name, const char *path,
                                 enum role *ret_role);
/* Bedrock requires a user turn first. `index` is the message's. ERR_INVALID. */
MUST_CHECK enum err message_check_first(struct turns *turns, enum role role, const char *list,
                                        size_t index);

#endif
