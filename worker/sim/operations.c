#include "sim/operations.h"

const struct operation_row OPERATIONS[OPERATION_COUNT] = {
    [OPERATION_ANY] = {"", "", false, OPERATION_BODY_CONVERSE},
#define OPERATION(id, word, name, streams, body)                                                   \
    [OPERATION_##id] = {word, name, streams, OPERATION_BODY_##body},
#include "sim/operations.def"
#undef OPERATION
};

bool operation_from_word(struct slice word, enum operation *ret_operation)
{
    for (int operation = OPERATION_ANY + 1; operation < OPERATION_COUNT; operation++) {
        if (slice_equal_text(word, OPERATIONS[operation].word)) {
            *ret_operation = (enum operation)operation;
            return true;
        }
    }
    return false;
}

bool operation_is_invoke(enum operation operation)
{
    return OPERATIONS[operation].body == OPERATION_BODY_INVOKE;
}
