/* The spans of a request and its commits, made at the moments that the engine has anyway:
 *
 *   process <topic>   a request, from its record to its commit; child of the record's traceparent
 *     chat <model>    its call of the model, over all attempts
 *       POST          one attempt
 *   send              a transaction, linked with the requests whose outcome it commits
 *
 * A record's trace is sampled as its traceparent says; a trace that begins here, by the settings'
 * ratio. Responses and chunks of a sampled request carry its span process as traceparent. Without
 * engine_config.spans nothing happens. Source: OpenTelemetry's semantic conventions for messaging,
 * generative AI and HTTP clients; W3C Trace Context. */
#ifndef ENGINE_TRACE_H
#define ENGINE_TRACE_H

#include "engine/state.h"

struct verdict;

/* The job's record was copied: decides about its trace. */
void trace_take(struct engine *engine, struct job *job);
/* Its last attempt ended with this verdict. */
void trace_attempt(struct engine *engine, struct job *job, const struct verdict *verdict);
/* No further attempt follows. `answer` NULL: none of them was answered. */
void trace_chat(struct engine *engine, struct job *job, const struct answer *answer);
/* The job ends: its outcome is committed, or (false) another worker or a later one takes its
 * record. */
void trace_process(struct engine *engine, struct job *job, bool is_committed);
/* The open batch ended; `error` NULL: it was committed. */
void trace_batch(struct engine *engine, const char *error);

#endif
