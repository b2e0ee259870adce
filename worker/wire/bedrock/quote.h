/* Quotes: whether a message of the service repeats what a request says. The client gets that
 * message, because it names the mistake; but error texts never quote prompts. */
#ifndef WIRE_BEDROCK_QUOTE_H
#define WIRE_BEDROCK_QUOTE_H

#include "wire/chat/request.h"
#include "wire/formats/why.h"

#define QUOTE_BYTES       24 /* of a message that are a quote wherever they stand in it */
#define QUOTE_WHOLE_BYTES 8  /* of a shorter message that are one when it is repeated whole */

/* Whether `words` (at most WHY_MESSAGE_MAX bytes are looked at) repeat a piece of a message of the
 * request, as it is or escaped for JSON. One pass over the request's text. */
bool quote_is_of(const struct request *request, struct slice words);
/* Replaces a foreign message that quotes the request by the status and the type. */
void quote_hide(const struct request *request, int status, struct why *why);

#endif
