/* What one call will get: its answer, its pace and its fault, decided when the request has been
 * read. Chance comes from the settings' seed, the conversation and how often it was asked before,
 * so the same prompts meet the same fate in whatever order they arrive. Of the settings' voices the
 * later one wins: defaults, scripted answer, rules in order, rates of faults, the prompt's own
 * directive. */
#ifndef SIM_PLAN_H
#define SIM_PLAN_H

#include "sim/checks.h"
#include "sim/directive.h"
#include "sim/seen.h"
#include "sim/settings.h"

struct planner {
    const struct sim_config *config;
    struct seen seen;
    int64_t rule_calls[SIM_RULES_MAX]; /* that a rule matched */
    int64_t rule_hits[SIM_RULES_MAX];  /* that it treated */
    struct random early;               /* for what is decided before the body is read */
};

struct plan_facts {
    const struct conversation *conversation;
    struct slice model;
    enum operation operation;
    struct slice tag; /* null = none */
};

/* Texts lie in the call's arena or in the settings. */
struct plan {
    enum fault fault;
    int64_t latency_ms;
    struct delay gap;
    double padding_rate;
    int64_t after; /* frames before a stream's fault */
    int64_t skew_ms;
    int64_t retry_after_ms;
    struct slice text;              /* of the answer … */
    size_t fill_bytes;              /* … and so many bytes of filler behind it */
    const struct sim_texts *pieces; /* NULL = cut by words */
    int64_t input_tokens, output_tokens;
    struct slice stop_reason;
    int64_t metrics_ms; /* SIM_UNSET = as measured */
    struct random random;
};

MUST_CHECK enum err planner_init(struct planner *planner, const struct sim_config *config);
void planner_done(struct planner *planner);
/* FAULT_RESET_EARLY or FAULT_NONE: by rate, and by rules that do not ask for the prompt. */
enum fault plan_early(struct planner *planner, struct slice model, enum operation operation);
/* ERR_INVALID with words for a directive that is none; ERR_NO_MEMORY. */
MUST_CHECK enum err plan_make(struct planner *planner, const struct plan_facts *facts,
                              struct arena *arena, struct plan *ret_plan,
                              char ret_words[DIRECTIVE_WORDS_MAX]);

#endif
