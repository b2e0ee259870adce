/* What the engine counts for metrics (telemetry/metrics.def). Counters and histograms are counted
 * where things happen; gauges are read from the engine's nouns when a scrape asks. Without
 * engine_config.metrics nothing is counted. The labels `model` and `region` are those of the
 * settings and the first METER_LABELS_MAX that answered; others are `other`, so that requests that
 * invent names add no series. */
#ifndef ENGINE_METER_H
#define ENGINE_METER_H

#include "engine/state.h"

struct verdict;

/* The labels `model` and `region` of a target; borrowed from it, or static. */
struct slice meter_model(const struct engine *engine, const struct target *target);
struct slice meter_region(const struct engine *engine, const struct target *target);
/* Begins with 0 where the first event of its kind must show as an increase. */
void meter_init(const struct engine *engine);
/* A request was taken from Kafka; began its first call; has its outcome committed. */
void meter_taken(struct engine *engine, const struct job *job);
void meter_first_call(struct engine *engine, const struct job *job);
void meter_committed(struct engine *engine, const struct job *job);
/* A job's call ended with this verdict. */
void meter_call(struct engine *engine, const struct job *job, const struct verdict *verdict);
/* A request moved from one target to another, for a reason of moves.def. */
void meter_moved(struct engine *engine, const struct target *from, const struct target *to,
                 const char *reason);
/* A batch with this result was committed; its outputs are still there. */
void meter_usage(struct engine *engine, const struct result *result);
/* What was kept of a lost partition: "kept", "used" or "dropped", a constant. */
void meter_shelf(const struct engine *engine, const char *outcome, int64_t by);
/* A batch ended: `outcome` is a constant, such as "committed". */
void meter_batch(struct engine *engine, const char *outcome, int64_t duration_ms);

#endif
