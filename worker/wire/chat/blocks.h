/* The content of a message: a string, or an array of blocks. */
#ifndef WIRE_CHAT_BLOCKS_H
#define WIRE_CHAT_BLOCKS_H

#include "wire/chat/turns.h"

/* Where a text stands. Strings that are blank count only where nothing else is said in the turn
 * (is_blank), and those of messages that follow each other become one text (goes_on), as LangChain
 * has it. A blank text block is the caller's own, and becomes the stand-in. */
enum text_place { TEXT_MESSAGE, TEXT_ELEMENT, TEXT_BLOCK };

/* The content of one message to blocks. `path` is the content's. */
MUST_CHECK enum err blocks_add_content(struct turns *turns, enum role role,
                                       const struct json *content, const char *path);
/* Text as the templates and the rules about blank text make it. */
MUST_CHECK enum err blocks_add_text(struct turns *turns, enum role role, enum text_place place,
                                    struct slice text, const char *path);

#endif
