#include "app/pages/pages.h"

#include "engine/engine.h"
#include "io/io.h"
#include "telemetry/metrics.h"

typedef void answer_page(const struct pages *pages, struct slice query,
                         struct server_page *ret_page);

static void answer_metrics(const struct pages *pages, struct slice query,
                           struct server_page *ret_page)
{
    (void)query;
    ret_page->type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_begin_scrape(pages->metrics);
    io_meter(pages->io, pages->metrics);
    engine_meter_gauges(pages->engine);
    metrics_print(pages->metrics, ret_page->body);
}

/* The loop answers, so it turns. */
static void answer_live(const struct pages *pages, struct slice query, struct server_page *ret_page)
{
    (void)pages, (void)query;
    buf_add_text(ret_page->body, "ok\n");
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

static const struct {
    const char *path;
    answer_page *answer;
} pages_list[] = {
    {"/metrics", answer_metrics},
    {"/livez", answer_live},
    {"/readyz", answer_ready},
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
