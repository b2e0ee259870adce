/* JSON Schema 2020-12, as much of it as schemas for answers use: type, properties, required,
 * additionalProperties, items, prefixItems, enum, const, anyOf, oneOf, allOf, $ref to # and to
 * #/$defs/… (or definitions), minimum to exclusiveMaximum, lengths and counts. What only describes
 * (title, description, default, examples, format …) is ignored; a schema with any other keyword is
 * refused, for an answer must not pass unchecked. Numbers are compared as they are written, digit
 * by digit: 1.0 is 1, and no large one is rounded. Schemas that refer to themselves for the same
 * value, and work beyond a limit, are refused too. */
#ifndef WIRE_FORMATS_JSON_SCHEMA_H
#define WIRE_FORMATS_JSON_SCHEMA_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "wire/formats/json.h"
#include "wire/formats/why.h"

#define JSON_SCHEMA_FAULTS_MAX 8   /* listed of one value */
#define JSON_SCHEMA_FAULT_MAX  512 /* bytes of one */
#define JSON_SCHEMA_TEXT_MAX   (JSON_SCHEMA_FAULTS_MAX * (JSON_SCHEMA_FAULT_MAX + 1))

/* Whether json_schema_validate can check values against it. ERR_INVALID with the keyword's place
 * below `path`, ERR_NO_MEMORY. Strings are decoded into the arena. */
MUST_CHECK enum err json_schema_check(struct arena *arena, const struct json *schema,
                                      const char *path, struct why *ret_why);

/* Checks a value against a schema that json_schema_check accepted, and appends what is wrong with
 * it, at most the first 8 faults, a line each: `$.items[2].name: must be a string`. The value is
 * valid if it appends nothing. ERR_TOO_LARGE when the check takes too many steps or more than the
 * arena, ERR_NO_MEMORY. */
MUST_CHECK enum err json_schema_validate(struct arena *arena, const struct json *schema,
                                         const struct json *value, struct buf *ret_faults);

#endif
