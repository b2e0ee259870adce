/* The shelf: what has been paid for in tenures that are over. When a partition is lost, its
 * finished jobs and running calls wait here, each with the hash of its record's key, value and
 * timestamp; when the partition is assigned again and the record comes, engine/adopt.h makes the
 * job one of the new tenure. From the shelf nothing goes out, usage neither; a call that fails here
 * is not retried.
 *
 * Jobs of the shelf keep their place in the pool, their bytes and their call slot, so they count in
 * delivery.max_held, max_held_bytes and max_in_flight. When intake has no room, the oldest answer
 * of a partition that this worker does not have goes first, then the oldest running call of such a
 * one; but none goes in the first seconds of a new membership, in which its partition may come
 * back. What leaves unused is recorded as usage that is not final. Nothing stays longer than
 * engine_config.keep_lost_ms; 0 = there is no shelf.
 *
 * A page holds the jobs of one partition by offset. It has a struct partition of its own, which is
 * gone and has no ledger, so that its jobs still belong to a partition. */
#ifndef ENGINE_SHELF_H
#define ENGINE_SHELF_H

#include "engine/state.h"

void shelf_init(struct engine *engine);
/* Frees the pages; the jobs are the pool's. */
void shelf_free(struct engine *engine);
/* Whether jobs of lost partitions are kept: the settings want it, and the worker does not stop. */
bool shelf_takes(const struct engine *engine);

/* Puts a job on the page of its partition: engine/adopt.h has made it ready. CHECKs that there is
 * memory. */
void shelf_put(struct engine *engine, struct job *job);
/* The open call of a job on the shelf ended with an answer. */
void shelf_answered(struct job *job);
/* The job leaves the shelf unused, and its caller frees it. */
void shelf_leave(struct job *job);
/* The job leaves the shelf for a tenure, which is its caller's to do. */
void shelf_give(struct engine *engine, struct job *job);

/* A tenure begins, or is over: its page, if there is one, is of a partition of ours, or is not. */
void shelf_attach(struct engine *engine, struct partition *partition);
void shelf_detach(struct partition *partition);

/* The tenure that has the partition of this place now; NULL = it is not ours. */
const struct partition *shelf_owner(struct partition *place);

/* The job with the lowest offset on the page of this tenure; NULL = none. */
struct job *shelf_first(const struct partition *partition);
/* Whether this record is the job's: the same offset, key, value and timestamp. */
bool shelf_is_record(const struct engine *engine, const struct job *job,
                     const struct record *record);

/* A batch of unknown outcome had this partition, which is gone: its offset and map will show
 * whether it was committed. */
void shelf_note_unknown(struct engine *engine, const struct partition *partition, uint64_t batch);
/* The partition's ledger was opened from this offset and map. Returns the batch of unknown outcome
 * of which they show it, and *ret_was_committed; 0 = of none. */
uint64_t shelf_settle_unknown(struct partition *partition, int64_t offset, struct slice metadata,
                              bool *ret_was_committed);

/* The oldest answer or (is_finished false) running call of partitions that are not ours, or
 * (is_any) of all; NULL = none. */
struct job *shelf_oldest(const struct engine *engine, bool is_finished, bool is_any);
/* Whether the worker got its first partition only seconds ago: others may still come back. */
bool shelf_is_forming(const struct engine *engine);
/* Frees empty pages. Once a turn. */
void shelf_turn(struct engine *engine);

/* How many jobs are on the shelf, and the bytes that they hold. */
uint32_t shelf_count(const struct engine *engine);
uint64_t shelf_bytes(const struct engine *engine);
/* The place of each page, a partition that is gone and has the page's jobs; NULL before the first
 * and after the last. */
struct partition *shelf_next(const struct engine *engine, struct partition *place);

#endif
