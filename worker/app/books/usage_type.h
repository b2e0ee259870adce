/* The usage types of AWS's bill for tokens of Bedrock, such as
 * `USE1-Claude4.6Sonnet-input-tokens-cross-region-global`: region, model, class of tokens, tier.
 * Models have other names there than in the API, so both are made to words in the order of the
 * alphabet: `4 6 claude sonnet` is Claude4.6Sonnet, and anthropic.claude-sonnet-4-6. */
#ifndef APP_BOOKS_USAGE_TYPE_H
#define APP_BOOKS_USAGE_TYPE_H

#include "base/attr.h"
#include "base/buf.h"

enum usage_class {
    CLASS_INPUT, /* neither read from a cache nor written to one */
    CLASS_OUTPUT,
    CLASS_CACHE_READ,
    CLASS_CACHE_WRITE,
    CLASS_CACHE_WRITE_1H,
    USAGE_CLASSES,
};

struct usage_type {
    enum usage_class class;
    struct slice region; /* us-east-1; null = its code is unknown */
    struct slice model;  /* as it is written; may be empty (`MP:` types) */
    struct slice tier;   /* default, flex, priority, batch */
    bool is_global;      /* by a global profile */
};

/* False: it is no class of tokens. Slices lie in `text` or are static. */
MUST_CHECK bool usage_type_read(struct slice text, struct usage_type *ret_type);
/* The name of a class; static. */
const char *usage_class_name(enum usage_class class);
/* Appends the words of a model's name as the bill writes it, or as the API does. */
void usage_type_add_words(struct buf *buf, struct slice name);
void usage_type_add_model_words(struct buf *buf, struct slice model);

#endif
