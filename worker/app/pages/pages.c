#include "app/pages/pages.h"

#include "app/pages/page.h"
#include "app/pages/query.h"
#include "base/instant.h"
#include "engine/engine.h"
#include "io/io.h"
#include "telemetry/metrics.h"
#include "wire/formats/json.h"

#define TYPE_JSON "application/json"

typedef void answer_path(const struct pages *pages, struct slice query,
                         struct server_page *ret_page);

static void answer_metrics(const struct pages *pages, struct slice query,
                           struct server_page *ret_page)
{
    (void)query;
    ret_page->type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_begin_scrape(pages->metrics);
    io_meter(pages->io, pages->metrics);
    engine_meter_gauges(pages->engine);
    metrics_set(pages->metrics, METRIC_SETTINGS_RELOAD, NULL, !pages->has_wrong_settings);
    metrics_print(pages->metrics, ret_page->body);
}

/* The loop answers, so it turns; and no partition may stand still. */
static void answer_live(const struct pages *pages, struct slice query, struct server_page *ret_page)
{
    struct io_health health;
    (void)query;
    io_health(pages->io, &health);
    if (health.still_topic.ptr == NULL) {
        buf_add_text(ret_page->body, "ok\n");
        return;
    }
    ret_page->status = 503;
    buf_addf(ret_page->body,
             "%.*s-%d stands still: it has records and the worker has room, but for 5 minutes none "
             "came; a restart of the worker mends that\n",
             SLICE_ARG(health.still_topic), (int)health.still_partition);
}

/* Ready from the first join on, until the worker stops: throttling and lost brokers pass. */
static void answer_ready(const struct pages *pages, struct slice query,
                         struct server_page *ret_page)
{
    struct io_health health;
    (void)query;
    io_health(pages->io, &health);
    ret_page->status = health.has_joined && !health.is_stopping ? 200 : 503;
    buf_add_text(ret_page->body, health.is_stopping  ? "the worker stops\n"
                                 : health.has_joined ? "ok\n"
                                                     : "the worker has not joined its group yet\n");
}

static void add_time(struct buf *json, const char *name, int64_t wall_ms)
{
    json_add_name(json, name);
    buf_add_byte(json, '"');
    instant_add_rfc3339(json, wall_ms);
    buf_add_byte(json, '"');
}

/* The last warnings and errors, the newest first. */
static void add_events(const struct pages *pages, struct buf *json)
{
    struct log_recent recent;
    json_add_name(json, "events");
    buf_add_byte(json, '[');
    for (size_t age = 0; io_recent(pages->io, age, &recent); age++) {
        json_add_comma(json);
        buf_add_byte(json, '{');
        add_time(json, "time", recent.wall_ms);
        json_add_text_member(json, "level",
                             slice_of_text(log_level_name(log_event_level(recent.event))));
        json_add_text_member(json, "event", slice_of_text(log_event_name(recent.event)));
        json_add_text_member(json, "message", slice_of_text(recent.sentence));
        buf_add_byte(json, '}');
    }
    buf_add_byte(json, ']');
}

static void answer_status(const struct pages *pages, struct slice query,
                          struct server_page *ret_page)
{
    struct io_health health;
    struct buf *json = ret_page->body;
    (void)query;
    io_health(pages->io, &health);
    ret_page->type = TYPE_JSON;
    buf_add_byte(json, '{');
    add_time(json, "time", clock_wall_ms());
    json_add_text_member(json, "version", SLICE(BEDROCK_VERSION));
    json_add_bool_member(json, "has_joined", health.has_joined);
    json_add_bool_member(json, "is_stopping", health.is_stopping);
    engine_status(pages->engine, json);
    add_events(pages, json);
    buf_add_text(json, "}\n");
}

/* Reads one of id, position and key. */
static bool read_question(struct slice query, struct buf *value, struct explain_query *ret_query)
{
    if (query_value(query, "position", value))
        return query_position(buf_slice(value), ret_query);
    buf_reset(value);
    ret_query->kind = EXPLAIN_ID;
    bool is_read = query_value(query, "id", value);
    if (!is_read) {
        buf_reset(value);
        ret_query->kind = EXPLAIN_KEY;
        is_read = query_value(query, "key", value);
    }
    ret_query->text = value->len > 0 ? buf_slice(value) : SLICE("");
    return is_read;
}

static void answer_explain(const struct pages *pages, struct slice query,
                           struct server_page *ret_page)
{
    struct buf value OWNED_BY(buf_done);
    struct explain_query question = {.kind = EXPLAIN_ID};
    buf_init(&value, QUERY_VALUE_MAX);
    if (!read_question(query, &value, &question)) {
        ret_page->status = 400;
        buf_add_text(ret_page->body, "ask /explain?id=REQUEST-ID, ?position=TOPIC/PARTITION/OFFSET "
                                     "or ?key=KEY, percent-coded\n");
        return;
    }
    ret_page->type = TYPE_JSON;
    engine_explain(pages->engine, &question, ret_page->body);
    buf_add_byte(ret_page->body, '\n');
}

static void answer_page(const struct pages *pages, struct slice query, struct server_page *ret_page)
{
    (void)pages, (void)query;
    page_answer(ret_page);
}

static const struct {
    const char *path;
    answer_path *answer;
} pages_list[] = {
    {"/", answer_page},        {"/metrics", answer_metrics},    {"/livez", answer_live},
    {"/readyz", answer_ready}, {"/status.json", answer_status}, {"/explain", answer_explain},
};

void pages_answer(void *self, struct slice path, struct slice query, struct server_page *ret_page)
{
    for (size_t i = 0; i < COUNT_OF(pages_list); i++) {
        if (slice_equal_text(path, pages_list[i].path)) {
            pages_list[i].answer(self, query, ret_page);
            return;
        }
    }
    ret_page->status = 404;
    for (size_t i = 0; i < COUNT_OF(pages_list); i++)
        buf_addf(ret_page->body, "%s\n", pages_list[i].path);
}
