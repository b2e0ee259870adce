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

struct model_traits {
    struct slice name; /* the id that says what the model is: without its geo prefix; an ARN's is
                          its last part. Borrowed */
    struct slice provider; /* anthropic, meta …; as given, else by the name; null = unknown */
    uint32_t has;          /* bits of enum trait */
};

/* Of a model id, profile id or ARN; `base_model` (for ARNs that do not say the model) and
 * `provider` win over what it says, and may be null. */
struct model_traits traits_of(struct slice model, struct slice base_model, struct slice provider);
bool traits_has(const struct model_traits *traits, enum trait trait);

#endif
