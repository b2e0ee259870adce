/* What structured_output asks of an answer: the value in it, parsed as LangChain's output parsers
 * do (JsonOutputKeyToolsParser with langchain-aws's repair of stringified arguments;
 * JsonOutputParser), and checked against the schema where the request wants that. An answer that
 * holds no value is an answer all the same: it was paid for. */
#ifndef WIRE_CHAT_PARSED_H
#define WIRE_CHAT_PARSED_H

#include "wire/chat/answer.h"
#include "wire/chat/request.h"

/* Fills `parsed`, `parsing_error` and `is_invalid` of the answer, in the arena. Does nothing if the
 * request has no structured_output. It holds up to `scratch_max` bytes beside; an answer that
 * is larger gets a parsing_error. */
void parsed_read(struct arena *arena, size_t scratch_max, const struct request *request,
                 struct answer *answer);

#endif
