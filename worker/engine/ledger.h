/* The ledger of one partition: its open offsets (taken from Kafka, or named open by the previous
 * owner's map) and their state. From these it computes what may be committed: the front (every
 * offset below is done) and the offset map above it. It knows no Kafka and no time. Unless stated
 * otherwise, functions CHECK that there is memory.
 *
 *   done  done  OPEN  done  done  OPEN  OPEN  done | not seen yet
 *               ^ front                            ^ next
 *
 * An offset below `next` (or at most `map_last`) that has no entry is done: answered and committed,
 * or a gap of the log. An entry leaves only when the batch with its answer was committed, or when
 * the log has no such record. */
#ifndef ENGINE_LEDGER_H
#define ENGINE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "wire/formats/offset_map.h"

/* The most bytes that a record and the gap before it add to the map. */
#define LEDGER_RECORD_COST_MAX (1 + OFFSET_MAP_GAP_COST_MAX)
#define LEDGER_OPEN_MAX        (1 << 20) /* open offsets that a map may name */
#define LEDGER_MAP_BYTES_MAX   (1 << 20) /* of any map, also another owner's */
#define LEDGER_NO_JOB          UINT32_MAX

enum ledger_state {
    LEDGER_UNKNOWN,  /* the map names it open; its record has not arrived */
    LEDGER_HELD,     /* a job has it */
    LEDGER_FINISHED, /* its answer waits for a batch */
    LEDGER_IN_BATCH, /* its answer is in the open batch */
};

struct ledger_entry {
    int64_t offset;
    uint32_t job;        /* index; LEDGER_NO_JOB while unknown */
    uint8_t state;       /* enum ledger_state */
    uint8_t deaths;      /* owners that died with a call under way and whose usage is recorded */
    bool is_running;     /* this process has a call under way */
    bool was_running;    /* a dead owner's call, not recorded yet */
    bool was_marked;     /* … of which the map had only the mark */
    bool is_spent;       /* the last of `deaths` is a call of this process: ledger_spend_call */
    bool is_marked;      /* a call of this process is to begin: ledger_mark */
    uint16_t unrecorded; /* calls that ended and whose usage waits for a batch */
    uint32_t told_in;    /* since this batch each map tells it as under way; 0 = the last did not */
    uint64_t dropped_hash; /* of a request that was dropped; else 0: lost_calls.h */
};

struct ledger {
    struct ledger_entry *entries; /* ascending by offset */
    size_t count, room;
    size_t found;        /* index of the entry found last: one event looks it up several times */
    int64_t next;        /* lowest offset that the log has not shown yet */
    int64_t last_record; /* the highest offset of a record that was seen, or is below the start */
    int32_t last_epoch;  /* its leader epoch, or a higher one of the map; -1 = unknown */
    int64_t map_last;    /* highest offset that the previous owner's map covers; -1 = none */
    size_t map_bytes_max;
    bool has_bw1;    /* it started with a map of version 0.1.0 */
    size_t cost;     /* bound of the map's runs in bytes, for any order in which entries finish */
    bool is_changed; /* the next commit would change offset or map */
    struct link *changes;     /* where a change adds link_changed; NULL = nowhere */
    struct link link_changed; /* stays there until its owner sees it unchanged */
    bool is_stale;      /* a map tells a call as under way that is not, or not how it stands */
    uint32_t told_upto; /* the maps up to this batch are committed; for told_in */
    bool is_recreated;  /* its topic was recreated, and nothing committed since */
    int64_t committed_offset; /* as the broker has it; -1 = none */
    struct buf committed_map;
    struct offset_map_stamp stamp; /* of the map that it started with */
};

/* What ledger_take found. */
struct ledger_taken {
    bool is_open;     /* false: done already, or a duplicate: skip the record */
    uint8_t begun;    /* owners that died with a call under way for it */
    bool was_running; /* the last of them is not recorded yet */
    bool was_marked;  /* … and may never have been made */
};

/* `map_bytes_max`: limit of the maps to write. ERR_NO_MEMORY; ledger_done is due in any case. */
MUST_CHECK enum err ledger_init(struct ledger *ledger, size_t map_bytes_max);
/* The next commit is to replace what is committed. */
void ledger_change(struct ledger *ledger);
/* Frees the entries. */
void ledger_done(struct ledger *ledger);

/* Starts from the committed offset (-1 = none) and its metadata. OK, or ERR_NOT_ALLOWED, ERR_FORMAT
 * or ERR_LATER_VERSION (metadata not usable: offset_map.h): then what is done above the offset is
 * unknown, and the ledger must not be used. It keeps a map over map_bytes_max (the limit was higher
 * before) whole and adds nothing until it has shrunk. */
enum err ledger_open(struct ledger *ledger, int64_t offset, struct slice metadata);
/* Finds the calls of this process that its committed map names as running: the next owner would
 * take them for a dead owner's. Returns their number; the caller frees *ret_open (memory_free). */
size_t ledger_committed_running(const struct ledger *ledger, int64_t offset, struct slice map,
                                struct offset_open **ret_open);
/* Whether the broker has what this ledger committed last. */
bool ledger_agrees(const struct ledger *ledger, int64_t offset, struct slice metadata);
/* The leader epoch that was committed beside the offset; -1 = unknown. Call it after ledger_open.
 */
void ledger_set_epoch(struct ledger *ledger, int32_t epoch);
/* The log has shown a record. */
void ledger_see(struct ledger *ledger, int64_t offset, int32_t epoch);
/* The epoch to commit beside `front`; -1 where none is known, or where markers lie between the last
 * record and the front, which may have a higher one. */
int32_t ledger_epoch(const struct ledger *ledger, int64_t front);
/* Whether a record with this epoch lies where the map covers older ones: the log was cut there, or
 * below, and has grown again. */
bool ledger_is_cut_at(const struct ledger *ledger, int64_t offset, int32_t epoch);
/* The log was cut at `end`: forgets what it covered from there on, so that new records there are
 * taken. Returns how many offsets that are. CHECKs that no job has an entry there. */
int64_t ledger_cut(struct ledger *ledger, int64_t end);
/* The log begins at `low` now: drops the open offsets below. Returns how many offsets were lost. */
int64_t ledger_truncate(struct ledger *ledger, int64_t low);
/* The topic was recreated: forgets everything and begins at `low`. CHECKs that no job has an entry.
 */
void ledger_restart(struct ledger *ledger, int64_t low);

/* How many records fit into the map now, whatever their offsets and wherever the log ends. 1 for a
 * full map that covers offsets whose records have not arrived: then ask ledger_fits. */
size_t ledger_room(const struct ledger *ledger);
/* Whether the record at this offset fits into the map. */
bool ledger_fits(const struct ledger *ledger, int64_t offset);
/* Takes a record for the job with this index. Drops open offsets that the record skips: the log has
 * no such records. */
struct ledger_taken ledger_take(struct ledger *ledger, int64_t offset, uint32_t job);
/* The call that the map names as running is recorded already, and no owner died during it. */
void ledger_forget_call(struct ledger *ledger, int64_t offset);
/* The call that the map names as running is recorded already, as one that replaces the record of
 * this begun count: the count is spent. */
void ledger_spend_call(struct ledger *ledger, int64_t offset);
/* Whether the call of this begun count is such a one. */
bool ledger_has_spent(const struct ledger_entry *entry, uint8_t begun);
/* Whether the offset has no committed outcome. */
bool ledger_is_open(const struct ledger *ledger, int64_t offset);
/* The log has no further records below `position`. */
void ledger_end(struct ledger *ledger, int64_t position);

/* The entry of an open offset, valid until the ledger changes; NULL = done. */
const struct ledger_entry *ledger_find(const struct ledger *ledger, int64_t offset);

/* What happens to an open offset (CHECKed): */

/* With delivery.write_ahead a call begins after the commit of a map that tells it as under way, so
 * that no call can be missing from usage. Each call that may be billed and is not recorded needs a
 * mark of its own; a mark that was not used, or by a call that cost nothing, serves the next call
 * until a map clears it.
 *
 * Its call is to begin: the next map tells it as under way. */
void ledger_mark(struct ledger *ledger, int64_t offset);
/* Its call does not begin now: the next map clears the mark. */
void ledger_unmark(struct ledger *ledger, int64_t offset);
/* Whether its call may begin: a committed map of this tenure tells it as under way, and no call
 * that is not recorded uses this mark. */
bool ledger_may_begin(struct ledger *ledger, int64_t offset);
/* The map that goes into this batch was just made: notes what it tells. Batch numbers rise. */
void ledger_tell(struct ledger *ledger, uint32_t batch);
/* The maps up to this batch are committed. */
void ledger_told(struct ledger *ledger, uint32_t batch);

/* Its call began. */
void ledger_begin(struct ledger *ledger, int64_t offset);
/* Its call ended; `has_usage`: the call's usage waits for a batch. */
void ledger_call_ended(struct ledger *ledger, int64_t offset, bool has_usage);
/* Its answer is ready. */
void ledger_finish(struct ledger *ledger, int64_t offset);
/* Its job is dropped; the record stays in Kafka. `hash` identifies the request
 * (lost_calls.h). */
void ledger_drop(struct ledger *ledger, int64_t offset, uint64_t hash);
/* Its answer goes into the open batch. */
void ledger_put_in_batch(struct ledger *ledger, int64_t offset);
/* A usage record of this offset enters the open batch; `is_dead_owners`: of a dead owner's call. */
void ledger_record(struct ledger *ledger, int64_t offset, bool is_dead_owners);
/* An abort takes it out again. */
void ledger_unrecord(struct ledger *ledger, int64_t offset, bool is_dead_owners);

/* The offset to commit with the open batch. */
int64_t ledger_front(const struct ledger *ledger);
/* How many records below `high`, the log's end, have no committed outcome; -1 for `high` = unknown:
 * those that the ledger knows. */
int64_t ledger_backlog(const struct ledger *ledger, int64_t high);
/* How full the map may become with what is open now, in thousandths of its limit. */
int64_t ledger_fill(const struct ledger *ledger);
/* The most bytes that the map may have now. */
size_t ledger_map_bound(const struct ledger *ledger);
/* Appends the map for this front: at most map_bytes_max bytes, unless the ledger started with a
 * longer map (CHECKed). The stamp's nonce makes each map unique. A ledger that started with a full
 * map in the form bw1 goes on in it until the longer bw2 has room whatever finishes: else the
 * broker would refuse its maps. ERR_NO_MEMORY. */
MUST_CHECK enum err ledger_add_map(const struct ledger *ledger,
                                   const struct offset_map_stamp *stamp, struct buf *ret_map);
/* The batch with this offset and map was committed: removes its entries. */
void ledger_commit(struct ledger *ledger, int64_t offset, struct slice map);
/* The batch was aborted: its entries are finished, but not in a batch. */
void ledger_abort(struct ledger *ledger);

#endif
