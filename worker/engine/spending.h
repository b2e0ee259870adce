/* What a call may use of its target's quota, and what it has used, in tokens as Bedrock counts
 * them: policy/token_cost.h. A target has the rules of the settings' first row that fits it
 * (policy/quota_row.h), and learns how many bytes a token has. */
#ifndef ENGINE_SPENDING_H
#define ENGINE_SPENDING_H

#include "engine/state.h"

struct verdict;

/* The rules of a target's quota; notes what else is known of its model. */
struct quota_rules spending_rules(const struct engine *engine, struct target *target);
/* The tokens that the group may spend in any 24 hours; 0 = no limit is known. */
double spending_day(const struct engine *engine, const struct target *target);
/* Measures the job's request, for its target. */
void spending_measure(const struct engine *engine, struct job *job);
/* What a call of this job may cost. */
struct quota_cost spending_cost(const struct target *target, const struct job *job);
/* The tokens that an ended call counts for; negative: not known. 0: an error status. */
double spending_of(const struct job *job, const struct verdict *verdict);
/* Takes what an answer says about the tokens of its request. */
void spending_learn(struct job *job, const struct verdict *verdict);

#endif
