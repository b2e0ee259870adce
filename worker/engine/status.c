/* The state of the worker as JSON, for its status page: engine_status of engine/engine.h. Names
 * topics and models; never keys, prompts or answers. */
#include "engine/call.h"
#include "engine/history.h"
#include "engine/partition.h"
#include "engine/hold.h"
#include "engine/shelf.h"
#include "engine/slots.h"
#include "engine/standing.h"
#include "engine/pacing.h"
#include "engine/target.h"
#include "wire/formats/json.h"

#define TARGETS_MAX   200     /* with requests, in one status */
#define IDLE_SHOWN_MS 3600000 /* after the last call */
#define HEADLINE_MAX  2048

static void add_requests(const struct engine *engine, const struct standing *standing,
                         struct buf *json)
{
    const struct engine_stats *stats = &engine->stats;
    json_add_name(json, "requests");
    buf_add_byte(json, '{');
    json_add_int_member(json, "taken", (int64_t)stats->taken);
    json_add_int_member(json, "answered", (int64_t)stats->answered);
    json_add_int_member(json, "failed", (int64_t)stats->failed);
    json_add_int_member(json, "held", standing->held);
    json_add_int_member(json, "oldest_ms", standing->oldest_ms);
    json_add_int_member(json, "held_bytes", (int64_t)held_bytes(engine));
    json_add_int_member(json, "shelf", shelf_count(engine));
    json_add_int_member(json, "shelf_bytes", (int64_t)shelf_bytes(engine));
    json_add_int_member(json, "held_bytes_max", (int64_t)engine->config.max_held_bytes);
    buf_add_byte(json, '}');
    json_add_name(json, "calls");
    buf_add_byte(json, '{');
    json_add_int_member(json, "open", calls_open(engine));
    json_add_int_member(json, "max", engine->config.max_in_flight);
    json_add_int_member(json, "begun", (int64_t)stats->calls);
    json_add_int_member(json, "throttled", (int64_t)stats->throttled);
    buf_add_byte(json, '}');
}

static void add_waits(const struct standing *standing, struct buf *json)
{
    json_add_name(json, "waits");
    buf_add_byte(json, '[');
    for (enum wait wait = 0; wait < WAIT_COUNT; wait++) {
        if (standing->counts[wait] == 0)
            continue;
        json_add_comma(json);
        buf_add_byte(json, '{');
        json_add_text_member(json, "state", slice_of_text(wait_state(wait)));
        json_add_text_member(json, "text", slice_of_text(wait_text(wait)));
        json_add_bool_member(json, "is_waiting", standing_is_waiting(wait));
        json_add_int_member(json, "count", standing->counts[wait]);
        json_add_int_member(json, "oldest_ms", standing->oldest_of_ms[wait]);
        buf_add_byte(json, '}');
    }
    buf_add_byte(json, ']');
}

static void add_tally(const struct engine *engine, const struct tally *tally, struct buf *json)
{
    int64_t half_ms = tally_duration(tally, 50);
    json_add_int_member(json, "calls", (int64_t)tally->calls);
    json_add_int_member(json, "throttled", (int64_t)tally->throttled);
    json_add_int_member(json, "tokens_per_minute", (int64_t)tally_tokens(engine, tally));
    if (half_ms < 0)
        return;
    json_add_int_member(json, "p50_ms", half_ms);
    json_add_int_member(json, "p95_ms", tally_duration(tally, 95));
}

static void begin_target(struct buf *json, struct slice model, struct slice region,
                         const char *state)
{
    json_add_comma(json);
    buf_add_byte(json, '{');
    json_add_text_member(json, "model", model);
    json_add_text_member(json, "region", region);
    json_add_text_member(json, "state", slice_of_text(state));
}

/* What the settings say of its quota, as much as is this worker's now. */
static void add_quota(const struct target *target, struct buf *json)
{
    const struct quota *quota = &target->quota;
    const struct quota_rules *rules = &quota->rules;
    if (rules->tokens_per_minute > 0)
        json_add_int_member(json, "quota_tokens_per_minute",
                            (int64_t)(rules->tokens_per_minute * quota->share));
    if (rules->requests_per_minute > 0)
        json_add_int_member(json, "quota_requests_per_minute",
                            (int64_t)(rules->requests_per_minute * quota->share));
    if (target->day_max > 0)
        json_add_int_member(json, "quota_tokens_per_day", (int64_t)target->day_max);
}

static void add_target(const struct engine *engine, const struct target *target, struct buf *json)
{
    static const struct tally NONE;
    int64_t rest_ms = target->quota.rest_until_ms - engine->now_ms;
    const struct tally *tally = history_tally(engine, target);
    begin_target(json, target->model, target->region, pacing_state(target));
    struct pacing_figures figures = pacing_figures(engine, target);
    if (figures.requests_a_minute >= 0)
        json_add_int_member(json, "requests_a_minute", figures.requests_a_minute);
    if (figures.tokens_a_minute >= 0)
        json_add_int_member(json, "quota_tokens_a_minute", figures.tokens_a_minute);
    if (figures.measured_a_minute > 0)
        json_add_int_member(json, "measured_a_minute", figures.measured_a_minute);
    if (figures.wait_ms > 0)
        json_add_int_member(json, "wait_ms", figures.wait_ms);
    if (rest_ms > 0)
        json_add_int_member(json, "rest_ms", rest_ms);
    add_quota(target, json);
    json_add_int_member(json, "calling", target->calling);
    json_add_int_member(json, "waiting", target->waiting);
    add_tally(engine, tally != NULL ? tally : &NONE, json);
    buf_add_byte(json, '}');
}

static bool has_target(const struct engine *engine, const struct tally *tally)
{
    for (const struct target *target = NULL; (target = targets_next(engine, target)) != NULL;)
        if (target->hash == tally->hash)
            return true;
    return false;
}

/* A target without requests at this moment, which was called before. */
static void add_idle(const struct engine *engine, const struct tally *tally, struct buf *json)
{
    begin_target(json, slice_of_text(tally->model), slice_of_text(tally->region), "idle");
    json_add_int_member(json, "calling", 0);
    json_add_int_member(json, "waiting", 0);
    add_tally(engine, tally, json);
    buf_add_byte(json, '}');
}

static void add_targets(const struct engine *engine, struct buf *json)
{
    size_t count = 0;
    json_add_name(json, "targets");
    buf_add_byte(json, '[');
    for (const struct target *target = NULL; (target = targets_next(engine, target)) != NULL;)
        if (count++ < TARGETS_MAX)
            add_target(engine, target, json);
    for (size_t i = 0; i < HISTORY_TALLIES; i++) {
        const struct tally *tally = &engine->history.tallies[i];
        if (tally->used_ms > 0 && engine->now_ms - tally->used_ms < IDLE_SHOWN_MS &&
            !has_target(engine, tally))
            add_idle(engine, tally, json);
    }
    buf_add_byte(json, ']');
    json_add_int_member(json, "target_count", (int64_t)count);
    json_add_name(json, "quota_share");
    buf_addf(json, "%.3f", engine->sharing.share);
}

static void add_partition(const struct engine *engine, const struct partition *partition,
                          struct buf *json)
{
    static const char *const STEPS[] = {[PARTITION_READING] = "reading",
                                        [PARTITION_WITHHELD] = "withheld",
                                        [PARTITION_ACTIVE] = "active",
                                        [PARTITION_REVOKING] = "revoking"};
    const struct ledger *ledger = &partition->ledger;
    struct link *first = partition->jobs.next;
    json_add_comma(json);
    buf_add_byte(json, '{');
    json_add_text_member(json, "topic", partition->topic);
    json_add_int_member(json, "partition", partition->number);
    json_add_text_member(json, "state", slice_of_text(STEPS[partition->step]));
    if (partition->step == PARTITION_WITHHELD)
        json_add_text_member(json, "withheld", slice_of_text(withheld_label(partition->withheld)));
    json_add_int_member(json, "held", partition->held);
    json_add_int_member(json, "calling", partition->calling);
    json_add_int_member(json, "open", (int64_t)ledger->count);
    if (partition_has_ledger(partition)) {
        int64_t backlog = ledger_backlog(ledger, partition->high);
        if (backlog >= 0)
            json_add_int_member(json, "backlog", backlog);
        json_add_int_member(json, "front", ledger_front(ledger));
        json_add_int_member(json, "next", ledger->next);
    }
    json_add_int_member(json, "front_age_ms",
                        first == &partition->jobs
                            ? 0
                            : engine->now_ms -
                                  LINK_OWNER(first, struct job, link_partition)->received_ms);
    json_add_int_member(
        json, "map_percent",
        ledger->map_bytes_max == 0 ? 0 : (int64_t)(ledger->cost * 100 / ledger->map_bytes_max));
    buf_add_byte(json, '}');
}

static void add_partitions(struct engine *engine, struct buf *json)
{
    uint32_t cursor = 0;
    json_add_name(json, "partitions");
    buf_add_byte(json, '[');
    for (const struct partition *partition; (partition = slots_next(engine, &cursor)) != NULL;)
        add_partition(engine, partition, json);
    buf_add_byte(json, ']');
}

static void add_minutes(const struct engine *engine, struct buf *json)
{
    json_add_name(json, "minutes");
    buf_add_byte(json, '[');
    for (uint32_t age = HISTORY_MINUTES; age-- > 0;) {
        const struct minute *minute = history_minute(engine, age);
        if (minute->start_wall_ms == 0)
            continue;
        json_add_comma(json);
        buf_add_byte(json, '{');
        json_add_int_member(json, "start_ms", minute->start_wall_ms);
        json_add_int_member(json, "taken", minute->taken);
        json_add_int_member(json, "answered", minute->answered);
        json_add_int_member(json, "failed", minute->failed);
        json_add_int_member(json, "calls", minute->calls);
        json_add_int_member(json, "throttled", minute->throttled);
        json_add_int_member(json, "input_tokens", (int64_t)minute->input_tokens);
        json_add_int_member(json, "output_tokens", (int64_t)minute->output_tokens);
        buf_add_byte(json, '}');
    }
    buf_add_byte(json, ']');
}

void engine_status(struct engine *engine, struct buf *ret_json)
{
    struct standing standing;
    struct buf headline OWNED_BY(buf_done);
    buf_init(&headline, HEADLINE_MAX);
    standing_read(engine, &standing);
    standing_add_headline(engine, &standing, &headline);
    json_add_text_member(ret_json, "headline", buf_slice(&headline));
    add_requests(engine, &standing, ret_json);
    add_waits(&standing, ret_json);
    add_targets(engine, ret_json);
    add_partitions(engine, ret_json);
    add_minutes(engine, ret_json);
}

void engine_headline(struct engine *engine, struct buf *ret_text)
{
    struct standing standing;
    standing_read(engine, &standing);
    standing_add_headline(engine, &standing, ret_text);
}
