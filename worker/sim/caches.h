/* The prompt cache of the simulated models: which prefixes were seen, and until when they are kept
 * (Bedrock user guide, "Prompt caching"). A call reads the longest prefix that is kept and writes
 * what its points cover beyond it; reading keeps a prefix for as long again. There is no least
 * length, so that short prompts of tests are cached too. A table of fixed size. */
#ifndef SIM_CACHES_H
#define SIM_CACHES_H

#include "base/attr.h"
#include "base/err.h"
#include "sim/bodies/conversation.h"

struct caches {
    struct cache_entry *entries;
};

/* Bytes of a prompt that came from the cache and that went into it. */
struct cache_use {
    size_t read, written, written_long; /* `written_long`, for an hour, is part of `written` */
};

/* Makes an empty cache. ERR_NO_MEMORY. */
MUST_CHECK enum err caches_init(struct caches *caches);
void caches_done(struct caches *caches);
/* Uses the points of a conversation with a model. */
struct cache_use caches_use(struct caches *caches, struct slice model,
                            const struct conversation *conversation, int64_t now_ms);

#endif
