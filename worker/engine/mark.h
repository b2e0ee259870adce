/* Marks, with delivery.write_ahead: before a job's call begins, a commit records that it is about
 * to. A marked job waits here with a call slot kept for it; when its mark is committed and its
 * target's gates are open, its call begins in the same turn. So no call can be billed and missing
 * from usage, whatever is killed when. The ledger knows what a mark is (ledger_mark).
 *
 * When no slot is free, as many jobs are marked ahead as calls ended since the last cut: they take
 * the slots that become free before the next commit, so that no slot waits for a commit. */
#ifndef ENGINE_MARK_H
#define ENGINE_MARK_H

#include "engine/state.h"

/* No job is marked. */
void marks_init(struct engine *engine);

/* Marks a job that is in no queue and whose target's quota allows its call: step MARKED. */
void mark_set(struct engine *engine, struct job *job);
/* The job leaves this room, and its mark is to be cleared; the caller moves it on at once. */
void mark_leave(struct engine *engine, struct job *job);
/* The job leaves this room, and its call begins with the mark (target_begin_call, ledger_begin). */
void mark_use(struct engine *engine, struct job *job);

/* The maps of a partition up to this batch are committed. */
void marks_told(struct engine *engine, struct partition *partition, uint64_t batch);
/* A batch with offsets was cut. */
void marks_cut(struct engine *engine);

/* Whether a marked job may begin its call as far as marks and slots go. */
bool marks_are_ready(struct engine *engine);
/* The first such job; the caller moves it on. NULL = none. */
struct job *marks_next_ready(struct engine *engine);

#endif
