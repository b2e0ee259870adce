/* A simulated world: one or more engines between a Kafka that keeps only what was committed and a
 * Bedrock that decides an outcome per call, in virtual time, with seeded faults. The promises of
 * the worker are checked as things happen. A seed names a world completely: two runs leave equal
 * traces.
 *
 *   main.c     runs worlds, compares traces, reports the seed of a broken one
 *   world.c    time, events, faults, the life of workers (start, stall, crash, stop)
 *   kafka.c    logs, group, offsets, reply topics
 *   outage.c   all brokers away
 *   cuts.c     logs that are cut
 *   broker.c   transactions; checks what is committed
 *   audit.c    which calls were billed; checks usage records, offset maps and repeated calls
 *   marks.c    checks that no billed call is missing from usage
 *   bedrock.c  calls and their outcomes; checks what is called
 *   quotas.c   worlds in which models have quotas; checks the pace in all of them (promises.c)
 *   turns.c    tenants and priorities; checks that none waits for ever
 *   fallback.c worlds in which one model has a fallback and is out at times; checks who is called
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "engine/engine.h"
#include "policy/lag_life.h"
#include "policy/outage.h"
#include "promises.h"
#include "unit/quota_judge.h"

struct target;

#define WORKERS_MAX   3
#define LOGS_MAX      4  /* partitions of the request topic */
#define RECORDS_MAX   96 /* offsets of one partition */
#define CALLS_MAX     64 /* open calls of one worker */
#define JOBS_MAX      64 /* held requests of one worker */
#define MODELS_MAX    3
#define FALLBACK      MODELS_MAX      /* the model that may be called in place of model 0 */
#define CANARY        "canary-prompt" /* in every prompt; never in a log line, nor the secret */
#define SESSION_MS    10000
#define HEARTBEAT_MS  3000
#define WALL_AT_START 1795000000000LL
#define TOPIC         SLICE("requests")
/* Of requests that want a valid value: they may be called again for it. */
#define CORRECTIONS_MAX 2
#define WANTS_JSON                                                                                 \
    ", \"structured_output\": {\"schema\": {\"required\": [\"a\"]}, \"method\": "                  \
    "\"json_schema\", \"validate\": true, \"retry_invalid\": 2}"

/* A broken promise ends the world: MUST(fact) says which, and where in virtual time. */
#define MUST(world, fact) ((fact) ? (void)0 : world_broken(world, #fact, __FILE__, __LINE__))

enum request_kind {
    REQUEST_GOOD,
    REQUEST_BAD_JSON,
    REQUEST_EXPIRING,
    REQUEST_REFUSED_ANSWER,
    REQUEST_GAP
};

/* Where a request wants its answer, and whether that works. */
enum reply_kind {
    REPLY_NONE,
    REPLY_GOOD,
    REPLY_MISSING,   /* the topic is missing */
    REPLY_FORBIDDEN, /* the settings do not allow it */
    REPLY_VANISHED   /* deleted between the look-up and the write */
};

struct fake_record {
    enum request_kind kind;
    enum reply_kind reply;
    int key;       /* -1 = null */
    int32_t epoch; /* of its leader */
    int model;
    bool stream, wants_json;
    bool is_count;           /* asks for the number of its tokens: nothing is billed */
    int answers;             /* responses that readers of committed records see; at most 1 */
    bool is_done;            /* by the committed offset and map */
    bool is_gone;            /* the log was truncated above it */
    bool may_call;           /* no call of it has a result, or the result was lost */
    int holder, holder_life; /* the worker that called it last, and the worker's incarnation */
    int paid;                /* its calls that gave an answer */
    int died_may, died_must; /* calls that died with their worker, told by a committed map */
    bool is_doubtful;        /* a batch of unknown outcome told a call of it */
    int64_t timestamp_ms;    /* 0 = it did not come yet */
    bool is_lost_expected;   /* its owner died while the map had a running call */
    int deaths;              /* recorded calls of owners that died */
    int spent;               /* calls that count as such, without such a record */
    int billed, booked;      /* calls that were made and may be billed; their usage records */
    struct uuid run;         /* of the last chunk */
    int64_t run_next;        /* seq of the next chunk; -1 = the run is closed */
};

/* The highest offset that is answered, and by which worker. */
struct last_answer {
    int64_t offset;
    int worker;
};

struct fake_log {
    struct fake_record records[RECORDS_MAX];
    int64_t low;             /* the first offset that exists */
    int64_t end;             /* records produced so far */
    int64_t planned;         /* how many there will be */
    int id;                  /* of the topic: each recreation has another one */
    bool is_recreated;       /* recreated, and some worker has not noticed */
    bool is_cut;             /* likewise cut */
    int32_t epoch;           /* of its leader */
    int32_t committed_epoch; /* beside the offset; -1 = none */
    int64_t offset;          /* committed; -1 = none */
    char metadata[4200];
    size_t metadata_len;
    int committer, committer_life;      /* who committed last */
    int owner;                          /* worker; -1 = none */
    int next_owner;                     /* its next owner after the release; -1 = none */
    struct last_answer last_answers[8]; /* by key */
};

struct fake_call {
    bool is_open;
    bool is_heard; /* the worker is hearing its outcome */
    struct call_ref ref;
    int log;
    int64_t offset;
    int key;
    int model;     /* that is called */
    bool is_taken; /* from its quota */
};

/* What one worker has to record for one request. */
struct account {
    uint8_t open;      /* running calls */
    uint8_t owed;      /* calls that were billed, whose usage is not published */
    uint8_t orphans;   /* likewise, of an earlier tenure */
    uint8_t cut;       /* open and owed when the batch in hand was cut */
    uint8_t committed; /* likewise of the last committed batch: what the map must know */
    bool is_renounced; /* the open call is of a tenure that is over */
    bool has_come;     /* its record came in the tenure that there is now */
    /* This worker recorded the running calls of its map when its tenure ended. If it gets the log
     * again before another owner changes it, they need no record as a dead owner's. */
    bool is_known, is_forgiven; /* is_forgiven: as the batch in hand has it */
    int known_deaths;
    bool is_lost;     /* the map's running calls are of this very worker */
    bool is_settling; /* the batch in hand settles a dead owner's call that counted tokens */
    bool is_spent;    /* the batch in hand counts a call of this worker as a death */
    bool is_unnamed;  /* the map's running call is recorded, and its record replaces none */
    bool has_spent;   /* this tenure counts that call as a death */
};

/* Under at_least_once: offsets that the committer has, not yet the broker. */
struct kept {
    bool is_set;
    int64_t offset;
    int32_t epoch;
    char metadata[4200];
    size_t metadata_len;
    uint64_t batch;
};

struct worker {
    struct engine *engine; /* NULL = down */
    int index;
    uint32_t incarnation; /* events for an earlier one are void */
    uint32_t generation;  /* of the group, as this member knows it */
    bool is_member;       /* the group knows it */
    bool knows_it_is_out;
    int64_t stalled_until;
    int64_t wake_ms; /* event scheduled for it; INT64_MAX = none */
    bool is_stopping, has_ended;
    int exit_code;
    struct tenure tenures[LOGS_MAX];
    bool has_tenure[LOGS_MAX];
    bool is_revoking[LOGS_MAX];
    bool is_revoke_hurt[LOGS_MAX]; /* the group moved on during its release */
    int64_t revoked_ms[LOGS_MAX];
    int64_t positions[LOGS_MAX];  /* fetch position; -1 = not started */
    int32_t epochs[LOGS_MAX];     /* of the last record before it; -1 = unknown */
    int64_t heard_ends[LOGS_MAX]; /* position of the last end that it got */
    bool is_out_of_range[LOGS_MAX];
    struct fake_call calls[CALLS_MAX];
    uint32_t next_epoch;
    /* the committer's batch */
    bool has_batch;
    struct batch batch;
    uint32_t batch_generation;
    struct kept kept[LOGS_MAX];
    struct account accounts[LOGS_MAX][RECORDS_MAX];
    /* per request: what this incarnation tried */
    struct tried {
        int failed, invalid; /* invalid: answers that were not valid */
        int64_t first_ms;
        int64_t rested_ms; /* of its target, at the first call */
        bool is_retrying;
    } tried[LOGS_MAX][RECORDS_MAX];
    struct outage outages[MODELS_MAX + 1]; /* by model */
    struct promises promises;
    struct lag_part parts[LOGS_MAX]; /* as its last look showed them */
    uint32_t looked_in;              /* the group's generation then */
    /* Of model 0, as this worker sees it: failures in a row, and when it was out last. */
    struct failing {
        int calls;
        int64_t since_ms, out_ms; /* out_ms: 0 = never */
    } failing;
};

enum fault {
    FAULT_THROTTLE,
    FAULT_SERVER_ERROR,
    FAULT_REFUSED_CONNECTION,
    FAULT_TIMEOUT,
    FAULT_CUT,
    FAULT_CORRUPT,
    FAULT_EXCEPTION,
    FAULT_REJECTED,
    FAULT_SLOW,
    FAULT_ABORT,
    FAULT_UNKNOWN_MADE,
    FAULT_UNKNOWN_NOT,
    FAULT_READ,
    FAULT_LOOK_UP,
    FAULT_TRUNCATE,
    FAULT_ANEW,
    FAULT_CRASH,
    FAULT_STALL,
    FAULT_MOVE,
    FAULT_STOP,
    FAULT_OUTAGE,
    FAULT_COUNT,
    FAULT_CUT_LOG = FAULT_COUNT, /* only in worlds of their own: it draws no chance in others */
    FAULT_END
};

enum sim_event_kind {
    EVENT_WAKE,
    EVENT_PRODUCE,
    EVENT_CALL_STEP,
    EVENT_BATCH,
    EVENT_KEEP,
    EVENT_READ,
    EVENT_SIBLINGS,
    EVENT_WATERMARKS,
    EVENT_FATE,
    EVENT_START,
    EVENT_LOST,
    EVENT_TOPIC,
    EVENT_ASSIGN,
    EVENT_BROKERS_BACK,
    EVENT_LOOK
};

struct sim_event {
    int64_t at_ms;
    uint64_t order;
    enum sim_event_kind kind;
    int worker;
    uint32_t incarnation;
    int a;         /* log, call or topic */
    uint32_t b, c; /* ticket, generation of a call, epoch */
    int step;
};

/* Worlds that follow a fixed plan instead of chance. */
/* PIN_CUTS: as chance has it, and logs are cut. PIN_FLOOD: more requests than calls. */
enum pin { PIN_NONE, PIN_SLOW_MODEL, PIN_OUTAGES, PIN_CUTS, PIN_FLOOD };

struct world {
    uint64_t seed;
    enum pin pin;
    struct random random;
    int64_t now_ms;
    struct sim_event *events; /* a heap */
    size_t event_count, event_room;
    uint64_t next_order;
    uint64_t trace; /* hash of all that happened */
    bool is_loud;
    int chance[FAULT_END]; /* per mille */
    bool is_calm;          /* faults have stopped */
    bool is_shaken;        /* under at_least_once: something happened that may cause duplicates */
    struct fake_log logs[LOGS_MAX];
    int log_count;
    int64_t outage_until; /* no broker answers before; 0 = all do */
    uint32_t group_generation;
    struct worker workers[WORKERS_MAX];
    int worker_count;
    bool retries_for_ever;
    bool has_fallbacks, has_quotas;
    struct judge judges[MODELS_MAX + 1];
    struct engine_config config;
    uint64_t moved;       /* calls of the fallback */
    uint64_t looks, over; /* at the group; calls that a quota had no room for */
    int64_t longest_ms;   /* that a target without open calls had to wait */
    double fullest;       /* the largest part of what a known quota gives in a minute */
    uint64_t calls, usages, lost_usages, responses, crashes, stalls, truncations, recreations,
        outages, adopted, cuts;
    struct {
        struct uuid id, replaces; /* replaces: zeroed = none */
        int log;
        int64_t offset;
        bool is_lost;      /* worker_lost */
        bool is_witnessed; /* its worker can learn from the offsets that it was committed */
        int worker;
        bool is_unknown; /* the worker does not know the outcome */
    } * usage_ids;
    size_t usage_room;
};

/* world.c */
void world_run(struct world *world, uint64_t seed, enum pin pin, bool is_loud);
void world_note(struct world *world, const char *format, ...) PRINTF(2, 3);
_Noreturn void world_broken(struct world *world, const char *fact, const char *file, int line);
bool world_chance(struct world *world, enum fault fault);
int64_t world_delay(struct world *world, int64_t typical_ms);
struct sim_event *world_add(struct world *world, enum sim_event_kind kind,
                            const struct worker *worker, int64_t delay_ms);

/* kafka.c */
void kafka_make(struct world *world);
/* Draws the requests of a log that is new or recreated. */
void kafka_make_records(struct world *world, struct fake_log *log, int64_t planned);
/* Draws those from this offset on. */
void kafka_draw_records(struct world *world, struct fake_log *log, int64_t from);
void kafka_produce(struct world *world, const struct sim_event *event);
void kafka_pump(struct world *world, struct worker *worker);
void kafka_read(struct world *world, struct worker *worker, const struct sim_event *event);
void kafka_siblings(struct world *world, struct worker *worker, const struct sim_event *event);
void kafka_watermarks(struct world *world, struct worker *worker, const struct sim_event *event);
void kafka_topic(struct world *world, struct worker *worker, const struct sim_event *event);
void kafka_join(struct world *world, struct worker *worker);
void kafka_assign(struct world *world, struct worker *worker, const struct sim_event *event);
void kafka_move(struct world *world);
void kafka_truncate(struct world *world);
void kafka_recreate(struct world *world);
/* Whether all requests of the log are answered and booked, and nobody has anything in hand. */
bool kafka_is_quiet(const struct world *world, int index);
void kafka_kick(struct world *world, struct worker *worker, bool is_dead);
void kafka_lost(struct world *world, struct worker *worker);
/* The worker holds its result of this request no more. */
void kafka_dropped(struct world *world, const struct worker *worker, int log, int64_t offset);
void kafka_check_end(struct world *world);
void kafka_check_pinned(struct world *world);
bool kafka_all_answered(const struct world *world);
struct fake_record *kafka_record(struct world *world, int log, int64_t offset);
void kafka_ports(struct ports *ports);

/* Gives the log to a worker (-1 = none), which gets it soon. */
void kafka_give(struct world *world, struct fake_log *log, int to);
int kafka_any_member(struct world *world);

/* cuts.c */
void kafka_cut(struct world *world);
/* Where the log was cut below a position whose last record has this epoch; -1 = it was not. */
int64_t kafka_cut_below(const struct fake_log *log, int64_t position, int32_t epoch);
/* Whether every worker, and what is committed, is behind the cut. */
bool kafka_is_cut_noticed(const struct world *world, int index);

/* outage.c */
/* All brokers go away; they are back at world->outage_until. */
void kafka_outage(struct world *world);
void kafka_brokers_back(struct world *world);
bool kafka_is_away(const struct world *world);

/* broker.c */
void broker_batch(struct world *world, struct worker *worker);
/* Under at_least_once: commits the kept offsets, if the group accepts it. */
void broker_commit_kept(struct world *world, struct worker *worker);
void broker_ports(struct ports *ports);
/* Where a record says it comes from: `marker`, then its topic, partition and offset. */
struct fake_record *broker_source(struct world *world, const char *value, const char *marker,
                                  int *ret_log, int64_t *ret_offset);

/* audit.c */
void audit_call_began(struct world *world, struct worker *worker, int log, int64_t offset);
void audit_call_ended(struct world *world, struct worker *worker, int log, int64_t offset,
                      bool is_billable);
void audit_tenure_over(struct world *world, struct worker *worker, int log);
void audit_cut(struct world *world, struct worker *worker);
void audit_committed(struct world *world, struct worker *worker);
/* The worker does not learn the outcome of its batch: its maps may tell calls, or not. */
void audit_unknown(struct world *world, const struct worker *worker);
/* The owner of this log is gone while the map has a running call of this request. */
void audit_call_lost(struct world *world, struct fake_record *record, int log, int64_t offset);
void audit_usage(struct world *world, struct worker *worker, const char *value, bool is_witnessed);
/* Calls of this request that their own worker recorded after a loss, naming a record that nobody
 * made. The map counts them as deaths from then on: the id of that record must not be used again.
 */
int audit_count_spent(const struct world *world, const struct worker *worker, int log,
                      int64_t offset);
bool audit_is_open(const struct worker *worker, int log);
void audit_removed(struct world *world, struct worker *worker);
void audit_worker_died(struct world *world, struct worker *worker);
void audit_worker_ended(struct world *world, struct worker *worker);
/* At a log's end: without the replaced ones, there is one usage record for each call. */
void audit_check_log(struct world *world, int log);
bool audit_is_quiet(const struct world *world, int log);

/* marks.c */
void marks_call_began(struct world *world, const struct worker *worker, int log, int64_t offset,
                      bool has_two_owners);
void marks_call_cost_nothing(struct fake_record *record);
/* A usage record of this request with a new id was committed. */
void marks_usage(struct fake_record *record);
/* Whenever a worker is gone, and at the end: each billed call is recorded, or will be by its worker
 * or by its successor. */
void marks_check(struct world *world);

/* turns.c */
void turns_init(struct world *world);
/* Members of a request, each behind a comma; `room` of 64 is enough. */
void turns_add_members(const struct world *world, int log, int64_t offset, char *ret_text,
                       size_t room);
/* The call with this index begins. */
void turns_call_began(struct world *world, const struct worker *worker, uint32_t index);

/* quotas.c */
/* Gives the models quotas, in some worlds. */
void quotas_config(struct world *world);
void quotas_call_began(struct world *world, struct worker *worker, struct call_ref ref);
/* Whether the quota of the call's model lets it in. */
bool quotas_take(struct world *world, struct fake_call *call);
/* The call is over, or was broken off: `tokens` is what it counts for. */
void quotas_call_ended(struct world *world, struct worker *worker, struct fake_call *call,
                       double tokens, bool is_granted);
void quotas_worker_died(struct world *world, struct worker *worker);
void quotas_turn_ended(struct world *world, struct worker *worker);
/* The worker looks at the group's offsets, and again later. */
void quotas_look(struct world *world, struct worker *worker);

/* bedrock.c */
/* ---- fallback.c ---- */

/* Gives model 0 a fallback, in every third world. */
void fallback_config(struct world *world);
/* The model that an URL calls. */
int fallback_model(struct world *world, struct slice url);
/* Whether the model fails now, whatever the call. */
bool fallback_is_out(const struct world *world, int model);
/* A call of the model begins: checks that the request may be called there. */
void fallback_call_began(struct world *world, struct worker *worker,
                         const struct fake_record *record, int model);
/* A call of model 0 ended. */
void fallback_call_ended(const struct world *world, struct worker *worker, bool is_failure);

/* As pacing_rested_ms; of all targets where requests go from one to another. */
int64_t fallback_rested_ms(const struct world *world, const struct engine *engine,
                           const struct target *target);

void bedrock_ports(struct ports *ports);
void bedrock_step(struct world *world, struct worker *worker, const struct sim_event *event);
void bedrock_worker_died(struct worker *worker);

/* What the ports get as `self`. */
struct port {
    struct world *world;
    struct worker *worker;
};
extern struct port sim_ports[WORKERS_MAX];

#endif
