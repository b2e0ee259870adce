/* Where answers say what, by the list places.def: one reader for whole answers and for chunks of
 * all families whose content is a text. Private to this folder. */
#ifndef WIRE_BEDROCK_INVOKE_PLACES_H
#define WIRE_BEDROCK_INVOKE_PLACES_H

#include "wire/bedrock/invoke/parts.h"

/* shape->read: ERR_BAD_ANSWER when no text, tool call or stop reason is anywhere. */
MUST_CHECK enum err places_read(struct said *said, const struct json *root);
/* Likewise without calls of tools, for a family that keeps its own. */
MUST_CHECK enum err places_read_text(struct said *said, const struct json *root);
/* shape->hear. */
MUST_CHECK enum err places_hear(struct said *said, const struct json *chunk);

#endif
