/* The ledger of one partition: which offsets are open (taken from Kafka or named open by the map
 * that the previous owner left), what has become of them, and hence what may be committed: the
 * front (every offset below is done) and the offset map above it. Pure bookkeeping: no Kafka, no
 * time.
 *
 *   done  done  OPEN  done  done  OPEN  OPEN  done | not seen yet
 *               ^ front                            ^ next
 *
 * An offset below `next` (or at most `map_last`) that has no entry is done: answered and committed,
 * or a gap of the log. An entry leaves only when the batch with its answer has committed, or when
 * the log proves to have no such record. */
#ifndef ENGINE_LEDGER_H
#define ENGINE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "wire/formats/offset_map.h"

/* Symbols that a record with any gap before it can add to the map. */
#define LEDGER_RECORD_COST_MAX (1 + OFFSET_MAP_GAP_COST_MAX)
#define LEDGER_OPEN_MAX        (1 << 20) /* open offsets that a map may name */
#define LEDGER_MAP_BYTES_MAX   (1 << 20) /* of a map, whoever wrote it */
#define LEDGER_NO_JOB          UINT32_MAX

enum ledger_state {
    LEDGER_UNKNOWN,  /* the map names it open; its record has not come yet */
    LEDGER_HELD,     /* a job has it */
    LEDGER_FINISHED, /* its answer waits for a batch */
    LEDGER_IN_BATCH, /* its answer is in the open batch */
};

struct ledger_entry {
    int64_t offset;
    uint32_t job;          /* index; LEDGER_NO_JOB while unknown */
    uint8_t state;         /* enum ledger_state */
    uint8_t deaths;        /* owners that died with a call under way, and that are in the books */
    bool is_running;       /* a call of ours is under way */
    bool was_running;      /* a dead owner's call, not in the books yet */
    uint16_t unrecorded;   /* calls that ended, whose usage waits for a batch */
    uint64_t dropped_hash; /* of the request, when its job was called and dropped: lost_calls.h */
};

struct ledger {
    struct ledger_entry *entries; /* ascending by offset */
    size_t count, room;
    size_t found;     /* index of the entry that was asked for last: one event asks several times */
    int64_t next;     /* lowest offset that the log has not shown yet */
    int64_t map_last; /* highest offset that the previous owner's map speaks of; -1 = none */
    size_t map_bytes_max;
    size_t cost;       /* bound of the map's runs for every order in which the entries can finish */
    bool is_changed;   /* the next commit would say something new */
    bool is_recreated; /* its log was made anew, and nothing committed since */
    int64_t committed_offset; /* as the broker has it; -1 = none */
    struct buf committed_map;
};

/* What ledger_take found. */
struct ledger_taken {
    bool is_open;     /* false: done already, or a repetition: skip the record */
    uint8_t begun;    /* owners that died with a call under way for it */
    bool was_running; /* the last of them is not in the books yet */
};

MUST_CHECK enum err ledger_init(struct ledger *ledger, size_t map_bytes_max);
void ledger_done(struct ledger *ledger);

/* Starts from what the broker has: the committed offset (-1 = none) and its metadata. The offset
 * counts and the ledger is usable whatever is returned: OK, ERR_NOT_ALLOWED or ERR_FORMAT (metadata
 * not usable: offset_map.h). A map over our own limit (another one was set before) is carried on
 * whole: nothing is added to it until it has shrunk. */
enum err ledger_open(struct ledger *ledger, int64_t offset, struct slice metadata);
/* Calls of ours that this map of ours tells as under way (of dead owners it tells others): whoever
 * has the partition next would take them for a dead owner's. *ret_open is memory of the caller. */
size_t ledger_committed_running(const struct ledger *ledger, int64_t offset, struct slice map,
                                struct offset_open **ret_open);
/* The broker still has what this ledger committed last. */
bool ledger_agrees(const struct ledger *ledger, int64_t offset, struct slice metadata);
/* The log begins at `low` now: open offsets below are gone. Returns how many offsets were lost. */
int64_t ledger_truncate(struct ledger *ledger, int64_t low);
/* The topic was made anew: forget everything and begin at `low`. */
void ledger_restart(struct ledger *ledger, int64_t low);

/* Records that may come now without overfilling the map, whatever their offsets and wherever the
 * log ends; or 1 although it is full, because the map speaks of offsets that have not come yet:
 * then ask ledger_fits. */
size_t ledger_room(const struct ledger *ledger);
/* Whether this record may be taken. */
bool ledger_fits(const struct ledger *ledger, int64_t offset);
/* A record came. Open offsets that it jumped over are gone from the log. */
struct ledger_taken ledger_take(struct ledger *ledger, int64_t offset, uint32_t job);
/* The call that the map told as under way is in the books already, and nobody died of it. */
void ledger_forget_call(struct ledger *ledger, int64_t offset);
/* The log's end was reached: nothing below `position` is still to come. */
void ledger_end(struct ledger *ledger, int64_t position);

/* The entry, or NULL when it is done. Pointers are valid until the ledger changes. */
const struct ledger_entry *ledger_find(const struct ledger *ledger, int64_t offset);

/* What happens to an offset that is open (CHECKed): */

/* A call began, or ended; `has_usage`: its usage waits for a batch. */
void ledger_begin(struct ledger *ledger, int64_t offset);
void ledger_call_ended(struct ledger *ledger, int64_t offset, bool has_usage);
/* Its answer is ready. */
void ledger_finish(struct ledger *ledger, int64_t offset);
/* Its job forgets it: the record stays in Kafka. `hash`: of the request, if it was called, else 0
 * (lost_calls.h). */
void ledger_drop(struct ledger *ledger, int64_t offset, uint64_t hash);
/* Its answer goes into the open batch. */
void ledger_put_in_batch(struct ledger *ledger, int64_t offset);
/* A usage record of this offset goes into the open batch (booked), or comes back out of it by an
 * abort (not). */
void ledger_record(struct ledger *ledger, int64_t offset, bool is_dead_owners);
void ledger_unrecord(struct ledger *ledger, int64_t offset, bool is_dead_owners);

/* The next offset to commit if the open batch makes it. */
int64_t ledger_front(const struct ledger *ledger);
/* Appends the map that belongs to it; at most map_bytes_max bytes, unless the map that we began
 * with was longer (CHECKed). ERR_NO_MEMORY. */
MUST_CHECK enum err ledger_add_map(const struct ledger *ledger, uint32_t nonce,
                                   struct buf *ret_map);
/* The batch with this offset and map was committed: its entries leave. */
void ledger_commit(struct ledger *ledger, int64_t offset, struct slice map);
/* It was not: they are finished again. */
void ledger_abort(struct ledger *ledger);

#endif
