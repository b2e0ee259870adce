#include "sim/seen.h"

#include "base/memory.h"

enum err seen_init(struct seen *seen)
{
    seen->turn = 0;
    seen->entries = memory_new(SEEN_ENTRIES * sizeof *seen->entries);
    return seen->entries != NULL ? OK : ERR_NO_MEMORY;
}

void seen_done(struct seen *seen)
{
    memory_free(seen->entries);
    seen->entries = NULL;
}

uint64_t seen_again(struct seen *seen, uint64_t hash)
{
    if (hash == 0)
        hash = 1;
    seen->turn++;
    struct seen_entry *place = NULL;
    for (uint64_t i = 0; i < SEEN_NEIGHBOURS; i++) {
        struct seen_entry *entry = &seen->entries[(hash + i) % SEEN_ENTRIES];
        if (entry->hash == hash) {
            entry->turn = seen->turn;
            return entry->count++;
        }
        /* Differences are correct even after `turn` has wrapped around. */
        if (place == NULL ||
            (place->hash != 0 &&
             (entry->hash == 0 || seen->turn - entry->turn > seen->turn - place->turn)))
            place = entry;
    }
    *place = (struct seen_entry){hash, 1, seen->turn};
    return 0;
}
