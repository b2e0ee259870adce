/* Checks the body of a request: first its shape (shapes.h), then the rules of the conversation
 * (Bedrock API reference, Converse and the model parameters of InvokeModel). The text of a
 * rejection resembles that of Bedrock's ValidationException. Also extracts what the simulator needs
 * to answer. Does not recurse, because the body comes from outside. */
#ifndef SIM_BODIES_CHECKS_H
#define SIM_BODIES_CHECKS_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "sim/bodies/conversation.h"
#include "sim/families.h"
#include "sim/operations.h"
#include "sim/bodies/reading.h"
#include "sim/bodies/shapes.h"

#define CHECK_PATH_MAX 160

/* Checks a body and fills in the conversation. *ret_family is that of the model, or where its id
 * does not tell, that of the body of InvokeModel. ERR_REJECTED: ret_text says why. ERR_NO_MEMORY.
 */
struct check_request {
    enum operation operation;
    struct slice model; /* null = any */
    struct slice body;
};
MUST_CHECK enum err check_body(struct arena *arena, const struct check_request *request,
                               struct conversation *ret_conversation,
                               const struct family **ret_family, char ret_text[CHECK_TEXT_MAX]);
/* Are characters and length of a decoded model id valid? */
MUST_CHECK bool check_model_id(struct slice model);

/* Checks the shape only (shape.c). Errors as check_body. */
MUST_CHECK enum err check_shape(struct arena *arena, const struct json *root,
                                const struct shape *shape, char ret_text[CHECK_TEXT_MAX]);

#endif
