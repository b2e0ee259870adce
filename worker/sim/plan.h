/* The plan of a call: its answer, its timing and its fault, decided once the request has been read.
 * The random numbers come from the seed of the settings, the conversation and the number of earlier
 * calls with it, so the same prompts get the same plans in whatever order they arrive. Later
 * sources win over earlier ones: defaults, scripted answer, rules in their order, fault rates, the
 * directive in the prompt. */
#ifndef SIM_PLAN_H
#define SIM_PLAN_H

#include "sim/caches.h"
#include "sim/bodies/conversation.h"
#include "sim/directive.h"
#include "sim/families.h"
#include "sim/seen.h"
#include "sim/settings.h"

/* Plans all calls of a simulator; its thread only. */
struct planner {
    const struct sim_config *config;
    struct seen seen;
    struct caches caches;
    int64_t rule_calls[SIM_RULES_MAX]; /* calls that each rule matched */
    int64_t rule_hits[SIM_RULES_MAX];  /* calls that each rule changed */
    struct random early;               /* for decisions before the body is read */
};

/* What a plan depends on. */
struct plan_facts {
    const struct conversation *conversation;
    struct slice model;
    enum operation operation;
    struct slice tag;            /* null = none */
    const struct family *family; /* never NULL */
    int64_t now_ms;              /* monotonic */
};

/* A part of the answer. The text is in the plan, because it may be filler. */
enum plan_kind { PLAN_TEXT, PLAN_REASONING, PLAN_REDACTED, PLAN_TOOL_USE };
struct plan_block {
    enum plan_kind kind;
    struct slice text;      /* reasoning; the bytes of redacted; JSON of a tool's input */
    struct slice signature; /* of reasoning; null = none */
    struct slice name, id;  /* of a tool use */
    bool is_cut;            /* by maxTokens */
};
#define PLAN_BLOCKS_MAX (2 + SIM_CALLS_MAX)

enum plan_verdict { VERDICT_NONE, VERDICT_PASSED, VERDICT_INPUT, VERDICT_OUTPUT };

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
    const struct family *family; /* NULL = custom */
    bool is_invoke;              /* the answer has the family's form, not Converse's */
    bool is_structured;          /* the text is JSON: filler would spoil it */
    struct plan_block blocks[PLAN_BLOCKS_MAX];
    size_t block_count; /* 0 = the text is the only block */
    bool cites;         /* the text has a citation */
    bool caches;        /* the usage has counts of the cache */
    /* input_tokens are those beside the cache; cache_long is part of cache_write */
    int64_t cache_read, cache_write, cache_long;
    enum plan_verdict verdict; /* of the guardrail */
    struct asked_guardrail guardrail;
    struct slice tier, latency; /* as served; null = the request named none */
    bool wants_stop, wants_details;
    struct slice stop_sequence; /* that ended the answer; null = none did */
};

/* Makes a planner; `config` is borrowed. ERR_NO_MEMORY. */
MUST_CHECK enum err planner_init(struct planner *planner, const struct sim_config *config);
void planner_done(struct planner *planner);
/* FAULT_RESET_EARLY or FAULT_NONE, before the body is read: by the fault's rate, and by rules that
 * do not match prompts. */
enum fault plan_early(struct planner *planner, struct slice model, enum operation operation);
/* The error that a call meets whose body is refused, for Bedrock throttles and denies access before
 * it looks at bodies; FAULT_NONE: only its body's. By rates, and by rules that do not match
 * prompts.
 */
enum fault plan_refusal(struct planner *planner, struct slice model, enum operation operation);
/* Makes the plan of a call. ERR_INVALID: ret_text says what is wrong with the directive.
 * ERR_NO_MEMORY. */
MUST_CHECK enum err plan_make(struct planner *planner, const struct plan_facts *facts,
                              struct arena *arena, struct plan *ret_plan,
                              char ret_text[DIRECTIVE_TEXT_MAX]);

/* plan_blocks.c: what the answer is made of, behind its text. Errors as plan_make. */
MUST_CHECK enum err plan_blocks(const struct plan_facts *facts, const struct directive *directive,
                                const struct sim_answer *answer, struct arena *arena,
                                struct plan *plan, char ret_text[DIRECTIVE_TEXT_MAX]);

/* The parts of an answer; the text is one when there are no others. */
size_t plan_block_count(const struct plan *plan);
struct plan_block plan_block_at(const struct plan *plan, size_t index);
/* The bytes of a part, and of all. */
size_t plan_block_bytes(const struct plan *plan, const struct plan_block *block);
size_t plan_bytes(const struct plan *plan);

#endif
