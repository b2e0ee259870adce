#include "engine/ledger_parts.h"

#include "base/check.h"

void ledger_mark(struct ledger *ledger, int64_t offset)
{
    struct ledger_entry *entry = ledger_entry_of(ledger, offset);
    CHECK(entry->state == LEDGER_HELD && !entry->is_running && !entry->is_marked);
    entry->is_marked = true;
    if (!ledger_entry_may_begin(ledger, entry))
        ledger_change(ledger);
}

void ledger_unmark(struct ledger *ledger, int64_t offset)
{
    struct ledger_entry *entry = ledger_entry_of(ledger, offset);
    CHECK(entry->is_marked);
    entry->is_marked = false;
    ledger->is_stale = true;
}

bool ledger_may_begin(struct ledger *ledger, int64_t offset)
{
    return ledger_entry_may_begin(ledger, ledger_entry_of(ledger, offset));
}

void ledger_told(struct ledger *ledger, uint32_t batch)
{
    CHECK(batch >= ledger->told_upto);
    ledger->told_upto = batch;
}
