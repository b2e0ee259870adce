/* The input of Converse and ConverseStream as data: its members and their constraints, from AWS's
 * service model of Bedrock Runtime (August 2026). */
#ifndef SIM_SHAPES_H
#define SIM_SHAPES_H

#include <stdbool.h>

enum shape_kind {
    SHAPE_STRUCTURE,
    SHAPE_UNION, /* exactly one of its members */
    SHAPE_LIST,
    SHAPE_MAP, /* names follow `allowed` and have at most 256 characters */
    SHAPE_STRING,
    SHAPE_ENUM,
    SHAPE_INTEGER,
    SHAPE_FLOAT,
    SHAPE_BOOLEAN,
    SHAPE_BLOB,    /* base64 */
    SHAPE_DOCUMENT /* any JSON */
};

struct shape;

struct shape_member {
    const char *name;
    const struct shape *shape;
    bool required;
};

#define SHAPE_MEMBERS_MAX 16
#define SHAPE_VALUES_MAX  16

struct shape {
    enum shape_kind kind;
    double min, max;             /* of elements, characters or the value; max 0 = no limit */
    const struct shape *element; /* of a list or map */
    const char *allowed;         /* characters beside letters and digits; NULL = all */
    struct shape_member members[SHAPE_MEMBERS_MAX]; /* ended by a NULL name unless full */
    const char *values[SHAPE_VALUES_MAX];           /* ended by NULL unless full */
};

extern const struct shape SHAPE_CONVERSE;

#endif
