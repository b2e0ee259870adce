/* The nouns of targets: what is called, at which pace, and what came of it. Types only; a part of
 * engine/state.h, which has the other nouns. */
#ifndef ENGINE_STATE_TARGET_H
#define ENGINE_STATE_TARGET_H

#include "base/arena.h"
#include "base/list.h"
#include "policy/day_budget.h"
#include "policy/fair.h"
#include "policy/outage.h"
#include "policy/quota.h"
#include "policy/share.h"
#include "policy/token_cost.h"
#include "wire/bedrock/endpoint.h"
#include "wire/bedrock/sigv4.h"

struct identity;

#define TALLY_BUCKETS    22
#define TALLY_MODEL_ROOM 128

/* What calls of a target gave lately; it outlives the target: engine/history.h */
struct tally {
    uint64_t hash;                            /* of the target; valid while used_ms > 0 */
    int64_t used_ms;                          /* the last call's end; 0 = unused */
    char model[TALLY_MODEL_ROOM], region[32]; /* clipped */
    uint64_t calls, throttled;                /* ended, since the first */
    uint64_t number;                          /* the minute of `tokens` */
    uint64_t tokens, tokens_before;           /* of that minute, and of the one before */
    uint32_t durations[TALLY_BUCKETS]; /* of answered calls, the older ones with less weight */
    uint32_t duration_count;           /* their sum */
};

struct target {
    struct link link;       /* in engine->targets.all */
    struct link link_hash;  /* in engine->targets.buckets */
    struct link link_spare; /* in engine->targets.spare while no job points to it */
    int64_t spare_ms;       /* since when */
    struct link link_ready; /* in engine->targets.ready while jobs wait */
    struct slice model, region;
    struct identity *identity; /* signs its calls */
    struct endpoint endpoint;
    struct arena arena; /* its texts */
    uint64_t hash;
    struct fair_line line; /* its waiting jobs: engine/line.h */
    uint32_t holders;      /* number of jobs that point to it */
    uint32_t waiting, marked, calling;
    uint32_t ended;    /* calls that ended … */
    uint64_t ended_in; /* … since this cut (calls.cuts) */
    uint32_t counted;  /* scratch of intake.c: jobs of one partition that wait for it */
    /* engine/pacing.h */
    struct quota quota;
    struct outage outage;
    struct token_ratio tokens; /* learned: engine/spending.h */
    uint32_t max_output;       /* tokens of the model's longest answer */
    struct day_budget day;     /* what was spent; counted while day_max > 0 */
    double day_max;            /* tokens that the group may spend in 24 hours; 0 = no limit */
    int64_t day_until_ms;      /* no call begins before: they are spent */
    int64_t day_log_due_ms, size_log_due_ms;
    bool is_paced;         /* the quota's last answer was no */
    int64_t held_ms;       /* when it was no last */
    int64_t refused_ms;    /* the last refusal that was news; 0 = none */
    int64_t rested_ms;     /* sum of its rests after throttling, the present one included … */
    int64_t rest_until_ms; /* … which ends then */
    int64_t slowed_at_ms;  /* since when it is not sound; valid unless it is */
    /* engine/outlook.h */
    int64_t begun_ms;                   /* the last call */
    uint32_t failed_calls;              /* in a row … */
    int64_t failed_since_ms, failed_ms; /* … when the first of them and the last ended */
    enum target_state {
        TARGET_SOUND,
        TARGET_SLOW,
        TARGET_DOWN,
        TARGET_SPENT
    } logged;                                                   /* the state that was logged last */
    int64_t slow_log_due_ms, down_log_due_ms, share_log_due_ms; /* for log_is_due */
    struct sigv4_key key;
    /* engine/refusal.h; versions of the identity's credentials, which begin with 1: */
    uint64_t refused_version; /* that the service refuses here; 0 = none */
    uint64_t proven_version;  /* that it has accepted here; 0 = none */
    int64_t probe_due_ms;     /* of the next call with refused ones */
};

#define TARGET_BUCKETS 1024 /* a power of two */

/* engine/target.h */
struct targets {
    struct link all;
    struct link buckets[TARGET_BUCKETS]; /* all, by hash */
    struct link spare;                   /* of which something is remembered, without jobs */
    uint32_t spare_count;
    struct link ready;       /* those with waiting jobs */
    uint32_t busy;           /* those with waiting jobs or open calls */
    int64_t shared_until_ms; /* until then the shares apply: several targets were busy */
    struct share_pool share; /* of the call slots, among the busy ones */
    bool is_share_old;       /* `share` must be counted again */
    bool has_freed_share;    /* a target claims less since this was cleared: its pace holds it */
};

#endif
