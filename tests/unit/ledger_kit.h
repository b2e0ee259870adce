/* Helpers for tests of ledgers: each is one asserted step in the life of an offset. */
#ifndef UNIT_LEDGER_KIT_H
#define UNIT_LEDGER_KIT_H

#include "unit/unit.h"

#include "base/memory.h"
#include "base/random.h"
#include "engine/ledger.h"

#define MAP_LIMIT 4096

static inline void open_ledger(struct ledger *ledger, size_t map_bytes_max, int64_t offset,
                               struct slice metadata)
{
    assert_int_equal(ledger_init(ledger, map_bytes_max), OK);
    assert_int_equal(ledger_open(ledger, offset, metadata), OK);
}

static inline const struct ledger_entry *entry_at(const struct ledger *ledger, int64_t offset)
{
    const struct ledger_entry *entry = ledger_find(ledger, offset);
    assert_non_null(entry);
    return entry;
}

static inline void take(struct ledger *ledger, int64_t offset)
{
    assert_true(ledger_take(ledger, offset, (uint32_t)offset).is_open);
    assert_int_equal(entry_at(ledger, offset)->state, LEDGER_HELD);
}

static inline void begin(struct ledger *ledger, int64_t offset)
{
    ledger_begin(ledger, offset);
}

static inline void finish(struct ledger *ledger, int64_t offset)
{
    if (entry_at(ledger, offset)->is_running)
        ledger_call_ended(ledger, offset, false);
    ledger_finish(ledger, offset);
}

/* Everything finished goes into a batch, which the broker commits. */
static inline void commit(struct ledger *ledger, struct buf *ret_map)
{
    for (size_t i = 0; i < ledger->count; i++)
        if (ledger->entries[i].state == LEDGER_FINISHED)
            ledger_put_in_batch(ledger, ledger->entries[i].offset);
    int64_t front = ledger_front(ledger);
    buf_reset(ret_map);
    assert_int_equal(ledger_add_map(ledger, &(struct offset_map_stamp){.nonce = 7}, ret_map), OK);
    ledger->is_changed = false;
    ledger_commit(ledger, front, buf_slice(ret_map));
}

/* Its successor, from the committed state. */
static inline void pass_on(struct ledger *ledger, struct buf *map)
{
    int64_t offset = ledger->committed_offset;
    size_t map_bytes_max = ledger->map_bytes_max;
    ledger_done(ledger);
    open_ledger(ledger, map_bytes_max, offset, buf_slice(map));
}

static inline bool is_done(struct ledger *ledger, int64_t offset)
{
    return !ledger_take(ledger, offset, 1).is_open;
}

#endif
