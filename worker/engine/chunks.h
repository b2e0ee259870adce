/* Chunks: the pieces of a streamed answer, sent at once and outside transactions. A run is the
 * chunks of one call, numbered from 0; whoever hears a part of an answer hears how it ends. */
#ifndef ENGINE_CHUNKS_H
#define ENGINE_CHUNKS_H

#include "engine/state.h"
#include "wire/chat/answer.h"

struct stream_step;

/* Sends what one step of the stream gave; nothing more once the broker refused a chunk of the run,
 * or one could not be made. `counts`: the call's usage, where the step has it; else NULL. */
void chunk_send(struct engine *engine, struct call *call, const struct stream_step *step,
                const struct usage_counts *counts);
/* The job failed with job->why: ends its last run, if that is open. */
void chunks_close(struct engine *engine, struct job *job);

#endif
