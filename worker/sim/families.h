/* The families of models, one list: which models they are, what their bodies of InvokeModel look
 * like, who reads them, who writes the answers. A model id is told by its vendor's name behind the
 * geographic prefix; the id of a custom model or of an application inference profile says nothing,
 * then the body tells. */
#ifndef SIM_FAMILIES_H
#define SIM_FAMILIES_H

#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"

#define FAMILY_GLOBS_MAX 16

struct json;
struct reading;
struct reply_form;
struct shape;

/* The family's words for why an answer ended; NULL = Converse's. */
struct family_reasons {
    const char *end_turn, *max_tokens, *stop_sequence, *tool_use;
};

struct family {
    const char *name;
    const char *globs[FAMILY_GLOBS_MAX]; /* of model ids */
    const char *mark;                    /* the member that tells a body of this family */
    const struct shape *body;
    enum err (*read)(struct reading *reading, const struct json *root);
    const struct reply_form *form; /* of its answers in InvokeModel */
    struct family_reasons reasons;
    bool signs;  /* its reasoning */
    bool caches; /* prompts, and says how many tokens */
    bool counts; /* in its text's body, too */
    /* where a prompt and its parameters stand in the body; NULL = nowhere */
    const char *prompt, *section, *max_tokens, *stop;
};

/* A model whose body and answer nothing is known about. */
extern const struct family FAMILY_CUSTOM;

/* NULL: the id does not tell. */
const struct family *family_of_model(struct slice model);
const struct family *family_of_body(const struct json *root);

#endif
