/* The nouns of the engine and how they connect. Types only; each room's header has its verbs.
 *
 *   engine ── partitions[slot] ── ledger        one tenure of one partition
 *          ── jobs[index] ── result             one request, from its record to its commit
 *          ── calls[index]                      one open exchange with Bedrock
 *          ── targets ── queue of jobs          one model in one region
 *          ── results ── batch                  results that are ready, and those being committed
 *
 * All memory is allocated at birth or bounded by a setting. A job belongs to one partition, a call
 * to one job. Times are monotonic milliseconds unless the name says wall. */
#ifndef ENGINE_STATE_H
#define ENGINE_STATE_H

#include "base/list.h"
#include "base/timers.h"
#include "engine/engine.h"
#include "engine/ledger.h"
#include "engine/state_target.h"
#include "engine/way_types.h"
#include "engine/withheld_why.h"
#include "policy/clock_skew.h"
#include "policy/price.h"
#include "policy/lag_share.h"
#include "policy/retry.h"
#include "policy/share.h"
#include "wire/bedrock/endpoint.h"

#define ATTEMPTS_MAX       1000 /* recorded of one request; a later one replaces the last */
#define REPLY_TOPICS_MAX   1024 /* in the table of look-ups */
#define REPLY_BUCKETS      2048 /* of its hashes; a power of two */
#define JOB_ARENA_KEPT_MAX 8192 /* of a free job, for its next request */
/* The most bytes to read and answer a request of this size. */
#define JOB_ARENA_LIMIT(bytes)                                                                     \
    (8 * (size_t)(bytes) + (size_t)4 * HEADERS_BYTES_MAX + (size_t)256 * 1024)

enum job_step {
#define STEP(name, from) JOB_##name,
#include "engine/job_steps.def"
#undef STEP
    JOB_STEP_COUNT
};

/* Where a result is: engine/result.h */
enum result_place { RESULT_OPEN, RESULT_QUEUED, RESULT_BATCHED };

/* Outputs that are committed together, and the ledger entry that they settle. */
struct result {
    struct link link;    /* in engine->results, in the list of its place */
    struct link outputs; /* of struct output */
    size_t bytes;        /* held by them */
    struct partition
        *partition; /* NULL: an orphan, whose partition is gone; it touches no ledger */
    int64_t offset;
    struct job *job;     /* whose answer this is; NULL: only the usage of an earlier call */
    bool has_usage;      /* records one call of the ledger entry: its usage, if it has any */
    bool is_dead_owners; /* … a call of a dead owner */
    enum result_place place;
    int64_t timestamp_ms; /* of the request's record */
    struct told {
        uint8_t begun;  /* a committed map tells this call as begun so often; 0 = none does */
        uint64_t batch; /* … if this batch was committed; 0 = surely */
        bool is_booked; /* another owner recorded the call as lost: no map of ours names it */
        struct uuid id; /* of that owner's record, once the tenure is over */
    } told;             /* engine/lost_calls.h */
};

/* engine/result.h */
struct results {
    struct link queued, batched; /* of struct result */
    uint32_t queued_count, batched_count;
    uint32_t batched_answers; /* the batched ones that answer a request */
    uint64_t bytes;           /* held by the outputs of all results, open ones too */
    int64_t tokens;           /* input and output of their usage records */
};

/* Bytes of a topic's name with a NUL: Kafka allows names of 249 bytes. */
#define TOPIC_ROOM 250

/* What a partition can use of the room: engine/hold.h */
struct demand {
    bool is_asking;             /* it has records that wait, as far as is known */
    uint64_t count, bytes;      /* the most that it held lately */
    int64_t count_ms, bytes_ms; /* … and when it did */
    struct link link; /* in engine->hold.quiet while it does not ask but held something lately */
    int64_t quiet_ms; /* since when it is there */
};

struct partition {
    bool is_gone; /* its tenure is over; it exists until its last result has left */
    struct tenure tenure;
    char topic_text[TOPIC_ROOM];
    struct slice topic;
    int32_t number;
    uint32_t topic_hash;       /* offset_map_topic() of the topic's id; 0 = unknown */
    uint32_t topic_partitions; /* how many the topic has; 0 = unknown */
    enum partition_step {
        PARTITION_READING,  /* the committed offset is being read; no ledger yet */
        PARTITION_WITHHELD, /* nothing is taken until an operator decides; no ledger either */
        PARTITION_ACTIVE,
        PARTITION_REVOKING
    } step;
    enum partition_beginning {
        BEGINNING_KNOWN,
        BEGINNING_SIBLINGS,   /* the maps of the topic's other partitions are being read */
        BEGINNING_FIRST,      /* it fetches the first record, to see how old it is */
        BEGINNING_END,        /* the log's end is being read, to begin there */
        BEGINNING_COUNT       /* likewise, to say how many records are withheld */
    } beginning;              /* while PARTITION_READING: engine/beginning.h */
    bool is_added;            /* the topic has got it after its siblings' maps were written */
    enum withheld withheld;   /* why, while PARTITION_WITHHELD */
    int64_t withheld_records; /* records that wait there; -1 = unknown */
    int64_t withheld_age_ms;  /* of the oldest of them; -1 = unknown */
    bool is_verified;         /* the broker has the ledger's offset and map */
    bool is_read_pending;     /* the answer will have read_ticket */
    int64_t pending_since_ms; /* its offset is in an open transaction; 0 = it is not */
    bool is_pending_logged;   /* the log has the line about that */
    bool is_read_logged;      /* the log has the line that the offset cannot be read */
    uint32_t read_ticket;
    int64_t read_again_ms; /* when to read again; INT64_MAX = not */
    struct link link_due;  /* in engine->slots.due */
    bool is_out_of_range;  /* librdkafka has stopped it: engine/topic_log.h */
    bool is_end_doubted;   /* its log seems to end below map_last */
    int64_t cut_end;       /* as in engine_partition_out_of_range */
    struct ledger ledger;
    int64_t high;       /* the log's end, as io saw it last; -1 = unknown */
    struct link jobs;   /* all its jobs, by link_partition */
    struct link parked; /* those that wait for is_verified */
    uint32_t held, calling;
    uint64_t held_bytes;
    struct demand demand;
    uint32_t results; /* its results that are queued or in the batch */
    int64_t revoke_until_ms;
    uint32_t revoke_tries;
    int64_t share_log_due_ms, map_log_due_ms; /* for log_is_due */
    bool is_in_cut;                           /* the cut being made may take its results */
    bool is_in_batch;                         /* the open batch commits offset and map of it */
    struct buf batch_map;
    int64_t batch_offset;
    uint32_t batch_results;   /* its results in the open batch */
    struct shelf_page *shelf; /* what is kept of its lost tenures; NULL = nothing: shelf.h */
    bool is_room_for_shelf;   /* engine_room's last answer holds for a record of the shelf only */
    struct delivered *delivered; /* answered in earlier tenures: delivered.h */
    size_t delivered_count;
    bool is_refused; /* its next record is not the shelf's and waits for room */
};

#define OFFSETS_AGAIN_MS 500 /* between an unstable or failed read of offsets and the next */

#define WITHHELD_LINES_MAX 64

/* engine/withheld.h */
struct withheld_lines {
    struct {
        uint64_t hash; /* of topic and reason */
        int64_t due_ms;
    } lines[WITHHELD_LINES_MAX]; /* that were logged */
    uint32_t count;
    int64_t look_ms; /* when to look for lines that are due; INT64_MAX = no partition is withheld */
};

/* As whom calls are signed: engine/identity.h */
struct identity {
    struct arena arena; /* the credentials' texts */
    struct credentials credentials;
    bool has_credentials;
    uint64_t version;             /* counts changes of the credentials, also to none */
    char reason[WHY_MESSAGE_MAX]; /* why there are no credentials, as logged; "" = there are some */
    struct clock_skew clock;
    int64_t clock_log_due_ms, missing_log_due_ms, refused_log_due_ms; /* for log_is_due */
};

/* Receives one answer. The pool lends it to a call from the answer's head to its end, so thousands
 * of calls that wait for their answers hold none. */
struct receiver {
    struct link link; /* in engine->receivers.free while no call has it */
    struct arena arena;
    struct buf head;
    struct buf body; /* of an answer that is not an event stream */
    struct event_reader reader;
    struct stream *stream;
    struct why why; /* why the answer cannot become complete; err OK = it can */
};

struct call {
    uint32_t index, generation;
    struct job *job;         /* NULL = free */
    struct attempt *attempt; /* the job's attempt that this call is */
    int status;              /* HTTP; 0 = no head arrived */
    char *text;              /* owned block: url, headers and body of the request */
    struct http_request request;
    struct receiver *receiver; /* NULL until the head arrives */
    bool is_streaming;         /* the answer is an event stream */
    bool is_cancelling;
    bool was_sent;              /* of a call broken off: the request may have reached the service */
    bool is_chunk_refused;      /* the broker rejected one: the run has a gap and ends */
    bool is_chunk_unsent;       /* the worker could not build one: only the run's end follows */
    bool is_run_ended;          /* its last chunk was sent */
    struct chunk_run chunk_run; /* in the receiver's arena */
    int64_t chunk_seq;          /* next */
    int64_t chunk_gap;          /* chunks that were not sent since the last one, for want of room */
};

static inline struct call_ref call_ref_of(const struct call *call)
{
    return (struct call_ref){call->index, call->generation};
}

struct kept_answer;

/* engine/terms.h */
struct terms {
    struct catalog catalog;
    const struct slice *reply_allowed;
    size_t reply_allowed_count;
    struct retry_settings retry;
    struct output_context output;
    const struct price_table *prices; /* NULL = none */
    struct tenant_table tenants;
    uint32_t jobs; /* that were read with them and are not free */
};

struct all_terms {
    struct terms all[ENGINE_TERMS_MAX];
    uint32_t now;       /* the index of the present ones */
    bool had_fallbacks; /* aliases of some of them have fallbacks */
};

/* engine/trace.h */
struct job_trace {
    struct span_context at; /* the span of the request */
    struct span_id parent;  /* the record's; all 0 = none */
    struct span_id chat;    /* the span of its call of the model */
    struct slice state;     /* tracestate; null = none */
    bool is_chat_made;
};

struct job {
    enum job_step step;
    uint32_t index;
    struct terms *terms; /* NULL = free */
    struct partition *partition;
    int64_t offset;
    struct link link; /* in the pool, a lane, the marked jobs, partition->parked, or held */
    struct link link_partition;
    struct link lane_waiters; /* when it leads a lane: the ones behind it */
    struct link lane_link;    /* when it leads a lane: in the lanes' bucket */
    uint64_t lane_hash;
    struct link reply_link; /* while ROUTING */
    struct timer due;
    struct arena arena;
    struct record record;
    struct request request;
    struct why why; /* why it failed; err OK = it did not */
    struct target *target;
    struct way *way;        /* in its arena; NULL = it was to be called only as it names: way.h */
    struct fair_entry turn; /* in its target's line */
    struct call *call;
    struct retry_state retry;
    struct attempt first_attempt; /* room for one attempt in any case */
    struct attempt *attempts;     /* first_attempt, or an array in the arena */
    uint32_t attempt_count, attempt_room;
    struct token_size size;     /* of its request: engine/spending.h */
    struct quota_ticket ticket; /* valid while has_ticket: marked for a call, or called */
    bool has_ticket;
    struct spender *spender; /* whose budget has `spends` reserved for it; NULL = none: budgets.h */
    int64_t spends;
    int64_t spends_since_ms;        /* when it was reserved */
    int64_t held_since_ms, held_ms; /* by a budget: since when, and earlier in sum */
    int64_t rested_ms;              /* of its target, when its first call began: pacing.h */
    uint32_t calls;                 /* number of attempts, also of those not recorded */
    struct uuid invocation;         /* amz-sdk-invocation-id */
    struct uuid last_run;           /* the call of the last chunk sent */
    int last_run_attempt;
    int64_t last_run_seq; /* next seq of that run; 0 = no run to end */
    int64_t last_run_gap; /* its chunks that were not sent since */
    int64_t received_ms, received_wall_ms;
    int64_t step_ms;            /* since when it has its step */
    int64_t called_ms;          /* sum of the durations of its ended calls */
    uint64_t charged;           /* bytes counted against max_held_bytes */
    struct usage_counts counts; /* of the answer; raw is in the arena */
    /* what its response left out, to be smaller */
    enum stripped { STRIPPED_NOTHING, STRIPPED_ECHOES, STRIPPED_KEY } stripped;
    uint16_t letter_rejections; /* number of dead letters rejected as too large */
    uint16_t corrections;       /* calls made because the answer before was not valid */
    struct kept_answer *kept;   /* the last such answer; NULL = none: engine/kept.h */
    bool is_leading;            /* its lane */
    bool is_blocked;            /* others lead its lane */
    struct job_trace trace;
    struct result result;
    bool is_shelved;        /* its partition is a place on the shelf: engine/shelf.h */
    bool is_repeated;       /* it was answered in an earlier tenure: only its offset is committed */
    bool is_turn_lost;      /* the tenure ends before an earlier request of its key is answered */
    uint64_t shelved_hash;  /* of its record, while it is shelved */
    uint64_t unknown_batch; /* the batch of unknown outcome that had its answer; 0 = none */
};

struct reply_topic {
    struct link waiters;     /* jobs by reply_link */
    struct link link_name;   /* in the bucket of its name, while it has one */
    struct link link_ticket; /* in the bucket of its ticket, while it is looked up */
    struct link link_free;   /* else in replies.bad or replies.good */
    char name[250];
    size_t name_len; /* 0 = unused */
    uint32_t ticket; /* of a look-up under way; 0 = none */
    enum err err;
    int32_t partitions;
    int64_t known_until_ms;
};

/* engine/slots.h */
struct slots {
    struct partition **list; /* PARTITIONS_MAX; NULL = free */
    uint32_t end;            /* highest slot ever used + 1 */
    uint32_t used;
    struct link changed; /* of partitions with a changed ledger, by ledger.link_changed; some may
                            have been committed since */
    struct link due; /* of partitions that read again or are revoked; some may be done with it */
};

/* engine/hold.h */
struct hold {
    struct share_pool count_share, bytes_share; /* of partitions with a slot */
    bool is_share_old;                          /* both must be counted again */
    uint64_t asking;                            /* partitions with a slot that ask */
    struct link quiet;                          /* partitions, the longest quiet first */
    uint32_t count;                             /* requests held */
    uint64_t bytes;
};

/* engine/shelf.h */
struct shelf {
    struct link pages; /* of struct shelf_page */
    int64_t formed_ms; /* when the worker got its first partition after it had none */
    uint64_t told_in;  /* the last batch that calls of lost tenures may be told by; 0 = none */
};

/* One answer: engine/delivered.h */
struct delivered {
    uint64_t place; /* a hash of topic and partition; 0 = none */
    int64_t offset;
    uint64_t hash; /* of the record */
};

struct deliveries {
    struct delivered *ring; /* DELIVERED_MAX; NULL under exactly_once */
    size_t next;
};

/* engine/membership.h */
struct membership {
    struct buf verified; /* the group metadata under which the ledgers were verified */
    struct buf now;
    uint32_t number;   /* of this membership, from 1; 0 = none was seen yet */
    bool is_member;    /* the last look found a membership */
    bool is_outcast;   /* the group removed this member */
    int64_t looked_ms; /* time of the last look */
};

/* engine/batch.h */
struct open_batch {
    bool is_open;
    bool is_unknown; /* reads of offsets will show whether it was committed */
    uint64_t id;
    uint32_t membership; /* the number of the membership at the cut */
    struct output **outputs;
    struct result **owners; /* of each output */
    size_t output_count, output_room;
    struct batch_offset *offsets;
    struct partition **partitions; /* of each offset */
    size_t offset_count, offset_room;
    int64_t opened_ms;
};

/* engine/cut.h */
struct cuts {
    uint32_t limit; /* answers in one batch */
    uint32_t aborts_in_row;
    int64_t after_ms; /* no cut before this time */
    int64_t last_ms, last_offsets_ms;
    int64_t stale_look_ms; /* when to look for stale maps next */
};

#define SIZE_LIMITS_MAX 64

struct size_limit {
    uint64_t topic; /* hash of its name */
    size_t bytes;   /* of the smallest record that it rejects for sure */
    int64_t until_ms;
};

/* engine/size_limits.h */
struct size_limits {
    struct size_limit list[SIZE_LIMITS_MAX];
};

/* engine/settle.h */
struct settle {
    int64_t fenced_ms;          /* last fencing; INT64_MIN = never */
    int64_t blocked_log_due_ms; /* for log_is_due, of a blocked topic of the settings */
};

/* engine/job_pool.h */
struct jobs {
    struct job *all; /* delivery.max_held */
    struct link free;
};

/* engine/lane.h */
struct lanes {
    struct link *buckets; /* of leading jobs, by lane_link */
    size_t mask;
    struct link woken; /* jobs that lead their lane now and have not gone on */
};

/* engine/call.h */
struct calls {
    struct call *all; /* delivery.max_in_flight */
    uint32_t *free;   /* a stack of indices */
    uint32_t free_count, open_count;
    uint32_t marked;               /* jobs that are to begin one: engine/mark.h */
    uint32_t ended;                /* calls that ended since the last cut; at most max_in_flight */
    uint64_t cuts;                 /* counts the cuts with offsets, from 1 */
    struct buf url, headers, body; /* scratch: the request being built */
};

/* engine/mark.h */
struct marked_jobs {
    struct link untold, ready; /* marked jobs: whose mark is not committed; that may begin */
    bool has_news;             /* marks were committed since the lists were sorted */
};

/* engine/receiver.h */
struct receivers {
    struct link free;
    uint32_t free_count;
};

/* engine/dispatch.h */
struct dispatch {
    int64_t after_ms;           /* no call begins before this time: after a stall */
    int64_t answers_log_due_ms; /* for log_is_due, of answers that fill the memory */
};

/* engine/reply.h */
struct replies {
    struct reply_topic *topics;       /* REPLY_TOPICS_MAX */
    struct link *by_name, *by_ticket; /* REPLY_BUCKETS each */
    struct link bad, good; /* places that may be used again, in this order: unused ones and topics
                              that do not exist; topics that exist. The one known longest first */
    struct link overflow;  /* jobs by reply_link that wait because the table is full of look-ups */
};

/* engine/chunk_topic.h */
struct chunk_topic {
    uint32_t ticket;    /* of a look-up under way; 0 = none */
    int32_t partitions; /* 0 = unknown */
    int64_t known_until_ms;
};

/* engine/notices.h */
#define NOTICES_MAX 64
struct notices {
    uint64_t given[NOTICES_MAX]; /* hashes */
    uint32_t count;
};

#define METER_LABELS_MAX 64

/* engine/meter.h */
struct meter {
    uint64_t answered[METER_LABELS_MAX]; /* hashes of models and regions that answered first */
    size_t count;
};

#define HISTORY_MINUTES 60
#define HISTORY_SECONDS 10
#define HISTORY_TALLIES 64

/* Sums of one minute of wall time. */
struct minute {
    int64_t start_wall_ms;            /* 0 = before the worker's start */
    uint32_t taken, answered, failed; /* requests; the latter two as committed */
    uint32_t calls, throttled;        /* ended */
    uint64_t input_tokens, output_tokens;
};

/* engine/history.h */
struct history {
    struct minute minutes[HISTORY_MINUTES]; /* a ring */
    uint64_t number;                        /* of the present one, since 1970 */
    uint32_t errors[ERR_COUNT];             /* outcomes of the present minute */
    uint32_t seconds[HISTORY_SECONDS];      /* outcomes: a ring */
    int64_t second;                         /* the present one, monotonic */
    struct tally tallies[HISTORY_TALLIES];  /* of the targets that were called last */
};

struct engine {
    struct engine_config config;
    struct ports ports;
    struct random random;
    int64_t now_ms, wall_ms;
    struct timers timers;

    struct slots slots;
    struct hold hold;
    struct withheld_lines withheld;
    uint32_t next_ticket;

    struct all_terms terms;
    struct jobs jobs;
    struct lanes lanes;
    struct calls calls;
    struct receivers receivers;
    struct dispatch dispatch;
    struct marked_jobs marks;
    uint64_t hash_seed;

    struct targets targets;
    struct moved_pairs moved;
    struct lag_share sharing; /* engine/sharing.h */
    struct fair_pool lines;   /* of all targets: engine/line.h */
    struct budgets *budgets;  /* NULL = no tenant has one: engine/budgets.h */
    struct notices notices;
    struct traits_memo traits_memo; /* the catalog's */
    struct price_memo price_memo;   /* engine/pricing.h */
    int64_t price_log_due_ms;

    struct replies replies;
    struct chunk_topic chunk_topic;
    struct link lost_calls;    /* engine/lost_calls.h */
    bool has_replaced_attempt; /* the attempt that began last took an earlier one's place … */
    struct attempt replaced_attempt; /* … which was this */
    struct shelf shelf;
    struct deliveries deliveries;

    struct identity *identities; /* config.identity_count; targets point to them */

    struct results results;
    struct open_batch batch;
    struct cuts cuts;
    struct settle settle;
    struct size_limits size_limits;
    int64_t stalled_ms; /* last stall; INT64_MIN = never */
    struct membership membership;

    bool is_stopping, is_hurrying, has_ended;
    int64_t stop_until_ms; /* when calls are cancelled */
    int64_t give_up_ms;    /* when the engine ends without a commit */
    struct engine_stats stats;
    struct meter meter;
    struct history history;
};

#endif
