/* The inference parameters: what a request may say of how the model is to answer. The list is
 * parameters.def; values are kept as raw JSON, so that no number is rounded. */
#ifndef WIRE_CHAT_PARAMETERS_H
#define WIRE_CHAT_PARAMETERS_H

#include "base/slice.h"

enum parameter {
#define PARAMETER(id, name, form, least, most, other, converse) PARAMETER_##id,
#include "wire/chat/parameters.def"
#undef PARAMETER
    PARAMETER_COUNT
};

enum parameter_form { PARAMETER_NUMBER, PARAMETER_WHOLE, PARAMETER_TEXTS };

struct parameter_row {
    const char *name; /* of the request's field and of an alias's default */
    enum parameter_form form;
    int least, most;   /* most 0 = no upper limit */
    const char *other; /* name in model_kwargs beside its own; NULL = none */
    const char
        *converse; /* member of Converse's inferenceConfig; NULL = none: a model's own field */
};

extern const struct parameter_row parameter_rows[PARAMETER_COUNT];

/* The parameter of this name; PARAMETER_COUNT = none. */
enum parameter parameter_find(struct slice name);

#endif
