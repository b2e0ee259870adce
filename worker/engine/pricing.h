/* Pricing: what a call cost, by the prices with which its request was read (engine_config.prices).
 * What decides is the model or profile that was called, the region that was called, the tier that
 * served (else the one that the request asks for), the input with cached tokens, and when the call
 * began. Calls without a price are counted when their usage is committed, and logged at most once a
 * minute. */
#ifndef ENGINE_PRICING_H
#define ENGINE_PRICING_H

#include "engine/state.h"

/* The cost of a call of the job, `counts` of `attempt` as begun at `at_ms` (Unix time). Returns
 * ret_cost, which may be not known; NULL: there are no prices. `logs`: whether to say why a call
 * has no cost. */
const struct output_cost *pricing_cost(struct engine *engine, const struct job *job,
                                       const struct attempt *attempt,
                                       const struct usage_counts *counts, int64_t at_ms, bool logs,
                                       struct output_cost *ret_cost);

#endif
