/* The plan of a call: its answer, its timing and its fault, decided once the request has been read.
 * The random numbers come from the seed of the settings, the conversation and the number of earlier
 * calls with it, so the same prompts get the same plans in whatever order they arrive. Later
 * sources win over earlier ones: defaults, scripted answer, rules in their order, fault rates, the
 * directive in the prompt. */
#ifndef SIM_PLAN_H
#define SIM_PLAN_H

#include "sim/checks.h"
#include "sim/directive.h"
#include "sim/seen.h"
#include "sim/settings.h"

/* Plans all calls of a simulator; its thread only. */
struct planner {
    const struct sim_config *config;
    struct seen seen;
    int64_t rule_calls[SIM_RULES_MAX]; /* calls that each rule matched */
    int64_t rule_hits[SIM_RULES_MAX];  /* calls that each rule changed */
    struct random early;               /* for decisions before the body is read */
};

/* What a plan depends on. */
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
    struct slice text;              /* of the answer */
    size_t fill_bytes;              /* filler behind the text */
    const struct sim_texts *pieces; /* of a stream; NULL = one per word */
    int64_t input_tokens, output_tokens;
    struct slice stop_reason;
    int64_t metrics_ms; /* SIM_UNSET = as measured */
    struct random random;
};

/* Makes a planner; `config` is borrowed. ERR_NO_MEMORY. */
MUST_CHECK enum err planner_init(struct planner *planner, const struct sim_config *config);
void planner_done(struct planner *planner);
/* FAULT_RESET_EARLY or FAULT_NONE, before the body is read: by the fault's rate, and by rules that
 * do not match prompts. */
enum fault plan_early(struct planner *planner, struct slice model, enum operation operation);
/* Makes the plan of a call. ERR_INVALID: ret_text says what is wrong with the directive.
 * ERR_NO_MEMORY. */
MUST_CHECK enum err plan_make(struct planner *planner, const struct plan_facts *facts,
                              struct arena *arena, struct plan *ret_plan,
                              char ret_text[DIRECTIVE_TEXT_MAX]);

#endif
