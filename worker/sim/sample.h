/* A JSON value that fits a JSON Schema (2020-12): the input of a simulated tool call, or a
 * simulated structured answer. Regards type, properties, required, items, prefixItems, enum, const,
 * anyOf, oneOf, allOf, $ref inside the document, the limits of numbers, texts and lists, and the
 * usual formats; `pattern` and `not` it cannot satisfy. Texts are the names of their members, so
 * the same schema gives the same value. A schema that contains itself ends after a few levels. */
#ifndef SIM_SAMPLE_H
#define SIM_SAMPLE_H

#include "base/buf.h"
#include "wire/formats/json.h"

/* Appends the value; the buf's limit also bounds the work. */
void sample_add(struct buf *buf, struct arena *arena, const struct json *schema);
/* The last object in a text that looks like a schema, or NULL: of a prompt that contains one,
 * behind examples. */
const struct json *sample_find_schema(struct arena *arena, struct slice text);

#endif
