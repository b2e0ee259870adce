/* CountTokens: Bedrock counts the input tokens of a request (`count_tokens`) as the call would
 * count them; no model answers and nothing is billed. It is asked for the model itself, not for an
 * inference profile of it. What is counted is the body of the request's dialect: the part that
 * Converse's family writes, else the whole body for InvokeModel. Models that cannot be counted
 * refuse with a ValidationException. Source: AWS, "Amazon Bedrock Runtime API Reference",
 * CountTokens. */
#ifndef WIRE_BEDROCK_COUNT_H
#define WIRE_BEDROCK_COUNT_H

#include "wire/bedrock/dialect.h"

/* `/model/<model>/count-tokens`; `model` is what a call would name. */
void count_add_path(const struct request *request, struct slice model, struct buf *ret_path);
/* ERR_TOO_LARGE, ERR_NO_MEMORY of the buf. */
MUST_CHECK enum err count_encode(const struct dialect *dialect, const struct request *request,
                                 struct buf *ret_body);
/* The answer has only usage.input_tokens. ERR_BAD_ANSWER, ERR_NO_MEMORY. */
MUST_CHECK enum err count_decode(const struct heard *heard, struct answer *ret_answer,
                                 struct why *ret_why);

#endif
