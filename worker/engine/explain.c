#include "engine/explain.h"

#include <string.h>

#include "engine/budgets.h"
#include "engine/dispatch.h"
#include "engine/attempt.h"
#include "engine/way.h"
#include "engine/line.h"
#include "engine/shelf.h"
#include "engine/slots.h"
#include "engine/target.h"
#include "wire/formats/json.h"

#define SENTENCE_MAX 2048
#define THEIR        SLICE("their ")

/* ---- the words ---- */

/* What ends the wait, where no time is known. */
static const char *const ENDS[WAIT_COUNT] = {
    [WAIT_NOTHING] = "it goes on at once",
    [WAIT_REPLY_TOPIC] = "it goes on when a broker answers",
    [WAIT_KEY] = "it goes on when that one has its outcome",
    [WAIT_TURN] = "it is called when those before it are",
    [WAIT_CREDENTIALS] = "it is tried when there are credentials",
    [WAIT_MEMBERSHIP] = "it is called when the worker is a member again",
    [WAIT_STALL] = "it is called when the group has confirmed this member",
    [WAIT_ANSWERS] = "it is called when answers are committed",
    [WAIT_SLOT] = "it is called when an open call ends",
    [WAIT_PACE] = "it is called when a call of its target ends",
    [WAIT_DAY] = "it is called when tokens of its target are a day old",
    [WAIT_SHARE] = "it is called when a call of its target ends",
    [WAIT_BUDGET] = "it is called when the usage topic is read",
    [WAIT_OFFSETS] = "it is called when the committed offset is read",
    [WAIT_ANSWER] = "it ends with Bedrock's answer, or is tried again when the call fails",
    [WAIT_RETRY] = "it is tried again soon",
    [WAIT_SHELF] = "it is published when the partition comes back to this worker in time",
    [WAIT_COMMIT] = "its answer is published with the next transaction",
};

static void add_seconds(struct buf *text, int64_t ms)
{
    int64_t s = ms / 1000;
    if (ms < 0)
        buf_add_text(text, "0 s");
    else if (s < 10)
        buf_addf(text, "%lld.%lld s", (long long)s, (long long)(ms % 1000 / 100));
    else if (s < 120)
        buf_addf(text, "%lld s", (long long)s);
    else if (s < 7200)
        buf_addf(text, "%lld min", (long long)(s / 60));
    else
        buf_addf(text, "%lld h", (long long)(s / 3600));
}

/* The text of waits.def for one request: its for their. */
static void add_reason(struct buf *text, enum wait wait)
{
    struct slice reason = slice_of_text(wait_text(wait));
    for (size_t i = 0; i < reason.len; i++) {
        if (slice_starts(slice_sub(reason, i, SIZE_MAX), THEIR)) {
            buf_add_text(text, "its ");
            i += THEIR.len - 1;
        } else {
            buf_add_byte(text, reason.ptr[i]);
        }
    }
}

static void add_place(struct buf *text, const struct job *job)
{
    buf_addf(text, "%.*s-%d@%lld", SLICE_ARG(job->partition->topic), (int)job->partition->number,
             (long long)job->offset);
}

/* ---- who is before it ---- */

/* The job that leads its lane; NULL = none. */
static const struct job *leader_of(const struct job *job)
{
    const struct link *list = &job->partition->jobs;
    if (!job->is_blocked)
        return NULL;
    for (struct link *link = list->next; link != list; link = link->next) {
        const struct job *other = LINK_OWNER(link, struct job, link_partition);
        if (!other->is_leading || other->lane_hash != job->lane_hash)
            continue;
        for (struct link *behind = other->lane_waiters.next; behind != &other->lane_waiters;
             behind = behind->next)
            if (behind == &job->link)
                return other;
    }
    return NULL;
}

/* The number of jobs that are called before it by its target. */
static struct fair_place ahead_of(const struct job *job)
{
    return job->step == JOB_WAITING ? line_place(job) : (struct fair_place){.own = 0};
}

static void add_ahead(struct buf *text, struct fair_place ahead)
{
    uint32_t count = ahead.own + ahead.others;
    buf_addf(text, ", behind %u request%s", count, count == 1 ? "" : "s");
    if (ahead.own > 0 && ahead.others > 0)
        buf_addf(text, " (%u of its tenant)", ahead.own);
    else if (count > 0)
        buf_addf(text, " of %s", ahead.own > 0 ? "its tenant" : "other tenants");
}

/* When it may go on by itself, monotonic; INT64_MAX = that depends on others. */
static int64_t next_of(struct engine *engine, const struct job *job)
{
    int64_t next_ms = INT64_MAX;
    if (job->step == JOB_RESTING)
        return job->due.due_ms;
    if (job->step == JOB_HELD && budgets_are_read(engine))
        return engine->now_ms + budgets_open_wall_ms(engine, job) - engine->wall_ms;
    if (job->step != JOB_WAITING || dispatch_gate(engine, job->target, &next_ms) != WAIT_PACE)
        return next_ms;
    /* The gate's time is that of the first request in its queue. */
    struct fair_place ahead = ahead_of(job);
    uint64_t before = (uint64_t)ahead.own + ahead.others;
    int64_t wait_ms = before > 0 ? quota_wait_ms(&job->target->quota, before, engine->now_ms) : 0;
    return next_ms < engine->now_ms + wait_ms ? engine->now_ms + wait_ms : next_ms;
}

/* ---- a request that is held ---- */

static void add_sentence(struct engine *engine, const struct job *job, struct buf *text)
{
    enum wait wait = wait_of(engine, job);
    const struct job *leader = leader_of(job);
    struct fair_place ahead = ahead_of(job);
    int64_t next_ms = next_of(engine, job);
    add_place(text, job);
    buf_add_text(text, " has waited ");
    add_seconds(text, engine->now_ms - job->step_ms);
    buf_add_text(text, " for ");
    add_reason(text, wait);
    if (wait == WAIT_ANSWER || wait == WAIT_PACE || wait == WAIT_DAY || wait == WAIT_SHARE ||
        wait == WAIT_RETRY)
        buf_addf(text, " (%.*s)", SLICE_ARG(job->target->model));
    if (leader != NULL) {
        buf_add_text(text, ", behind ");
        add_place(text, leader);
    } else if (ahead.own + ahead.others > 0) {
        add_ahead(text, ahead);
    }
    if (next_ms != INT64_MAX) {
        buf_add_text(text, wait == WAIT_BUDGET ? "; it goes on when running calls cost less than "
                                                 "they may, or in "
                                               : "; it is tried next in ");
        add_seconds(text, next_ms - engine->now_ms);
    } else {
        buf_addf(text, "; %s", ENDS[wait]);
    }
    way_explain(job, text);
    if (job->calls > 0)
        buf_addf(text, " (calls so far: %u)", job->calls);
    buf_add_byte(text, '.');
}

static void add_position(struct buf *json, const struct job *job)
{
    json_add_text_member(json, "topic", job->partition->topic);
    json_add_int_member(json, "partition", job->partition->number);
    json_add_int_member(json, "offset", job->offset);
}

static void add_request(struct engine *engine, const struct job *job, struct buf *json)
{
    struct buf sentence OWNED_BY(buf_done);
    const struct job *leader = leader_of(job);
    struct fair_place ahead = ahead_of(job);
    int64_t next_ms = next_of(engine, job);
    buf_init(&sentence, SENTENCE_MAX);
    add_sentence(engine, job, &sentence);
    json_add_comma(json);
    buf_add_byte(json, '{');
    add_position(json, job);
    json_add_text_member(json, "state", slice_of_text(wait_state(wait_of(engine, job))));
    json_add_text_member(json, "sentence", buf_slice(&sentence));
    json_add_int_member(json, "held_ms", engine->now_ms - job->received_ms);
    json_add_int_member(json, "state_ms", engine->now_ms - job->step_ms);
    json_add_int_member(json, "calls", job->calls);
    if (job->target != NULL)
        json_add_text_member(json, "model", job->target->model);
    if (way_place(job) > 0)
        json_add_text_member(json, "moved_from", way_own(job)->model);
    if (next_ms != INT64_MAX)
        json_add_int_member(json, "next_ms", next_ms - engine->now_ms);
    if (leader != NULL) {
        json_add_name(json, "behind");
        buf_add_byte(json, '{');
        add_position(json, leader);
        buf_add_byte(json, '}');
    } else if (ahead.own + ahead.others > 0) {
        json_add_int_member(json, "ahead", ahead.own + ahead.others);
        json_add_int_member(json, "ahead_of_tenant", ahead.own);
    }
    buf_add_byte(json, '}');
}

/* ---- a position that no request holds ---- */

static struct partition *find_partition(struct engine *engine, struct slice topic, int32_t number)
{
    uint32_t cursor = 0;
    for (struct partition *partition; (partition = slots_next(engine, &cursor)) != NULL;)
        if (partition->number == number && slice_equal(partition->topic, topic))
            return partition;
    return NULL;
}

static const char *ledger_words(const struct partition *partition, int64_t offset)
{
    const struct ledger *ledger = &partition->ledger;
    if (partition->step == PARTITION_READING)
        return "is not taken yet: the worker reads the committed offset of its partition";
    if (partition->step == PARTITION_REVOKING)
        return "is not held: its partition goes to another worker";
    if (ledger_find(ledger, offset) != NULL)
        return "was open at the partition's last owner and has not arrived from Kafka again";
    if (offset >= ledger->next && offset > ledger->map_last)
        return partition->held > 0 ? "is not taken from Kafka yet: the worker takes it when it has "
                                     "room behind the partition's other requests, or Kafka has no "
                                     "such record"
                                   : "is not taken from Kafka yet, or Kafka has no such record";
    return "has its outcome committed, or was no request";
}

static bool explain_nothing(struct engine *engine, const struct explain_query *query,
                            struct buf *text)
{
    if (query->kind != EXPLAIN_POSITION) {
        buf_addf(text,
                 "This worker holds no request with this %s: it has its outcome, is not taken yet, "
                 "or belongs to another worker.",
                 query->kind == EXPLAIN_KEY ? "key" : "id");
        return false;
    }
    const struct partition *partition = find_partition(engine, query->text, query->partition);
    buf_addf(text, "%.*s-%d@%lld ", SLICE_ARG(query->text), (int)query->partition,
             (long long)query->offset);
    if (partition != NULL && partition->step == PARTITION_WITHHELD)
        buf_addf(text,
                 "is not taken: the worker takes nothing from such partitions because %s; %s.",
                 withheld_reason(partition->withheld), withheld_remedy(partition->withheld));
    else
        buf_addf(text, "%s.",
                 partition == NULL ? "is not held: its partition is not this worker's"
                                   : ledger_words(partition, query->offset));
    return partition != NULL;
}

/* ---- the question ---- */

static bool is_asked(const struct explain_query *query, const struct job *job)
{
    switch (query->kind) {
    case EXPLAIN_ID:
        return slice_equal(job->request.id, query->text);
    case EXPLAIN_KEY:
        return job->record.key.ptr != NULL && slice_equal(job->record.key, query->text);
    case EXPLAIN_POSITION:
        return job->offset == query->offset && job->partition->number == query->partition &&
               slice_equal(job->partition->topic, query->text);
    }
    return false;
}

/* `count` requests were found before; returns how many with those of this partition. */
static uint32_t add_from(struct engine *engine, const struct partition *partition,
                         const struct explain_query *query, uint32_t count,
                         const struct job **ret_first, struct buf *json)
{
    for (struct link *link = partition->jobs.next; link != &partition->jobs; link = link->next) {
        const struct job *job = LINK_OWNER(link, struct job, link_partition);
        if (!is_asked(query, job))
            continue;
        if (count == 0)
            *ret_first = job;
        if (count++ < EXPLAIN_REQUESTS_MAX)
            add_request(engine, job, json);
    }
    return count;
}

/* Adds the requests that are asked for; returns their number, also of those over the limit. */
static uint32_t add_requests(struct engine *engine, const struct explain_query *query,
                             const struct job **ret_first, struct buf *json)
{
    uint32_t cursor = 0, count = 0;
    for (const struct partition *partition; (partition = slots_next(engine, &cursor)) != NULL;)
        count = add_from(engine, partition, query, count, ret_first, json);
    for (struct partition *place = NULL; (place = shelf_next(engine, place)) != NULL;)
        count = add_from(engine, place, query, count, ret_first, json);
    return count;
}

void engine_explain(struct engine *engine, const struct explain_query *query, struct buf *ret_json)
{
    const struct job *first = NULL;
    struct buf sentence OWNED_BY(buf_done);
    buf_init(&sentence, SENTENCE_MAX);
    buf_add_byte(ret_json, '{');
    json_add_name(ret_json, "requests");
    buf_add_byte(ret_json, '[');
    uint32_t count = add_requests(engine, query, &first, ret_json);
    buf_add_byte(ret_json, ']');
    bool is_ours = count > 0;
    if (count == 0)
        is_ours = explain_nothing(engine, query, &sentence);
    else
        add_sentence(engine, first, &sentence);
    if (count > 1)
        buf_addf(&sentence, " This worker holds %u such requests.", count);
    json_add_int_member(ret_json, "count", count);
    json_add_bool_member(ret_json, "is_here", is_ours);
    json_add_text_member(ret_json, "sentence", buf_slice(&sentence));
    buf_add_byte(ret_json, '}');
}
