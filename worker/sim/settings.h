/* The settings of bedrock-sim: one heap object, filled from YAML, with working defaults. Texts lie
 * in its arena. Without a file it has the settings of config/sim.yaml, which the build embeds. */
#ifndef SIM_SETTINGS_H
#define SIM_SETTINGS_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "sim/delay.h"
#include "sim/faults.h"
#include "sim/operations.h"
#include "yaml/problems.h"

#define SIM_KEYS_MAX        16
#define SIM_BEARERS_MAX     16
#define SIM_MODELS_MAX      256
#define SIM_QUOTAS_MAX      64
#define SIM_QUOTA_STEPS_MAX 64
#define SIM_COMPETITORS_MAX 64
#define SIM_ANSWERS_MAX     256
#define SIM_RULES_MAX       256
#define SIM_PIECES_MAX      4096
#define SIM_BODY_MAX        25000000  /* Bedrock's own limit of a request body */
#define SIM_BYTES_MAX       268435456 /* of an answer asked for by size */
#define SIM_CALLS_MAX       16        /* of tools in one answer */
#define SIM_UNSET           (-1)

struct sim_key {
    struct slice access_key_id, secret_access_key;
    struct slice session_token; /* empty = none */
    bool expired;               /* the simulator answers with ExpiredTokenException */
};

struct sim_texts {
    struct slice *list;
    size_t count;
};

/* Which calls match; an empty text and OPERATION_ANY match all. */
struct sim_match {
    struct slice system; /* part of the system text */
    struct slice prompt; /* part of the last user turn's text */
    struct slice model;  /* glob */
    enum operation operation;
};

/* A scripted answer. */
struct sim_answer {
    struct sim_match match;
    struct slice text;
    struct sim_texts pieces;               /* of a stream; none = one per word */
    int64_t input_tokens, output_tokens;   /* SIM_UNSET = bytes / 4 */
    struct slice stop_reason;              /* empty = end_turn */
    struct slice tool;                     /* that it calls, if the request has it */
    struct slice input;                    /* of that call, JSON; empty = made from the schema */
    struct slice reasoning;                /* before the text; empty = none */
    int64_t latency_ms, stream_latency_ms; /* in the answer's metrics; SIM_UNSET = as measured */
};

/* How a rule or a directive changes a call; unset members change nothing. */
struct sim_effect {
    int64_t fault; /* enum fault or SIM_UNSET */
    struct delay latency, gap;
    int64_t bytes;          /* of the answer's text */
    int64_t after;          /* frames before a stream's fault */
    int64_t skew_ms;        /* wrong_date, skewed_clock */
    int64_t retry_after_ms; /* adds Retry-After and x-amz-retry-after to an error */
};

/* An effect on some of the calls that match. */
struct sim_rule {
    struct sim_match match;
    int64_t nth;   /* only the n-th matching call, from 1; SIM_UNSET = all */
    int64_t every; /* only each n-th; SIM_UNSET = all */
    int64_t times; /* the most calls that it changes; SIM_UNSET = any number */
    double rate;   /* share of the remaining calls, 0 to 1 */
    struct sim_effect effect;
};

/* The quota of each model that the glob matches (sim/quota.h); 0 = no limit. */
struct sim_quota {
    struct slice model;     /* glob; the first quota that matches counts */
    int64_t requests;       /* per minute */
    int64_t tokens;         /* per minute */
    int64_t tokens_per_day; /* since the first call, and then every 24 hours */
    int64_t burst_ms;       /* how much of the quota a full bucket or a window holds */
    int64_t burndown;       /* tokens that one of output counts for, at the end of a call */
    bool windows;           /* the quota is new every burst_ms and does not fill meanwhile */
};

/* The key of the documentation's examples, valid when the settings have no auth.keys. */
#define SIM_ACCESS_KEY_ID     "AKIASIMULATOREXAMPLE"
#define SIM_SECRET_ACCESS_KEY "simulated/secret+key/for/local+tests"

/* From `at_ms` after the first call on, quotas a minute have `factor` times their size: for the
 * models that the glob matches, until the next step. */
struct sim_quota_step {
    struct slice model; /* glob; empty = all */
    int64_t at_ms;
    double factor; /* 0 to 1 */
};

/* Somebody else in the account who calls the models that the glob matches, between two times after
 * the first call: always gets `share` of their quotas a minute, as far as they have it. */
struct sim_competitor {
    struct slice model; /* glob; empty = all */
    int64_t from_ms, to_ms;
    double share; /* 0 to 1 */
};

struct sim_config {
    struct arena arena;
    struct problems problems; /* of the last reading */
    struct slice address;     /* IPv4 to listen on */
    int64_t port;
    int64_t seed;
    bool directives;                  /* [[sim:…]] in prompts has an effect */
    struct slice tag_open, tag_close; /* around the caller's tag in a prompt: [[id: and ]] */
    struct delay latency, gap;        /* before the first byte; between the pieces of a stream */
    double padding_rate;              /* share of stream events with the padding member `p` */
    int64_t answer_bytes;             /* of answers without a script; SIM_UNSET = by the prompt */
    bool auth_required;
    struct slice region;      /* that signatures must name; empty = any */
    int64_t clock_skew_ms;    /* of the simulator's clock */
    int64_t skew_max_ms;      /* between its clock and a signature */
    struct slice ledger_path; /* empty = none */
    int64_t ledger_flush_ms;
    int64_t connections_max;
    int64_t body_bytes_max;
    int64_t idle_ms;         /* of a connection without a call */
    int64_t stall_ms;        /* how long a stalled call stays open */
    struct sim_texts models; /* globs of models that exist; none = all */
    struct sim_texts bearers;
    double fault_rates[FAULT_COUNT];
    struct sim_key keys[SIM_KEYS_MAX]; /* by default SIM_ACCESS_KEY_ID */
    size_t key_count;
    struct sim_quota quotas[SIM_QUOTAS_MAX];
    size_t quota_count;
    struct sim_quota_step quota_steps[SIM_QUOTA_STEPS_MAX];
    size_t quota_step_count;
    struct sim_competitor competitors[SIM_COMPETITORS_MAX];
    size_t competitor_count;
    struct sim_answer answers[SIM_ANSWERS_MAX];
    size_t answer_count;
    struct sim_rule rules[SIM_RULES_MAX];
    size_t rule_count;
};

/* Makes the settings of config/sim.yaml. NULL: out of memory. */
MUST_CHECK struct sim_config *sim_config_new(void);
void sim_config_free(struct sim_config *config); /* NULL is fine */
/* Replaces all settings by the defaults and those of `text`; problems call it `name`. False:
 * config->problems has what is wrong. */
MUST_CHECK bool sim_config_read(struct sim_config *config, struct slice text, const char *name);
/* As sim_config_read, with the content of a file. */
MUST_CHECK bool sim_config_read_file(struct sim_config *config, const char *path);
/* Reads `requests[/tokens]` per minute, or `glob=requests[/tokens]`, and puts the quota before the
 * others. False: `text` is none, or there are too many. */
MUST_CHECK bool sim_config_add_quota(struct sim_config *config, struct slice text);
/* Reads `at=factor`, as 20s=0.5, and adds the step for all models. False: likewise. */
MUST_CHECK bool sim_config_add_step(struct sim_config *config, struct slice text);
/* Reads `from-to=share`, as 20s-1m=0.5, and adds the competitor for all models. False: likewise. */
MUST_CHECK bool sim_config_add_competitor(struct sim_config *config, struct slice text);
/* Copies a text into the settings' arena; false: out of memory. */
MUST_CHECK bool sim_config_keep(struct sim_config *config, struct slice text,
                                struct slice *ret_text);

/* Makes an effect that changes nothing. */
void sim_effect_clear(struct sim_effect *ret_effect);

/* config/sim.yaml as it was at build time. */
extern const unsigned char SIM_SCRIPT[];
extern const unsigned long SIM_SCRIPT_LEN;

#endif
