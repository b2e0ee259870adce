/* Checks the body of a Converse request: first its shape (shapes.h), then the rules of a
 * conversation (Bedrock API reference, Converse). The text of a rejection resembles that of
 * Bedrock's ValidationException. Also extracts what the simulator needs to answer. Does not
 * recurse, because the body comes from outside. */
#ifndef SIM_CHECKS_H
#define SIM_CHECKS_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "sim/shapes.h"
#include "wire/formats/json.h"

#define CHECK_TEXT_MAX   320
#define CHECK_PATH_MAX   160
#define CACHE_POINTS_MAX 4

/* Slices lie in the arena. */
struct conversation {
    struct slice system;     /* all system text */
    struct slice prompt;     /* the text of the last user turn */
    struct slice all;        /* system text and all turns' text */
    size_t input_bytes;      /* of `all` and of other blocks; the input tokens are a quarter */
    int64_t max_tokens;      /* -1 = absent */
    const struct json *stop; /* stopSequences or NULL */
};

/* Checks a body and fills in the conversation. ERR_REJECTED: ret_text says why. ERR_NO_MEMORY. */
MUST_CHECK enum err check_converse(struct arena *arena, struct slice body,
                                   struct conversation *ret_conversation,
                                   char ret_text[CHECK_TEXT_MAX]);
/* Are characters and length of a decoded model id valid? */
MUST_CHECK bool check_model_id(struct slice model);

/* Checks the shape only (checks_shape.c). Errors as check_converse. */
MUST_CHECK enum err check_shape(struct arena *arena, const struct json *root,
                                const struct shape *shape, char ret_text[CHECK_TEXT_MAX]);

#endif
