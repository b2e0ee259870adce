/* What the files of the ledger share: entries by offset, and what their marks allow. */
#ifndef ENGINE_LEDGER_PARTS_H
#define ENGINE_LEDGER_PARTS_H

#include "engine/ledger.h"

/* The entry of an open offset (CHECKed), valid until the ledger changes. */
struct ledger_entry *ledger_entry_of(struct ledger *ledger, int64_t offset);
/* As ledger_may_begin. */
static inline bool ledger_entry_may_begin(const struct ledger *ledger,
                                          const struct ledger_entry *entry)
{
    return entry->told_in != 0 && entry->told_in <= ledger->told_upto && entry->unrecorded == 0 &&
           !entry->is_running;
}

#endif
