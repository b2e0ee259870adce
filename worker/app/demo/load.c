#include "app/demo/load.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "app/client/kafka_client.h"
#include "app/client/screen.h"
#include "app/demo/demo.h"
#include "app/exit_code.h"
#include "base/utf8.h"
#include "io/loop/clock.h"

#define REACH_MS      30000
#define POLL_MS       20
#define FLUSH_MS      10000
#define SHOW_MS       1000 /* least time between two answers on the screen */
#define QUIET_MS      1500 /* usage records may come after the last answer */
#define SHOWN_BYTES   72   /* of a prompt and of an answer */
#define LABEL_COLUMNS 11
#define ARENA_MAX     ((size_t)64 * 1024 * 1024)

struct load {
    const struct settings *settings;
    const struct load_options *options;
    struct client *client;
    struct load_tally tally;
    struct screen screen;
    sigset_t signals;
    int64_t began_ms, shown_ms, table_ms;
    bool is_interrupted;
};

static bool fail(struct load *load, const char *what, const char *words)
{
    screen_printf(&load->screen, what, STYLE_BAD, "failed: %s", words);
    return false;
}

static bool is_interrupted(struct load *load)
{
    struct timespec at_once = {0, 0};
    if (!load->is_interrupted)
        load->is_interrupted = sigtimedwait(&load->signals, NULL, &at_once) > 0;
    return load->is_interrupted;
}

/* ---- sending ---- */

/* The aliases of the settings take turns; without any the worker's default serves. */
static struct slice model_of(const struct load *load, size_t number)
{
    const struct setting_aliases *aliases = &load->settings->models_aliases;
    return aliases->count > 0 ? aliases->list[number / LOAD_TENANTS % aliases->count].name
                              : SLICE_NULL;
}

static bool send_one(struct load *load)
{
    struct buf value OWNED_BY(buf_done), key OWNED_BY(buf_done);
    buf_init(&value, 65536);
    buf_init(&key, 256);
    if (!load_tally_ask(&load->tally, model_of(load, load->tally.sent), &value, &key))
        return fail(load, "requests", "out of memory");
    const struct record record = {.topic = load->settings->topics_requests.items[0],
                                  .key = buf_slice(&key),
                                  .value = buf_slice(&value)};
    if (client_send(load->client, &record) != OK)
        return fail(load, "requests", client_reason(load->client));
    return true;
}

static bool is_all_sent(const struct load *load)
{
    int64_t most = load->options->requests > 0 ? load->options->requests : LOAD_REQUESTS_MAX;
    return (int64_t)load->tally.sent >= most;
}

/* Sends what is due by now. */
static bool send_due(struct load *load, int64_t now_ms)
{
    int64_t due = (now_ms - load->began_ms) * load->options->rate / 1000 + 1;
    while ((int64_t)load->tally.sent < due && !is_all_sent(load)) {
        if (!send_one(load))
            return false;
    }
    return true;
}

/* ---- reading ---- */

static void show_answer(struct load *load, const struct load_answer *answer)
{
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms - load->shown_ms < SHOW_MS && answer->is_ok)
        return;
    struct buf prompt OWNED_BY(buf_done), text OWNED_BY(buf_done);
    buf_init(&prompt, 1024);
    buf_init(&text, READING_TEXT_MAX);
    demo_add_prompt(answer->number, &prompt);
    reading_add_shown(answer->text, &text);
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '\n')
            text.ptr[i] = ' ';
    struct slice shown = utf8_clip(buf_slice(&text), SHOWN_BYTES);
    screen_printf(&load->screen, load_tally_tenant(&load->tally, answer->number),
                  answer->is_ok ? STYLE_GOOD : STYLE_BAD, "%s -> %s%.*s%s", buf_text(&prompt),
                  answer->is_ok ? "" : "error: ", SLICE_ARG(shown),
                  shown.len < text.len ? "..." : "");
    load->shown_ms = now_ms;
}

/* Counts the next record; false when none came. */
static bool read_one(struct load *load)
{
    struct record record;
    struct load_answer answer = {.is_new = false};
    struct timespec pause = {0, (long)POLL_MS * 1000000};
    enum err err = client_read(load->client, POLL_MS, &record);
    if (err == ERR_IO) /* the brokers are away; librdkafka goes on by itself */
        (void)nanosleep(&pause, NULL);
    if (err != OK)
        return false;
    struct arena arena OWNED_BY(arena_done);
    arena_init(&arena, ARENA_MAX);
    if (slice_equal(record.topic, load->settings->topics_usage))
        load_tally_add_usage(&load->tally, &arena, record.value);
    else
        load_tally_add_response(&load->tally, &arena, record.value, &answer);
    if (answer.is_new)
        show_answer(load, &answer);
    return true;
}

static void show_table(struct load *load)
{
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 4096);
    load_tally_add_table(&load->tally, &text);
    screen_clear(&load->screen);
    screen_print_line(&load->screen, slice_trim(buf_slice(&text)));
    (void)fflush(stdout);
    load->table_ms = clock_monotonic_ms();
}

static void show_table_if_due(struct load *load)
{
    if (clock_monotonic_ms() - load->table_ms >= load->options->every_ms)
        show_table(load);
}

/* ---- the run ---- */

static bool follow(struct load *load, struct slice topic)
{
    if (client_follow(load->client, topic, false, REACH_MS) == OK)
        return true;
    return fail(load, "topics", client_reason(load->client));
}

static bool begin(struct load *load)
{
    char words[CLIENT_REASON_MAX] = "";
    int brokers = 0;
    load->client = client_new(load->settings, words);
    if (load->client == NULL)
        return fail(load, "brokers", words);
    if (client_brokers(load->client, REACH_MS, &brokers) != OK)
        return fail(load, "brokers", client_reason(load->client));
    if (!follow(load, load->settings->topics_responses) ||
        !follow(load, load->settings->topics_usage))
        return false;
    client_warm_up(load->client, load->settings->topics_requests.items[0], REACH_MS);
    screen_printf(&load->screen, "load", STYLE_HEADING,
                  "%lld requests a second by %d tenants to %.*s; about one answer a second is "
                  "shown, and a table every %lld s",
                  (long long)load->options->rate, LOAD_TENANTS,
                  SLICE_ARG(load->settings->topics_requests.items[0]),
                  (long long)(load->options->every_ms / 1000));
    (void)fflush(stdout);
    load->began_ms = load->table_ms = clock_monotonic_ms();
    return true;
}

static bool send_all(struct load *load)
{
    while (!is_all_sent(load) && !is_interrupted(load)) {
        if (!send_due(load, clock_monotonic_ms()))
            return false;
        (void)read_one(load);
        show_table_if_due(load);
    }
    if (client_flush(load->client, FLUSH_MS) != OK)
        return fail(load, "requests", client_reason(load->client));
    return true;
}

/* Waits for the answers that are missing, then for usage records that come after them. */
static void await_answers(struct load *load)
{
    int64_t end_ms = clock_monotonic_ms() + load->options->wait_ms;
    while (load_tally_open(&load->tally) > 0 && clock_monotonic_ms() < end_ms) {
        (void)read_one(load);
        show_table_if_due(load);
    }
    int64_t quiet_ms = clock_monotonic_ms();
    while (clock_monotonic_ms() - quiet_ms < QUIET_MS)
        if (read_one(load))
            quiet_ms = clock_monotonic_ms();
}

static bool judge(struct load *load)
{
    char sent[SCREEN_COUNT_BYTES];
    const struct load_tally *tally = &load->tally;
    int64_t open = load_tally_open(tally), failed = 0;
    for (size_t i = 0; i < LOAD_TENANTS; i++)
        failed += tally->tenants[i].failed;
    bool is_good = open == 0 && tally->twice == 0;
    (void)screen_count((int64_t)tally->sent, sent);
    if (is_good)
        screen_printf(&load->screen, "result", STYLE_GOOD,
                      "%s asked, each answered once: nothing is lost, nothing is there twice",
                      sent);
    else
        screen_printf(&load->screen, "result", STYLE_BAD,
                      "%s asked, %lld without an answer after %lld s, %lld answered more than once",
                      sent, (long long)open, (long long)(load->options->wait_ms / 1000),
                      (long long)tally->twice);
    if (failed > 0)
        screen_printf(&load->screen, "errors", STYLE_BAD, "%lld requests ended in an error; %s",
                      (long long)failed, tally->trouble);
    return is_good;
}

int load_run(const struct settings *settings, const struct load_options *options)
{
    struct load load = {.settings = settings, .options = options};
    screen_init(&load.screen, stdout, LABEL_COLUMNS);
    load.screen.pipe_columns = SIZE_MAX;
    load_tally_init(&load.tally, clock_seed());
    /* Before librdkafka starts its threads, so that they leave these signals to is_interrupted. */
    sigemptyset(&load.signals);
    sigaddset(&load.signals, SIGINT);
    sigaddset(&load.signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &load.signals, NULL);
    bool is_good = begin(&load) && send_all(&load);
    if (is_good) {
        await_answers(&load);
        show_table(&load);
        is_good = judge(&load);
    }
    client_free(load.client);
    load_tally_done(&load.tally);
    return is_good ? EXIT_DONE : EXIT_FAILED;
}
