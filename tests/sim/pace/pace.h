/* Worlds of quotas: some workers, each a real engine, whose group spends one quota, between a Kafka
 * that keeps what was committed and a Bedrock with its accounting (unit/quota_judge.h), in virtual
 * time. Nothing is drawn but what is asked for and how long it takes; what happens is the
 * scenario's.
 *
 *   main.c       runs the scenarios and compares their figures with the goals
 *   scenarios.c  the table of scenarios and goals
 *   world.c      time, events, the life of workers
 *   kafka.c      logs, group, offsets, looks at them
 *   bedrock.c    calls, what they cost, who else calls
 *   figures.c    what came of it
 *   ../promises.c what must hold at every moment */
#ifndef SIM_PACE_H
#define SIM_PACE_H

#include <stdlib.h>

#include "base/random.h"
#include "engine/state.h"
#include "policy/lag_life.h"
#include "sim/promises.h"
#include "unit/quota_judge.h"

#define PACE_WORKERS 8
#define PACE_LOGS    9 /* the last one is the quiet tenant's */
#define QUIET_LOG    (PACE_LOGS - 1)
#define PACE_CALLS   512 /* open calls of a worker */
#define PACE_MODELS  2
#define PACE_MARKS   7201  /* seconds */
#define START_MS     30000 /* does not count */
#define SESSION_MS   45000
#define LOOK_MS      4000
#define WALL_MS      1795000000000LL

enum load {
    SMALL,    /* max_tokens as the answers need it */
    GENEROUS, /* max_tokens far above the answers */
    MIXED     /* three decades of sizes, half of them with cache reads */
};

struct scenario {
    const char *name;
    double calls_per_second; /* that the quota allows */
    bool is_tokens;          /* the quota is of tokens, for so many mean calls */
    double small_rpm;        /* of a second model, in requests; 0 = there is none */
    double window_s;         /* of the quota; 0 = 60 */
    bool has_windows;
    enum load load;
    int workers, seconds;
    int64_t latency_ms;
    struct {
        int at;
        double factor;
    } steps[2];
    struct {
        int from, to;
        double share;
    } rival;
    struct {
        int from, to;
    } down;
    double day_s;    /* seconds of the quota that the day has; 0 = no limit */
    int shift_s;     /* the work is at one worker, and moves to the next so often; 0 = at all */
    int on_s, off_s; /* work comes for on_s, then none for off_s, and so on; 0 = always */
    double offered;  /* times the quota; 0 = 1.5 */
    int dies_at;     /* worker 0 is killed */
    int joins_at;    /* the last worker starts then, and gets its log from worker 0 */
    bool has_quiet_tenant;
    int streams; /* the first requests take an hour; then eight are refused */
    bool write_ahead;
};

struct goal {
    double goodput, waste; /* per cent of the quota; refused for 100 granted */
    double jain;           /* at least */
    double small_goodput, small_waste;
    int settled_s;        /* from then on the small one is refused once a minute; 0 = it need not */
    double next_call_s;   /* in worlds of streams */
    double recovery_s[2]; /* after the last event of the scenario, and the one before; 0 = any */
};

/* What a request asks for; by its place alone. */
struct ask {
    int model;
    int bytes; /* of its text */
    int max_output;
    double input, cached, output; /* tokens */
    int64_t latency_ms;
};

struct open_call {
    bool is_open;
    struct call_ref ref;
    struct ask ask;
    int log;
    int64_t offset;
    double reserved; /* at the judge */
    bool is_down;    /* refused: an outage, no quota */
};

enum pace_event_kind {
    TURN,
    ARRIVES,
    IS_REFUSED,
    ENDS,
    IS_HEARD,
    COMMITS,
    READS,
    LOOKS,
    SECOND,
    COMPETES,
    RIVAL_ENDS,
    GIVES
};

struct pace_event {
    int64_t at_ms;
    uint64_t number;
    enum pace_event_kind kind;
    int worker;
    uint32_t life; /* of the worker: events for an earlier one are void */
    int which;     /* call, log, model */
    uint32_t ticket, epoch;
    double reserved, cost;
};

struct pace_log {
    int owner, next_owner; /* workers; -1 = none */
    int64_t offset;        /* committed */
    char map[4096];
    size_t map_len;
    double produced; /* records; grows as the scenario says */
    double counted;  /* seconds until which it is counted */
};

struct pace_worker {
    struct engine *engine; /* NULL = down */
    int index;
    uint32_t life;
    int64_t wake_ms;
    struct tenure tenures[PACE_LOGS];
    bool has[PACE_LOGS];
    int64_t positions[PACE_LOGS]; /* -1 = not fetched */
    struct open_call calls[PACE_CALLS];
    bool has_batch;
    struct batch batch;
    struct lag_part parts[PACE_LOGS]; /* of the look before */
    bool have_moved;
    double answered;
    struct promises promises;
};

struct pace_mark {
    double refilled[PACE_MODELS][2], competing[PACE_MODELS][2], spent[PACE_MODELS][2];
    uint32_t begun[PACE_MODELS], refused[PACE_MODELS], served[PACE_MODELS];
    bool is_down;
};

struct pace_world {
    const struct scenario *scenario;
    bool is_known, is_loud;
    struct random random;
    int64_t now_ms;
    struct pace_event *heap;
    size_t heap_len, heap_room;
    uint64_t events;
    struct engine_config config;
    struct quota_row rows[PACE_MODELS];
    struct judge judges[PACE_MODELS];
    struct pace_log logs[PACE_LOGS];
    struct pace_worker workers[PACE_WORKERS];
    uint32_t next_epoch;
    double wanted; /* calls that the competitor lacks */
    struct pace_mark now, marks[PACE_MARKS];
    int mark_count;
    int streams;            /* long calls that have begun */
    int eight, eight_heard; /* refused after them */
    int64_t eighth_ms, after_eight_ms;
    double quiet_waits[512];
    int quiet_count;
};

struct pace_figures {
    double goodput[PACE_MODELS], waste[PACE_MODELS];
    double jain;
    double recovery_s[2];
    double quiet_p95_s;
};

/* A broken promise ends the run. */
#define HOLD(world, fact) ((fact) ? (void)0 : pace_broken(world, #fact, __FILE__, __LINE__))
_Noreturn void pace_broken(const struct pace_world *world, const char *fact, const char *file,
                           int line);

/* ---- world.c ---- */
/* What the ports get as `self`. */
struct pace_port {
    struct pace_world *world;
    struct pace_worker *worker;
};
/* Runs a scenario; the caller frees it with pace_free. */
struct pace_world *pace_run(const struct scenario *scenario, bool is_known, bool is_loud);
void pace_free(struct pace_world *world);
struct pace_event *pace_add(struct pace_world *world, enum pace_event_kind kind,
                            const struct pace_worker *worker, int64_t delay_ms);

/* ---- kafka.c ---- */
void pace_kafka_ports(struct ports *ports);
void pace_kafka_init(struct pace_world *world);
/* Hands over what the worker has room for. */
void pace_pump(struct pace_world *world, struct pace_worker *worker);
void pace_read(struct pace_world *world, struct pace_worker *worker,
               const struct pace_event *event);
void pace_commit(struct pace_world *world, struct pace_worker *worker);
/* The worker looks at the group; again after LOOK_MS if that is the regular look. */
void pace_look(struct pace_world *world, struct pace_worker *worker, bool is_regular);
/* The log's new owner gets it. */
void pace_give(struct pace_world *world, const struct pace_event *event);
/* The worker joins, with the log of its number. */
void pace_join(struct pace_world *world, struct pace_worker *worker);
/* Whether requests come to this log now. */
bool pace_is_asking(const struct pace_world *world, int log);

/* ---- bedrock.c ---- */
void pace_bedrock_init(struct pace_world *world);
void pace_bedrock_ports(struct ports *ports);
struct ask pace_ask(const struct pace_world *world, int log, int64_t offset);
void pace_arrives(struct pace_world *world, struct pace_worker *worker,
                  const struct pace_event *event);
void pace_ends(struct pace_world *world, struct pace_worker *worker,
               const struct pace_event *event);
void pace_hears(struct pace_world *world, struct pace_worker *worker,
                const struct pace_event *event);
void pace_competes(struct pace_world *world);
void pace_rival_ends(struct pace_world *world, const struct pace_event *event);
bool pace_is_down(const struct pace_world *world);

/* ---- figures.c ---- */
void pace_second(struct pace_world *world);
struct pace_figures pace_figures(const struct pace_world *world);

/* ---- scenarios.c ---- */
struct pinned {
    struct scenario scenario;
    struct goal known, unknown;
};
extern const struct pinned PINNED[];
extern const size_t PINNED_COUNT;

#endif
