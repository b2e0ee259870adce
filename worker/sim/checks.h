/* Is this body a request that Converse takes? First its shape (shapes.h), then the rules of a
 * conversation; a refusal's words are in the manner of Bedrock's ValidationException. And what the
 * simulator needs to know of it. No recursion: the body is foreign. */
#ifndef SIM_CHECKS_H
#define SIM_CHECKS_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "sim/shapes.h"
#include "wire/formats/json.h"

#define CHECK_WORDS_MAX  320
#define CHECK_PATH_MAX   160
#define CACHE_POINTS_MAX 4

/* Slices lie in the arena. */
struct conversation {
    struct slice system;     /* all system text */
    struct slice prompt;     /* the text of the last user turn */
    struct slice all;        /* system text and all turns' text */
    size_t input_bytes;      /* that, and the bytes of other blocks: tokens are a quarter of it */
    int64_t max_tokens;      /* -1 = absent */
    const struct json *stop; /* stopSequences or NULL */
};

/* OK; ERR_REJECTED with words; ERR_NO_MEMORY. */
MUST_CHECK enum err check_converse(struct arena *arena, struct slice body,
                                   struct conversation *ret_conversation,
                                   char ret_words[CHECK_WORDS_MAX]);
/* The decoded model id of a request: characters and length. */
MUST_CHECK bool check_model_id(struct slice model);

/* checks_shape.c: the shape alone. */
MUST_CHECK enum err check_shape(struct arena *arena, const struct json *root,
                                const struct shape *shape, char ret_words[CHECK_WORDS_MAX]);

#endif
