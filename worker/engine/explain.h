/* Why a request waits, for people: engine_explain of engine/engine.h finds the requests that a
 * question names and says of each where it is, since when, behind whom, and when it is tried next.
 * What the engine does not hold any more, or not yet, is explained from the partition's ledger.
 * Answers name topics, partitions, offsets and models; never keys, prompts or answers. At most
 * EXPLAIN_REQUESTS_MAX requests; a question costs a step for each held request. */
#ifndef ENGINE_EXPLAIN_H
#define ENGINE_EXPLAIN_H

#include "engine/state.h"

#define EXPLAIN_REQUESTS_MAX 20

#endif
