/* The operations of Bedrock Runtime that the simulator serves: one list, operations.def, from which
 * come the paths, the words in settings and the names in the ledger. */
#ifndef SIM_OPERATIONS_H
#define SIM_OPERATIONS_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/slice.h"

enum operation {
    OPERATION_ANY, /* in settings: all; of a request: none of them */
#define OPERATION(id, word, name, streams, body) OPERATION_##id,
#include "sim/operations.def"
#undef OPERATION
    OPERATION_COUNT
};

/* CONVERSE: the same for each model; INVOKE: the model's own; COUNT: one of the two, inside. */
enum operation_body { OPERATION_BODY_CONVERSE, OPERATION_BODY_INVOKE, OPERATION_BODY_COUNT };

struct operation_row {
    const char *word, *name;
    bool streams;
    enum operation_body body;
};

/* By enum operation; OPERATION_ANY has empty texts. */
extern const struct operation_row OPERATIONS[OPERATION_COUNT];

/* Finds an operation by its word; false when there is none. */
MUST_CHECK bool operation_from_word(struct slice word, enum operation *ret_operation);
bool operation_is_invoke(enum operation operation);

#endif
