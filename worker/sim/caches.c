#include "sim/caches.h"

#include "base/memory.h"

#define ENTRIES    8192
#define NEIGHBOURS 8
#define SHORT_MS   300000
#define LONG_MS    3600000

struct cache_entry {
    uint64_t hash; /* 0 = free */
    int64_t until_ms;
};

enum err caches_init(struct caches *caches)
{
    caches->entries = memory_new(ENTRIES * sizeof *caches->entries);
    return caches->entries != NULL ? OK : ERR_NO_MEMORY;
}

void caches_done(struct caches *caches)
{
    memory_free(caches->entries);
    caches->entries = NULL;
}

/* The prefix's entry, or the one to overwrite: that of its neighbours which ends first. */
static struct cache_entry *find(struct caches *caches, uint64_t hash)
{
    struct cache_entry *place = &caches->entries[hash % ENTRIES];
    for (uint64_t i = 0; i < NEIGHBOURS; i++) {
        struct cache_entry *entry = &caches->entries[(hash + i) % ENTRIES];
        if (entry->hash == hash)
            return entry;
        if (entry->until_ms < place->until_ms)
            place = entry;
    }
    return place;
}

/* Keeps the prefix before a mark from now on; was it kept? */
static bool keep(struct caches *caches, struct slice model, const struct asked_mark *mark,
                 int64_t now_ms)
{
    uint64_t hash = slice_hash(model, mark->hash) | 1;
    struct cache_entry *entry = find(caches, hash);
    bool was_kept = entry->hash == hash && entry->until_ms > now_ms;
    *entry = (struct cache_entry){hash, now_ms + (mark->is_long ? LONG_MS : SHORT_MS)};
    return was_kept;
}

struct cache_use caches_use(struct caches *caches, struct slice model,
                            const struct conversation *conversation, int64_t now_ms)
{
    struct cache_use use = {0, 0, 0};
    for (size_t i = 0; i < conversation->mark_count; i++) {
        const struct asked_mark *mark = &conversation->marks[i];
        size_t before = use.read + use.written;
        if (keep(caches, model, mark, now_ms)) {
            use = (struct cache_use){mark->bytes, 0, 0}; /* the longest one counts */
        } else if (mark->bytes > before) {
            use.written += mark->bytes - before;
            use.written_long += mark->is_long ? mark->bytes - before : 0;
        }
    }
    return use;
}
