/* What the worker knows of a model beside what the request says: its provider, and the
 * peculiarities of traits.def. */
#ifndef WIRE_CHAT_TRAITS_H
#define WIRE_CHAT_TRAITS_H

#include "base/slice.h"

enum trait {
#define TRAIT(name) TRAIT_##name,
#include "wire/chat/traits.def"
    TRAIT_COUNT
};

/* How a level of reasoning is sent: one member of the model's own fields. */
enum effort_form {
    EFFORT_NOVA,
    EFFORT_CLAUDE,
    EFFORT_PLAIN,
    EFFORT_NESTED,
    EFFORT_UNSENT,
};

/* The levels of reasoning that a model has. */
struct model_effort {
    const char *levels; /* `low|high` */
    enum effort_form form;
};

/* A member of the model's own fields that belongs to a form; a form may have several. */
struct effort_member {
    enum effort_form form;
    const char *name, *value; /* JSON with the level in place of `$` */
};

struct model_traits {
    struct slice name; /* the id that says what the model is: without its geo prefix; an ARN's is
                          its last part. Borrowed */
    struct slice provider; /* anthropic, meta …; as given, else by the name; null = unknown */
    uint32_t has;          /* bits of enum trait */
};

#define TRAITS_MEMO_SLOTS      16
#define TRAITS_MEMO_NAME_BYTES 128 /* longer names of models are not remembered */

/* What was found for the models asked last: many requests name few models, and the list of globs is
 * long. Zeroed = empty. */
struct traits_memo {
    struct traits_known {
        char model[TRAITS_MEMO_NAME_BYTES];
        size_t len;
        uint32_t has;
    } slots[TRAITS_MEMO_SLOTS];
};

/* The id that an ARN holds, with its geo prefix; of another model the model itself. Borrowed. */
struct slice traits_id(struct slice model);
/* The same without its geo prefix. */
struct slice traits_name(struct slice model);
/* Of a model id, profile id or ARN; `base_model` (for ARNs that do not say the model) and
 * `provider` win over what it says, and may be null. */
struct model_traits traits_of(struct slice model, struct slice base_model, struct slice provider);
/* The same, by the memo if it can; NULL = none. */
struct model_traits traits_recall(struct traits_memo *memo, struct slice model,
                                  struct slice base_model, struct slice provider);
/* NULL: the model has no levels of reasoning that the worker knows. */
const struct model_effort *traits_effort(const struct model_traits *traits);
const struct effort_member *traits_effort_members(size_t *ret_count);
/* How much of a quota an output token of the model uses; at least 1. */
uint32_t traits_burndown(const struct model_traits *traits);
/* The most tokens of an answer where a request does not limit them: what Bedrock then reserves of
 * the quota. A guess for models that are not listed. */
uint32_t traits_max_output(const struct model_traits *traits);
bool traits_has(const struct model_traits *traits, enum trait trait);

#endif
