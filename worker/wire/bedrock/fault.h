/* Bedrock's errors, recognised by `x-amzn-errortype`, `:exception-type` or the body's `__type`, and
 * by the status; never by text. A name ends at its first ':', and begins behind a '#' (Smithy's
 * rule for restJson1). One table: fault.def holds name, status and err. */
#ifndef WIRE_BEDROCK_FAULT_H
#define WIRE_BEDROCK_FAULT_H

#include "wire/bedrock/eventstream.h"
#include "wire/formats/why.h"

/* The error of an answer with a status other than 200, or of 200 with an error body. Fills why: its
 * type, and as message the body's `message` or `Message`, clipped; HTML and other foreign bodies
 * are called so. An unknown 4xx is ERR_REJECTED, an unknown 5xx ERR_UNAVAILABLE. Never OK. */
enum err fault_of_answer(int status, struct slice head, struct slice body, struct why *ret_why);
/* The error of an exception or error frame in a stream. Never OK. */
enum err fault_of_event(const struct event *event, struct why *ret_why);
/* The status that an error of this name comes with (`ThrottlingException`, in any case); 0 = no
 * name of the table. */
int fault_status(struct slice name);

#endif
