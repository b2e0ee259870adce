#include "app/demo/demo.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/exit_code.h"
#include "app/settings/topics.h"
#include "app/worker.h"
#include "base/memory.h"
#include "io/loop/clock.h"
#include "sim/sim.h"

#define SET_UP_MS       30000
#define REACH_MS        10000
#define ANSWERS_BASE_MS 120000 /* limit for all answers; plus 50 ms per request */
#define QUIET_MS        1500   /* after this time without a record none is expected */
#define POLL_MS         50
#define STAY_POLL_MS    500
#define LINES_KEPT      12 /* of the worker's log, shown when it fails */
#define LINE_MAX_BYTES  400
#define STAGE_BYTES_MAX 2048
#define LEDGER_MAX      ((size_t)256 * 1024 * 1024)
#define THROTTLED_RATE  0.05
#define CUT_RATE        0.1 /* of streams */

/* The worker's last log lines. */
struct last_lines {
    pthread_mutex_t mutex;
    char lines[LINES_KEPT][LINE_MAX_BYTES];
    size_t count;
};

struct demo {
    const struct demo_options *options;
    const char *brokers; /* of the user; NULL = the in-memory cluster */
    char brokers_text[512], prefix[64], group[64], endpoint[64], ledger[64];
    struct demo_cluster *cluster;
    bool made_topics; /* on the user's brokers */
    struct sim_config *sim_config;
    struct sim *sim;
    struct settings *settings;
    struct worker *worker;
    pthread_t thread;
    bool is_thread_begun;
    atomic_bool has_worker_ended;
    int worker_code;
    struct last_lines log;
    struct client *client;
    struct demo_tally tally;
    struct demo_screen screen;
    sigset_t signals;
};

/* Prints how a stage went. */
PRINTF(3, 4)
static void show_stage(struct demo *demo, const char *stage, const char *format, ...)
{
    char text[STAGE_BYTES_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    screen_print(&demo->screen.out, stage, STYLE_GOOD, slice_of_text(text));
}

static bool fail(struct demo *demo, const char *stage, const char *words)
{
    screen_clear(&demo->screen.out);
    screen_printf(&demo->screen.err, stage, STYLE_BAD, "failed: %s", words);
    return false;
}

/* Did the user press Ctrl-C? */
static bool is_interrupted(const struct demo *demo)
{
    struct timespec at_once = {0, 0};
    return sigtimedwait(&demo->signals, NULL, &at_once) > 0;
}

/* ---- the broker and its topics ---- */

static void list_topics(const struct demo *demo, struct slice ret_topics[TOPIC_COUNT])
{
    for (enum topic topic = 0; topic < TOPIC_COUNT; topic++)
        ret_topics[topic] = *topic_names(demo->settings, topic).items;
}

static bool start_broker(struct demo *demo)
{
    char words[CLIENT_REASON_MAX] = "out of memory";
    if (demo->brokers != NULL) {
        unsigned tail = (unsigned)(clock_seed() & 0xffffff);
        (void)snprintf(demo->brokers_text, sizeof demo->brokers_text, "%s", demo->brokers);
        (void)snprintf(demo->prefix, sizeof demo->prefix, "bedrock-demo-%06x", tail);
        (void)snprintf(demo->group, sizeof demo->group, "bedrock-demo-%06x", tail);
        return true;
    }
    (void)snprintf(demo->prefix, sizeof demo->prefix, "bedrock");
    (void)snprintf(demo->group, sizeof demo->group, "bedrock-worker");
    demo->cluster = demo_cluster_new(words);
    if (demo->cluster == NULL)
        return fail(demo, "broker", words);
    (void)snprintf(demo->brokers_text, sizeof demo->brokers_text, "%s",
                   demo_cluster_brokers(demo->cluster));
    return true;
}

static bool make_topics(struct demo *demo)
{
    char words[CLIENT_REASON_MAX] = "";
    struct slice topics[TOPIC_COUNT];
    int brokers = 0;
    list_topics(demo, topics);
    demo->client = client_new(demo->settings, words);
    if (demo->client == NULL)
        return fail(demo, "broker", words);
    for (size_t i = 0; i < COUNT_OF(topics) && demo->cluster != NULL; i++) {
        if (demo_cluster_add_topic(demo->cluster, topics[i], DEMO_PARTITIONS) != OK)
            return fail(demo, "topics", "the in-memory cluster does not make them");
    }
    if (client_brokers(demo->client, REACH_MS, &brokers) != OK) {
        (void)snprintf(words, sizeof words, "%.440s; check KAFKA_BOOTSTRAP_SERVERS",
                       client_reason(demo->client));
        return fail(demo, "broker", words);
    }
    if (demo->cluster == NULL &&
        client_create(demo->client, topics, COUNT_OF(topics), DEMO_PARTITIONS, SET_UP_MS) != OK)
        return fail(demo, "topics", client_reason(demo->client));
    demo->made_topics = demo->cluster == NULL;
    show_stage(demo, "broker", "%s at %s",
               demo->cluster != NULL ? "librdkafka's in-memory cluster" : "yours",
               demo->brokers_text);
    show_stage(demo, "topics",
               "%s.requests, .responses, .chunks, .usage and .dead-letters, %d partitions each",
               demo->prefix, DEMO_PARTITIONS);
    return true;
}

/* Waits until every broker knows a new topic. */
static bool follow(struct demo *demo, struct slice topic)
{
    int64_t end_ms = clock_monotonic_ms() + SET_UP_MS;
    enum err err = ERR_NOT_FOUND;
    while (err == ERR_NOT_FOUND && clock_monotonic_ms() < end_ms) {
        struct timespec pause = {0, POLL_MS * 1000000L};
        err = client_follow(demo->client, topic, true, SET_UP_MS);
        if (err == ERR_NOT_FOUND)
            nanosleep(&pause, NULL);
    }
    return err == OK || fail(demo, "topics", client_reason(demo->client));
}

static bool follow_outputs(struct demo *demo)
{
    struct slice topics[TOPIC_COUNT];
    list_topics(demo, topics);
    for (size_t i = 1; i < COUNT_OF(topics); i++) {
        if (!follow(demo, topics[i]))
            return false;
    }
    return true;
}

/* ---- the local Bedrock ---- */

static bool make_ledger(struct demo *demo)
{
    (void)snprintf(demo->ledger, sizeof demo->ledger, "/tmp/bedrock-demo-XXXXXX");
    int fd = mkstemp(demo->ledger);
    if (fd < 0) {
        demo->ledger[0] = '\0';
        return fail(demo, "bedrock", "no temporary file for its ledger can be made");
    }
    close(fd);
    return true;
}

static void set_variable(const char *name, const char *value)
{
    setenv(name, value, 1); /* NOLINT(concurrency-mt-unsafe): no other thread is there yet */
}

/* Puts the key pair of the local Bedrock into the environment for the worker. Call it before any
 * thread starts, because setenv is not safe beside getenv. */
static void set_environment(const struct sim_config *config)
{
    static const char *const NOT_OURS[] = {
        "AWS_SESSION_TOKEN",
        "AWS_BEARER_TOKEN_BEDROCK",
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        "AWS_CA_BUNDLE",
        "AWS_USE_FIPS_ENDPOINT",
        "AWS_USE_DUALSTACK_ENDPOINT",
    };
    for (size_t i = 0; i < COUNT_OF(NOT_OURS); i++)
        unsetenv(NOT_OURS[i]); /* NOLINT(concurrency-mt-unsafe) */
    char text[256];
    (void)snprintf(text, sizeof text, "%.*s", SLICE_ARG(config->keys[0].access_key_id));
    set_variable("AWS_ACCESS_KEY_ID", text);
    (void)snprintf(text, sizeof text, "%.*s", SLICE_ARG(config->keys[0].secret_access_key));
    set_variable("AWS_SECRET_ACCESS_KEY", text);
    set_variable("AWS_CONFIG_FILE", "/dev/null");
    set_variable("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    set_variable("no_proxy", "127.0.0.1");
}

static bool prepare_bedrock(struct demo *demo)
{
    demo->sim_config = sim_config_new();
    if (demo->sim_config == NULL)
        return fail(demo, "bedrock", "out of memory");
    set_environment(demo->sim_config);
    return true;
}

static void set_faults(struct sim_config *config)
{
    config->fault_rates[FAULT_THROTTLING] = THROTTLED_RATE;
    config->fault_rates[FAULT_CUT_STREAM] = CUT_RATE;
}

static void show_bedrock(struct demo *demo)
{
    if (demo->options->quota > 0)
        show_stage(demo, "bedrock",
                   "a local Bedrock at %s: it takes %lld requests a minute for each model, and "
                   "refuses others",
                   demo->endpoint, (long long)demo->options->quota);
    else
        show_stage(demo, "bedrock",
                   "a local Bedrock at %s: it verifies signatures, throttles 5 %% of the calls and "
                   "cuts some streams",
                   demo->endpoint);
}

static bool start_bedrock(struct demo *demo)
{
    if (!make_ledger(demo))
        return false;
    struct sim_config *config = demo->sim_config;
    if (demo->options->quota > 0)
        demo_set_quota(config, demo->options->quota);
    else
        set_faults(config);
    config->seed = (int64_t)(clock_seed() >> 1);
    bool is_set = delay_read(SLICE("lognormal(350ms, 0.5)"), &config->latency) &&
                  delay_read(SLICE("15ms"), &config->gap) &&
                  sim_config_keep(config, slice_of_text(demo->ledger), &config->ledger_path);
    demo->sim = is_set ? sim_new(config) : NULL;
    if (demo->sim == NULL)
        return fail(demo, "bedrock", "out of memory");
    if (sim_start(demo->sim) != OK)
        return fail(demo, "bedrock", sim_problem(demo->sim));
    (void)snprintf(demo->endpoint, sizeof demo->endpoint, "http://127.0.0.1:%d",
                   sim_port(demo->sim));
    show_bedrock(demo);
    return true;
}

/* ---- the worker ---- */

static const char *get_variable(void *self, const char *name)
{
    const struct demo *demo = self;
    bool in_memory = demo->brokers == NULL;
    const struct {
        const char *name, *value;
    } variables[] = {
        {"DEMO_BROKERS", demo->brokers_text},
        {"DEMO_GROUP", demo->group},
        {"DEMO_PREFIX", demo->prefix},
        {"DEMO_ENDPOINT", demo->endpoint},
        {"DEMO_GUARANTEE", in_memory ? "at_least_once" : "exactly_once"},
        {"DEMO_SESSION_TIMEOUT", in_memory ? "4s" : "10s"},
    };
    for (size_t i = 0; i < COUNT_OF(variables); i++) {
        if (strcmp(name, variables[i].name) == 0)
            return variables[i].value;
    }
    return NULL;
}

static bool read_settings(struct demo *demo)
{
    struct problems *problems = memory_new(sizeof *problems);
    demo->settings = memory_new(sizeof *demo->settings);
    if (problems == NULL || demo->settings == NULL) {
        memory_free(problems);
        return fail(demo, "settings", "out of memory");
    }
    struct settings_source source = {.text = slice_of(DEMO_SETTINGS, DEMO_SETTINGS_LEN),
                                     .file = "config/demo.yaml",
                                     .environment = {get_variable, NULL, demo}};
    bool is_good = settings_read(demo->settings, &source, problems);
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 65536);
    problems_add_text(problems, &text);
    memory_free(problems);
    return is_good || fail(demo, "settings", buf_text(&text));
}

static void keep_line(void *self, enum log_event event, struct slice line)
{
    struct last_lines *log = self;
    (void)event;
    pthread_mutex_lock(&log->mutex);
    char *kept = log->lines[log->count++ % LINES_KEPT];
    (void)snprintf(kept, LINE_MAX_BYTES, "%.*s", SLICE_ARG(slice_trim(line)));
    pthread_mutex_unlock(&log->mutex);
}

static void show_last_lines(struct demo *demo)
{
    pthread_mutex_lock(&demo->log.mutex);
    size_t count = demo->log.count;
    for (size_t i = count > LINES_KEPT ? count - LINES_KEPT : 0; i < count; i++)
        screen_print(&demo->screen.err, "  log", STYLE_PLAIN,
                     slice_of_text(demo->log.lines[i % LINES_KEPT]));
    pthread_mutex_unlock(&demo->log.mutex);
}

static void *run_worker(void *self)
{
    struct demo *demo = self;
    demo->worker_code = worker_run(demo->worker);
    atomic_store(&demo->has_worker_ended, true);
    return NULL;
}

static bool start_worker(struct demo *demo)
{
    char words[ASSEMBLY_REASON_MAX] = "";
    int code = 0;
    struct worker_options options = {.log = keep_line, .log_self = &demo->log};
    demo->worker = worker_new(demo->settings, &options, &code, words);
    if (demo->worker == NULL)
        return fail(demo, "worker", words);
    if (pthread_create(&demo->thread, NULL, run_worker, demo) != 0)
        return fail(demo, "worker", "its thread cannot be made");
    demo->is_thread_begun = true;
    show_stage(demo, "worker", "%s",
               demo->brokers != NULL
                   ? "exactly_once: answers, usage and offsets in one transaction"
                   : "at_least_once, because the in-memory cluster drops transactional offsets "
                     "(on a real broker: exactly_once)");
    return true;
}

/* As fail, with the worker's last log lines. */
static bool fail_of_worker(struct demo *demo, const char *stage, const char *words)
{
    (void)fail(demo, stage, words);
    show_last_lines(demo);
    return false;
}

static int stop_worker(struct demo *demo)
{
    if (!demo->is_thread_begun)
        return EXIT_DONE;
    worker_stop(demo->worker);
    pthread_join(demo->thread, NULL);
    demo->is_thread_begun = false;
    return demo->worker_code;
}

/* ---- the clients ---- */

static bool send_requests(struct demo *demo)
{
    char sent[SCREEN_COUNT_BYTES], rest[SCREEN_COUNT_BYTES];
    struct buf value OWNED_BY(buf_done), key OWNED_BY(buf_done);
    buf_init(&value, 65536);
    buf_init(&key, 256);
    for (size_t i = 0; i < demo->tally.expected; i++) {
        buf_reset(&value);
        buf_reset(&key);
        demo_add_request(i, &value, &key);
        struct record record = {.topic = demo->settings->topics_requests.items[0],
                                .key = buf_slice(&key),
                                .value = buf_slice(&value)};
        if (client_send(demo->client, &record) != OK)
            return fail(demo, "requests", client_reason(demo->client));
    }
    if (client_flush(demo->client, SET_UP_MS) != OK)
        return fail(demo, "requests", client_reason(demo->client));
    size_t others = demo->tally.expected - DEMO_CONVERSATIONS;
    show_stage(
        demo, "requests",
        "%s sent to %s.requests: %d conversations, and %s others by 3 tenants for 3 models, with "
        "Converse and InvokeModel",
        screen_count((int64_t)demo->tally.expected, sent), demo->prefix, DEMO_CONVERSATIONS,
        screen_count((int64_t)others, rest));
    return true;
}

/* Counts the next record; false when none came within `wait_ms`. */
static bool read_some(struct demo *demo, int64_t wait_ms)
{
    struct record record;
    enum err err = client_read(demo->client, wait_ms, &record);
    if (err == OK)
        demo_tally_add(&demo->tally, demo->settings, &record);
    return err == OK;
}

static void read_until_quiet(struct demo *demo)
{
    int64_t received_ms = clock_monotonic_ms();
    while (clock_monotonic_ms() - received_ms < QUIET_MS) {
        if (read_some(demo, POLL_MS))
            received_ms = clock_monotonic_ms();
    }
}

static bool wait_for_answers(struct demo *demo)
{
    struct demo_tally *tally = &demo->tally;
    int64_t end_ms = clock_monotonic_ms() + ANSWERS_BASE_MS + (int64_t)tally->expected * POLL_MS;
    if (demo->options->quota > 0)
        end_ms += 2 * 60000 * (int64_t)tally->expected / demo->options->quota;
    char words[256];
    while (tally->answered < tally->expected) {
        (void)read_some(demo, POLL_MS);
        if (tally->answered < tally->expected)
            demo_show_progress(&demo->screen, tally, clock_monotonic_ms());
        bool has_ended = atomic_load(&demo->has_worker_ended);
        if (is_interrupted(demo))
            return fail_of_worker(demo, "answers", "interrupted");
        if (!has_ended && clock_monotonic_ms() < end_ms)
            continue;
        (void)snprintf(words, sizeof words, "%s; %zu of %zu requests have an answer",
                       has_ended ? "the worker ended" : "they take too long", tally->answered,
                       tally->expected);
        return fail_of_worker(demo, "answers", words);
    }
    return true;
}

/* Waits for chunks and usage, which may arrive after the last answer, so that the results have all.
 */
static void show_answers(struct demo *demo)
{
    const struct demo_tally *tally = &demo->tally;
    char answered[SCREEN_COUNT_BYTES], expected[SCREEN_COUNT_BYTES], chunks[SCREEN_COUNT_BYTES];
    read_until_quiet(demo);
    demo_show_progress(&demo->screen, tally, clock_monotonic_ms());
    show_stage(demo, "answers", "%s of %s, with %s stream chunk%s and %lld dead letter%s",
               screen_count((int64_t)tally->answered, answered),
               screen_count((int64_t)tally->expected, expected),
               screen_count(tally->chunks, chunks), tally->chunks == 1 ? "" : "s",
               (long long)tally->letters, tally->letters == 1 ? "" : "s");
}

/* ---- the verification ---- */

static bool read_ledger(struct demo *demo, struct buf *ret_text)
{
    int fd = open(demo->ledger, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? 1 : -1;
    while (got > 0) {
        char *at = buf_reserve(ret_text, 65536);
        got = at != NULL ? read(fd, at, 65536) : -1;
        if (got > 0)
            ret_text->len += (size_t)got;
    }
    if (fd >= 0)
        close(fd);
    return got == 0;
}

static bool verify(struct demo *demo)
{
    struct buf ledger OWNED_BY(buf_done), facts OWNED_BY(buf_done), faults OWNED_BY(buf_done);
    buf_init(&ledger, LEDGER_MAX);
    buf_init(&facts, 65536);
    buf_init(&faults, 65536);
    if (!read_ledger(demo, &ledger))
        return fail(demo, "check", "the local Bedrock's ledger cannot be read");
    if (demo->options->quota > 0)
        demo_show_plot(&demo->screen, buf_slice(&ledger), demo->options->quota);
    demo_tally_verify(&demo->tally, buf_slice(&ledger), &facts, &faults);
    if (faults.len > 0)
        return fail_of_worker(demo, "check", buf_text(&faults));
    struct slice rest = buf_slice(&facts);
    while (rest.len > 0) {
        size_t len = slice_find(rest, '\n');
        show_stage(demo, "checked", "%.*s", SLICE_ARG(slice_sub(rest, 0, len)));
        rest = slice_sub(rest, len + 1, rest.len);
    }
    return true;
}

/* ---- afterwards ---- */

/* Stays up until Ctrl-C, or until the worker ends. */
static bool stay(struct demo *demo)
{
    (void)fflush(stdout);
    while (!is_interrupted(demo)) {
        (void)read_some(demo, STAY_POLL_MS);
        if (atomic_load(&demo->has_worker_ended))
            return fail_of_worker(demo, "worker", "it ended by itself");
    }
    return true;
}

static bool go(struct demo *demo)
{
    size_t expected = DEMO_CONVERSATIONS + (size_t)demo->options->requests;
    if (!demo_tally_init(&demo->tally, expected))
        return fail(demo, "demo", "out of memory");
    if (!prepare_bedrock(demo) || !start_broker(demo) || !start_bedrock(demo) ||
        !read_settings(demo) || !make_topics(demo) || !follow_outputs(demo) ||
        !start_worker(demo) || !send_requests(demo) || !wait_for_answers(demo))
        return false;
    if (!demo->options->keep && stop_worker(demo) != EXIT_DONE)
        return fail_of_worker(demo, "worker", "it did not stop cleanly");
    show_answers(demo);
    demo_show_results(&demo->screen, &demo->tally);
    if (!verify(demo))
        return false;
    const struct demo_place place = {
        .program = demo->options->program,
        .brokers = demo->brokers_text,
        .prefix = demo->prefix,
        .has_usual_topics = demo->brokers == NULL,
    };
    if (!demo->options->keep) {
        demo_show_ways_on(&demo->screen, &place);
        return true;
    }
    demo_show_what_to_try(&demo->screen, &place);
    return stay(demo);
}

static void clean_up(struct demo *demo)
{
    struct slice topics[TOPIC_COUNT];
    (void)stop_worker(demo);
    worker_free(demo->worker);
    if (demo->made_topics) {
        list_topics(demo, topics);
        if (client_delete(demo->client, topics, COUNT_OF(topics), SET_UP_MS) != OK)
            screen_printf(&demo->screen.err, "topics", STYLE_BAD,
                          "%s.* stay on your brokers: %s; delete them", demo->prefix,
                          client_reason(demo->client));
    }
    client_free(demo->client);
    sim_free(demo->sim);
    sim_config_free(demo->sim_config);
    demo_cluster_free(demo->cluster);
    if (demo->settings != NULL)
        settings_free(demo->settings);
    memory_free(demo->settings);
    demo_tally_done(&demo->tally);
    if (demo->ledger[0] != '\0')
        unlink(demo->ledger);
    pthread_mutex_destroy(&demo->log.mutex);
}

int demo_run(const struct demo_options *options)
{
    struct demo *demo = memory_new(sizeof *demo);
    if (demo == NULL)
        return EXIT_FAILED;
    demo->options = options;
    demo->brokers = getenv("KAFKA_BOOTSTRAP_SERVERS");
    if (demo->brokers != NULL && demo->brokers[0] == '\0')
        demo->brokers = NULL;
    demo_screen_init(&demo->screen);
    pthread_mutex_init(&demo->log.mutex, NULL);
    /* Before any thread starts, so that all threads leave these signals to is_interrupted. */
    sigemptyset(&demo->signals);
    sigaddset(&demo->signals, SIGINT);
    sigaddset(&demo->signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &demo->signals, NULL);
    bool is_done = go(demo);
    clean_up(demo);
    memory_free(demo);
    return is_done ? EXIT_DONE : EXIT_FAILED;
}
