/* Results: the records that must be committed together with one change of a ledger. A result is
 * open while its outputs are made, then queued in the order of finishing, then in the open batch.
 * An abort returns it to the head of the queue; a commit frees it. Only this file changes the
 * counters of results, in the engine and in partitions. */
#ifndef ENGINE_RESULT_H
#define ENGINE_RESULT_H

#include "engine/state.h"

/* Starts without results. */
void results_init(struct engine *engine);
/* Frees all results that are queued or in the batch. */
void results_free(struct engine *engine);

/* Makes the result inside `job`: open, without outputs. */
void result_init(struct result *result, struct job *job);
/* A result without a job, for the usage of an earlier call; the caller owns it until it is
 * submitted, result_free frees it. CHECKs that there is memory. */
struct result *result_new(void);
/* Frees the outputs. A job's result is open again; any other result is freed. */
void result_free(struct engine *engine, struct result *result);

/* What a result and the id of a lost call's record take from the request's record; 0 = it has none.
 */
static inline int64_t result_timestamp(const struct record *record)
{
    return record->timestamp_type == TIMESTAMP_NONE ? 0 : record->timestamp_ms;
}

/* Adds an output; the result owns it from now on. */
void result_add(struct engine *engine, struct result *result, struct output *output);
/* Frees one output of the result. */
void result_drop(struct engine *engine, struct result *result, struct output *output);
/* Whether it has an output of this kind. */
bool result_has(const struct result *result, enum output_kind kind);

/* Moves an open result to the end of the queue. `partition` and `offset` name the ledger entry that
 * it settles; `partition` NULL: it touches no ledger. */
void result_submit(struct engine *engine, struct result *result, struct partition *partition,
                   int64_t offset);
/* Moves a queued result to the end of the batch. */
void result_batch(struct engine *engine, struct result *result);
/* Takes a job's result out of the queue: it is open again and keeps its outputs. */
void result_withdraw(struct engine *engine, struct result *result);
/* Moves a result from the batch to the head of the queue. */
void result_return(struct engine *engine, struct result *result);
/* Sets told.id of a told result (engine/lost_calls.h): the id of the record that its call's next
 * owner makes. `partition` is that of its tenure. */
void result_name_lost(struct engine *engine, struct result *result,
                      const struct partition *partition);
/* Detaches a queued result without a job from its partition, which is gone: it goes out without a
 * ledger. Frees the usage of a dead owner's call: the partition's next owner finds the call in the
 * map and records it. */
void result_orphan(struct engine *engine, struct result *result);
/* Does the same for all queued results of a partition. */
void results_orphan(struct engine *engine, const struct partition *partition);

/* The first of the queued results, or of those in the batch; NULL = none. */
struct result *result_first(struct engine *engine, enum result_place place);
/* The last one; NULL = none. */
struct result *result_last(struct engine *engine, enum result_place place);
/* The next one in the same place; NULL after the last. */
struct result *result_next(struct engine *engine, const struct result *result);

/* Number of queued results. */
uint32_t results_queued(const struct engine *engine);
/* Number of results in the batch. */
uint32_t results_batched(const struct engine *engine);
/* Number of results in the batch that answer a request. */
uint32_t results_batched_answers(const struct engine *engine);
/* Bytes that the outputs of all results hold. */
uint64_t results_bytes(const struct engine *engine);
/* Tokens of usage records that are not committed yet. */
int64_t results_tokens(const struct engine *engine);

#endif
