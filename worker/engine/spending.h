/* What a call is expected to cost of its target's quota, and what it has cost, in tokens as Bedrock
 * counts them: at its start it reserves the input and max_tokens; at its end it counts the uncached
 * input, the cache writes, and the output times the model's burndown rate (Amazon Bedrock user
 * guide, "How tokens are counted"). */
#ifndef ENGINE_SPENDING_H
#define ENGINE_SPENDING_H

#include "engine/state.h"

struct verdict;

/* The rules of a target's quota. */
struct quota_rules spending_rules(const struct engine *engine, const struct target *target);
/* What a call of this job may cost. */
struct quota_cost spending_cost(const struct target *target, const struct job *job);
/* The tokens that an ended call counts for; negative: not known. 0: an error status. */
double spending_of(const struct target *target, const struct verdict *verdict);

#endif
