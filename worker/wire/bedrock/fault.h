/* Bedrock's errors, told by `x-amzn-errortype`, `:exception-type` or the body's `__type`, and by
 * the status; never by text (facts: cut at the first ':', keep what follows '#'). One table:
 * fault.def holds name, status and err. */
#ifndef WIRE_BEDROCK_FAULT_H
#define WIRE_BEDROCK_FAULT_H

#include "wire/bedrock/eventstream.h"
#include "wire/formats/why.h"

/* An answer with a status other than 200, or 200 with an error body. Fills why (type, message from
 * the body's `message` or `Message`, clipped). Unknown 4xx are rejected, unknown 5xx retried; HTML
 * and other foreign bodies are named so. */
enum err fault_of_answer(int status, struct slice head, struct slice body, struct why *ret_why);
/* An exception or error frame in a stream. */
enum err fault_of_event(const struct event *event, struct why *ret_why);
/* The status that an error of this name comes with (`ThrottlingException`, in any case); 0 = no
 * name of the table. */
int fault_status(struct slice name);

#endif
