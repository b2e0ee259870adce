/* What checking values (json_schema.c) and checking schemas (json_schema_check.c) share; no other
 * file includes this. */
#ifndef WIRE_FORMATS_JSON_SCHEMA_PARTS_H
#define WIRE_FORMATS_JSON_SCHEMA_PARTS_H

#include "wire/formats/json_schema.h"

#define STEPS_MAX         1000000 /* of one check: schemas applied, members compared */
#define DEPTH_MAX         1000    /* of schemas inside of schemas, for one value */
#define JSON_SCHEMA_TYPES 7

struct check {
    struct arena *arena;
    const struct json *root;
    struct buf *faults; /* NULL: only whether the value is valid is asked */
    size_t count, steps, depth;
    enum err err; /* ERR_TOO_LARGE: a limit is reached */
};

struct json_schema_type {
    const char *name, *words;
    enum json_kind kind, other;
    bool is_whole;
};
extern const struct json_schema_type json_schema_types[JSON_SCHEMA_TYPES];

/* NULL: there is none of that name. */
const struct json_schema_type *json_schema_type_of(const struct json *name);
/* What a $ref refers to. NULL: nothing that is known. */
const struct json *json_schema_target(struct check *check, const struct json *ref);
/* Whether the check may go on. */
bool json_schema_spend(struct check *check, size_t steps);

#endif
