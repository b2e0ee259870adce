/* Jobs that outlive their tenure. When a partition is lost, its finished jobs and running calls go
 * to the shelf (engine/shelf.h); when their record comes again in a later tenure, that tenure
 * adopts them instead of new jobs, so that no answer is paid twice. An answer leaves only with a
 * commit of a verified tenure that marks its offset done: a wrong guess costs money, never a second
 * answer. What leaves the shelf unused is recorded as usage that is not final. */
#ifndef ENGINE_ADOPT_H
#define ENGINE_ADOPT_H

#include "engine/state.h"

/* Ends the tenure for a job that is finished or has an open call: shelves it if calls were made for
 * it and there is a shelf; else breaks the call off, and only usage goes out. */
void job_outlive(struct engine *engine, struct job *job);

/* The partition's ledger was opened from this committed offset and map. Ends the jobs on its page
 * that have an outcome there, and learns whether a batch of unknown outcome was committed. */
void adopt_opened(struct engine *engine, struct partition *partition, int64_t offset,
                  struct slice metadata);
/* Adopts the job of this record, which ledger_fits and whose offset is open, if the shelf has it;
 * needs no free job. Ends jobs of lower offsets, whose records the log does not have any more, and
 * one of another record. False: take the record as a new one. */
MUST_CHECK bool adopt_record(struct engine *engine, struct partition *partition,
                             const struct record *record);
/* The topic was recreated: ends the jobs on the partition's page. */
void adopt_none(struct engine *engine, const struct partition *partition);

/* The log was cut: its records at and above `end` are gone. Ends the jobs there. */
void adopt_below(struct engine *engine, const struct partition *partition, int64_t end);

/* Ends jobs of the shelf until a request has room in the pool and in max_held_bytes: answers before
 * running calls, and of partitions of ours only when nothing else holds the room. False: it has
 * none. */
bool adopt_make_room(struct engine *engine, const struct partition *partition);
/* Ends answers of partitions that are not ours while requests wait because answers fill the memory.
 * Once a turn. */
void adopt_turn(struct engine *engine);
/* The worker stops: ends all jobs of the shelf. */
void adopt_end(struct engine *engine);

#endif
