/* Chunks: the pieces of a streamed answer, sent at once and outside transactions. A run is the
 * chunks of one call, numbered from 0. When a job fails, the worker
 * ends the job's last run with a chunk that has the error. */
#ifndef ENGINE_CHUNKS_H
#define ENGINE_CHUNKS_H

#include "engine/state.h"
#include "wire/chat/answer.h"

struct stream_step;

/* Sends the chunk of one stream step. Sends nothing after the broker rejected a chunk of the run or
 * the worker could not build one. While io has no room for chunks the run has a gap; its next chunk
 * says so. `counts` is the call's usage if the step has it, else NULL. */
void chunk_send(struct engine *engine, struct call *call, const struct stream_step *step,
                const struct usage_counts *counts);
/* Ends the run of a call whose stream is a whole answer, if none of its chunks was the last one:
 * only the end of the stream told that it was whole. */
void chunks_end(struct engine *engine, struct call *call, const struct answer *answer);
/* Ends the open run of a job that failed with job->why; no effect without one. */
void chunks_close(struct engine *engine, struct job *job);

#endif
