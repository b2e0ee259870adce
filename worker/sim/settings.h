/* The settings of bedrock-sim: one heap object with defaults that serve, filled from YAML. Texts
 * lie in its arena. Without a file it has the shipped config/sim.yaml, which is built in. */
#ifndef SIM_SETTINGS_H
#define SIM_SETTINGS_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "sim/delay.h"
#include "sim/faults.h"
#include "yaml/problems.h"

#define SIM_KEYS_MAX    16
#define SIM_BEARERS_MAX 16
#define SIM_MODELS_MAX  256
#define SIM_QUOTAS_MAX  64
#define SIM_ANSWERS_MAX 256
#define SIM_RULES_MAX   256
#define SIM_PIECES_MAX  4096
#define SIM_BODY_MAX    25000000  /* Bedrock's own limit of a request body */
#define SIM_BYTES_MAX   268435456 /* of an answer asked for by size */
#define SIM_UNSET       (-1)

enum operation { OPERATION_ANY, OPERATION_CONVERSE, OPERATION_CONVERSE_STREAM };

struct sim_key {
    struct slice access_key_id, secret_access_key;
    struct slice session_token; /* empty = none */
    bool expired;               /* known, but its time is over: ExpiredTokenException */
};

struct sim_texts {
    struct slice *list;
    size_t count;
};

/* Which calls are meant; an empty text or OPERATION_ANY asks for nothing. */
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
    struct sim_texts pieces;               /* of a stream; none = cut by words */
    int64_t input_tokens, output_tokens;   /* SIM_UNSET = bytes / 4 */
    struct slice stop_reason;              /* empty = end_turn */
    int64_t latency_ms, stream_latency_ms; /* that the metrics tell; SIM_UNSET = as measured */
};

/* What a rule or a directive does to a call; unset members leave it alone. */
struct sim_effect {
    int64_t fault; /* enum fault or SIM_UNSET */
    struct delay latency, gap;
    int64_t bytes;          /* of the answer's text */
    int64_t after;          /* frames before a stream's fault */
    int64_t skew_ms;        /* wrong_date, skewed_clock */
    int64_t retry_after_ms; /* adds Retry-After and x-amz-retry-after to an error */
};

struct sim_rule {
    struct sim_match match;
    int64_t nth;   /* the n-th call it matches alone, from 1; SIM_UNSET = any */
    int64_t every; /* each n-th; SIM_UNSET = any */
    int64_t times; /* at most so often; SIM_UNSET = always */
    double rate;   /* of the calls left */
    struct sim_effect effect;
};

/* Token buckets, one a model id; 0 = no limit. */
struct sim_quota {
    struct slice model; /* glob; the first that matches counts */
    int64_t requests;   /* a minute */
    int64_t tokens;     /* a minute: input + max_tokens at the start, what was used at the end */
    int64_t burst_ms;   /* how much of the quota a full bucket holds */
};

/* The key of the pages' examples: known where the settings have no auth.keys. */
#define SIM_ACCESS_KEY_ID     "AKIASIMULATOREXAMPLE"
#define SIM_SECRET_ACCESS_KEY "simulated/secret+key/for/local+tests"

struct sim_config {
    struct arena arena;
    struct problems problems; /* of what was read last */
    struct slice address;     /* IPv4 to listen on */
    int64_t port;
    int64_t seed;
    bool directives;                  /* [[sim:…]] in prompts is obeyed */
    struct slice tag_open, tag_close; /* around the caller's tag in a prompt: [[id: and ]] */
    struct delay latency, gap;        /* before the first byte; between the pieces of a stream */
    double padding_rate;              /* of stream events that carry the padding member `p` */
    int64_t answer_bytes;             /* of answers without a script; SIM_UNSET = by the prompt */
    bool auth_required;
    struct slice region;      /* that signatures must name; empty = any */
    int64_t clock_skew_ms;    /* of the sim's own clock */
    int64_t skew_max_ms;      /* between that and a signature */
    struct slice ledger_path; /* empty = none */
    int64_t ledger_flush_ms;
    int64_t connections_max;
    int64_t body_bytes_max;
    int64_t idle_ms;         /* of a connection without a call */
    int64_t stall_ms;        /* after which a stalled call is closed */
    struct sim_texts models; /* globs of models that exist; none = all */
    struct sim_texts bearers;
    double fault_rates[FAULT_COUNT];
    struct sim_key keys[SIM_KEYS_MAX]; /* at first SIM_ACCESS_KEY_ID */
    size_t key_count;
    struct sim_quota quotas[SIM_QUOTAS_MAX];
    size_t quota_count;
    struct sim_answer answers[SIM_ANSWERS_MAX];
    size_t answer_count;
    struct sim_rule rules[SIM_RULES_MAX];
    size_t rule_count;
};

/* The built-in settings; NULL = out of memory. */
MUST_CHECK struct sim_config *sim_config_new(void);
void sim_config_free(struct sim_config *config); /* NULL is fine */
/* Forgets everything but defaults and reads the text; `name` is what problems call it. false: all
 * that is wrong is in config->problems. */
MUST_CHECK bool sim_config_read(struct sim_config *config, struct slice text, const char *name);
/* The same with a file's content. */
MUST_CHECK bool sim_config_read_file(struct sim_config *config, const char *path);
/* `requests[/tokens]` a minute, or `glob=requests[/tokens]`; put before the others. */
MUST_CHECK bool sim_config_add_quota(struct sim_config *config, struct slice text);
/* A text that lives as long as the settings; false = out of memory. */
MUST_CHECK bool sim_config_keep(struct sim_config *config, struct slice text,
                                struct slice *ret_text);

/* An effect or match that asks for nothing. */
void sim_effect_clear(struct sim_effect *ret_effect);

/* config/sim.yaml as it was at build time. */
extern const unsigned char SIM_SCRIPT[];
extern const unsigned long SIM_SCRIPT_LEN;

#endif
