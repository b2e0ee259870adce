/* Results: the records that must be committed together with one change of a ledger. A result is
 * open while its outputs are made, then queued in the order in which results came about, then in
 * the open batch; an abort puts it back at the head of the queue, a commit frees it. What is
 * counted of results (by the engine, by a partition) changes in this file only. */
#ifndef ENGINE_RESULT_H
#define ENGINE_RESULT_H

#include "engine/state.h"

void results_init(struct engine *engine);
/* Frees all that are queued or in the batch. */
void results_free(struct engine *engine);

/* Makes the result that lies in `job`: open, without outputs. */
void result_init(struct result *result, struct job *job);
/* A result without a job, for the usage of an earlier call. Lives until result_free. */
struct result *result_new(void);
/* Drops the outputs. The result of a job is open again after it, any other is freed. */
void result_free(struct engine *engine, struct result *result);

/* The result owns `output` from now on. */
void result_add(struct engine *engine, struct result *result, struct output *output);
/* Frees one output of the result. */
void result_drop(struct engine *engine, struct result *result, struct output *output);
bool result_has(const struct result *result, enum output_kind kind);

/* From open to the end of the queue. `partition` NULL: it touches no ledger. */
void result_submit(struct engine *engine, struct result *result, struct partition *partition,
                   int64_t offset);
/* From the queue to the end of the batch. */
void result_batch(struct engine *engine, struct result *result);
/* From the batch to the head of the queue. */
void result_return(struct engine *engine, struct result *result);
/* A result without a job, queued, whose partition is gone: it goes out without a ledger. The usage
 * of a dead owner's call is freed: it is the affair of the partition's next owner, who finds the
 * call in the map. */
void result_orphan(struct engine *engine, struct result *result);
/* The same for all of a partition that are queued. */
void results_orphan(struct engine *engine, const struct partition *partition);

/* First and last of the queued ones or of those in the batch; NULL = none. */
struct result *result_first(struct engine *engine, enum result_place place);
struct result *result_last(struct engine *engine, enum result_place place);
/* The one behind it in the same place; NULL = it is the last. */
struct result *result_next(struct engine *engine, const struct result *result);

/* Queued ones. */
uint32_t results_queued(const struct engine *engine);
/* Those in the batch; and of these, the answers to requests. */
uint32_t results_batched(const struct engine *engine);
uint32_t results_batched_answers(const struct engine *engine);
/* Bytes that the outputs of all results hold. */
uint64_t results_bytes(const struct engine *engine);

#endif
