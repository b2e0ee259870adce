/* JSON text that ends too early, completed: what a model had written of it when it was cut. Open
 * strings, arrays and objects are closed; what then still is no JSON goes, from its end, as
 * LangChain's parse_partial_json does. Texts stay as they were written. */
#ifndef WIRE_FORMATS_JSON_PARTIAL_H
#define WIRE_FORMATS_JSON_PARTIAL_H

#include "wire/formats/json.h"

/* As much of the text as is JSON, with what is open closed, in the arena. ERR_FORMAT when nothing
 * of it is JSON; ERR_MALFORMED when its brackets do not pair (LangChain gives None then, and tries
 * nothing else); ERR_NO_MEMORY. */
MUST_CHECK enum err json_complete(struct arena *arena, struct slice text, struct slice *ret_text);
/* Parses the text; where that fails, a completed copy of it. The nodes' spans are those of the
 * copy, in the arena. Errors as json_complete. */
MUST_CHECK enum err json_parse_partial(struct arena *arena, struct slice text,
                                       const struct json **ret_root);

#endif
