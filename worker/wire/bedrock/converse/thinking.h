/* The first models of Amazon Nova think in the text: `<thinking>It rains.</thinking>Take a coat.`
 * LangChain makes blocks of a whole answer's text (langchain-aws 1.9.1, _split_inline_reasoning):
 * reasoning between the tags, without the white space at its ends; texts around it, unless they are
 * blank. A text without a whole pair stays as it is, and so does a stream. Private to this folder.
 */
#ifndef WIRE_BEDROCK_CONVERSE_THINKING_H
#define WIRE_BEDROCK_CONVERSE_THINKING_H

#include "wire/bedrock/converse/forms.h"

/* Adds the blocks of a text, which is a JSON string. false = out of memory. */
MUST_CHECK bool thinking_add(struct form_list *list, struct arena *scratch,
                             const struct json *text);

#endif
