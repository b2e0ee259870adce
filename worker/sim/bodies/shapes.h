/* Bodies of requests as data: their members and the constraints on them. Converse, ConverseStream
 * and CountTokens from AWS's service model of Bedrock Runtime (August 2026, shapes.c); the bodies
 * of InvokeModel from the user guide's "Inference request parameters and response fields" and from
 * the vendors' API references (shapes_invoke.c). */
#ifndef SIM_BODIES_SHAPES_H
#define SIM_BODIES_SHAPES_H

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
    SHAPE_BLOB,     /* base64 */
    SHAPE_DOCUMENT, /* any JSON */
    SHAPE_OPEN,     /* a structure that may have other members */
    SHAPE_TAGGED,   /* the member whose name is the text of `type` is its shape */
    SHAPE_EITHER    /* a string of the first member's shape, or else the second's */
};

struct shape;

struct shape_member {
    const char *name;
    const struct shape *shape;
    bool required;
};

#define SHAPE_MEMBERS_MAX 32
#define SHAPE_VALUES_MAX  16

/* In whose words a wrong body is rejected. */
enum shape_voice { VOICE_BEDROCK, VOICE_ANTHROPIC };

struct shape {
    enum shape_kind kind;
    enum shape_voice voice;      /* of a whole body */
    double min, max;             /* of elements, characters or the value; max 0 = no limit */
    const struct shape *element; /* of a list or map */
    const char *allowed;         /* characters beside letters and digits; NULL = all */
    struct shape_member members[SHAPE_MEMBERS_MAX]; /* ended by a NULL name unless full */
    const char *values[SHAPE_VALUES_MAX];           /* ended by NULL unless full */
};

/* shapes.c */
extern const struct shape SHAPE_CONVERSE, SHAPE_CONVERSE_STREAM, SHAPE_CONVERSE_TOKENS;
extern const struct shape SHAPE_COUNT_TOKENS, SHAPE_METADATA;
/* parts of Converse that nova's bodies of InvokeModel have as well */
extern const struct shape SHAPE_CONVERSE_MESSAGES, SHAPE_CONVERSE_SYSTEM, SHAPE_CONVERSE_TOOLS;

/* shapes_invoke.c */
extern const struct shape SHAPE_ANTHROPIC, SHAPE_NOVA, SHAPE_TITAN, SHAPE_LLAMA, SHAPE_MISTRAL;
extern const struct shape SHAPE_DEEPSEEK, SHAPE_CHAT, SHAPE_COMMAND, SHAPE_ANY_BODY;

#endif
