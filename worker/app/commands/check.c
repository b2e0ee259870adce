/* `bedrock-worker check`: verifies the settings and, with --connect, what they refer to. */
#include "app/commands/commands.h"

#include <stdio.h>
#include <string.h>

#include "app/assembly.h"
#include "app/commands/check_bedrock.h"
#include "app/commands/checking.h"
#include "app/commands/settings_options.h"
#include "app/settings/topics.h"
#include "io/kafka/library.h"

#define CONNECT_MS    10000
#define POLICY_MS     3000 /* limit, because librdkafka's in-memory cluster never answers */
#define LABEL_COLUMNS 6

static struct settings_options settings_options;
static bool connects;

static const struct command_option OPTIONS[] = {
    SETTINGS_OPTION_ROWS(settings_options),
    {
        .name = "connect",
        .kind = OPTION_FLAG,
        .into.flag = &connects,
        .description = "Try the brokers, topics, credentials and models too.",
    },
};

/* Prints the last line, with the number of errors and warnings. */
static void report_counts(struct screen *screen, size_t failures, size_t warnings)
{
    struct buf line OWNED_BY(buf_done);
    buf_init(&line, 256);
    if (failures == 0)
        buf_add_text(&line, "no errors");
    else
        buf_addf(&line, "%zu error%s", failures, failures == 1 ? "" : "s");
    if (warnings > 0)
        buf_addf(&line, ", %zu warning%s", warnings, warnings == 1 ? "" : "s");
    screen_print_line(screen, buf_slice(&line));
}

static bool check_brokers(struct checking *checking)
{
    char words[CLIENT_REASON_MAX] = "";
    int count = 0;
    checking->client = client_new(checking->settings, words);
    if (checking->client == NULL) {
        report_is(checking, false, "brokers", words);
        return false;
    }
    bool is_there = client_brokers(checking->client, CONNECT_MS, &count) == OK;
    if (is_there)
        (void)snprintf(words, sizeof words, "%d at %.*s", count,
                       SLICE_ARG(checking->settings->kafka_bootstrap_servers));
    else
        (void)snprintf(words, sizeof words, "%.400s; check %s", client_reason(checking->client),
                       client_suspects(checking->client));
    report_is(checking, is_there, "brokers", words);
    return is_there;
}

/* Reads a property of a topic; false: it is unknown. */
static bool read_property(struct checking *checking, struct slice topic, const char *name,
                          char *ret_value, size_t room)
{
    ret_value[0] = '\0';
    if (!checking->are_policies_known)
        return false;
    enum err err = client_topic_property(checking->client, topic, name, POLICY_MS, ret_value, room);
    checking->are_policies_known = err != ERR_IO;
    return err == OK;
}

/* Whether the policy of an output topic serves: a compacted one rejects records without a key, and
 * keeps one record per key, which only the topic of budgets wants. ret_words: what is wrong. */
static bool has_right_policy(struct checking *checking, enum topic which, struct slice topic,
                             char *ret_words, size_t room)
{
    char policy[64];
    bool wants = which == TOPIC_BUDGETS;
    if (!topic_is_output(which) ||
        !read_property(checking, topic, "cleanup.policy", policy, sizeof policy) ||
        (strstr(policy, "compact") != NULL) == wants)
        return true;
    const char *needed = wants ? "compact" : "delete";
    (void)snprintf(ret_words, room,
                   "%.*s has cleanup.policy=%s: %s; set cleanup.policy=%s (kafka-configs.sh "
                   "--alter --topic %.*s --add-config cleanup.policy=%s)",
                   SLICE_ARG(topic), policy,
                   wants ? "it grows for ever, or forgets sums of partitions that are quiet"
                         : "the broker rejects records without a key, and the worker cannot "
                           "publish their results",
                   needed, SLICE_ARG(topic), needed);
    return false;
}

/* A warning: without sums in the topic of budgets, a start reads the usage of the whole span. */
static void check_retention(struct checking *checking, struct slice topic)
{
    char value[32], words[1024];
    int64_t retention_ms = 0;
    enum budget_per longest = tenant_longest_span(&checking->settings->tenants.table);
    if (longest == BUDGET_NONE ||
        !read_property(checking, topic, "retention.ms", value, sizeof value) ||
        !slice_to_int64(slice_of_text(value), &retention_ms) || retention_ms < 0 ||
        retention_ms >= budget_longest_ms(longest))
        return;
    (void)snprintf(words, sizeof words,
                   "%.*s has retention.ms=%s, less than the longest span of a budget in tenants: a "
                   "worker that starts may count less than was spent; set at least "
                   "retention.ms=%lld (kafka-configs.sh --alter --topic %.*s --add-config "
                   "retention.ms=%lld)",
                   SLICE_ARG(topic), value, (long long)budget_longest_ms(longest), SLICE_ARG(topic),
                   (long long)budget_longest_ms(longest));
    report(checking, VERDICT_WARN, topic_path(TOPIC_USAGE), words);
}

static void report_missing(struct checking *checking, enum topic which, struct slice topic,
                           enum err err)
{
    char words[CLIENT_REASON_MAX + 768];
    if (err == ERR_NOT_FOUND)
        (void)snprintf(words, sizeof words,
                       "%.*s does not exist; create it (bedrock-worker topics --create)",
                       SLICE_ARG(topic));
    else if (err == ERR_NOT_ALLOWED)
        (void)snprintf(words, sizeof words, "the broker denies access to %.*s; grant %s on it",
                       SLICE_ARG(topic), topic_is_output(which) ? "WRITE" : "READ");
    else
        (void)snprintf(words, sizeof words, "%.*s: %s", SLICE_ARG(topic),
                       client_reason(checking->client));
    report_is(checking, false, topic_path(which), words);
}

static void check_topic(struct checking *checking, enum topic which, struct slice topic)
{
    const char *path = topic_path(which);
    char words[1024];
    int32_t partitions = 0;
    enum err err = client_topic(checking->client, topic, CONNECT_MS, &partitions);
    if (err != OK) {
        report_missing(checking, which, topic, err);
        return;
    }
    bool serves = has_right_policy(checking, which, topic, words, sizeof words);
    if (serves)
        (void)snprintf(words, sizeof words, "%.*s, %d partition%s", SLICE_ARG(topic),
                       (int)partitions, partitions == 1 ? "" : "s");
    report_is(checking, serves, path, words);
    if (which == TOPIC_USAGE)
        check_retention(checking, topic);
}

static void check_topics(struct checking *checking)
{
    for (enum topic which = 0; which < TOPIC_COUNT; which++) {
        struct setting_list names = topic_names(checking->settings, which);
        for (size_t i = 0; i < names.count && topic_is_used(checking->settings, which); i++)
            check_topic(checking, which, names.items[i]);
    }
}

/* Checks what `run` needs at its start. False: it has reported the reason. */
static bool check_environment(struct checking *checking, struct assembly *ret_assembly)
{
    char words[ASSEMBLY_REASON_MAX] = "";
    bool is_good = assembly_make(checking->settings, ret_assembly, words);
    report_is(checking, is_good, is_good ? "region" : ret_assembly->at_fault,
              is_good ? ret_assembly->region : words);
    return is_good;
}

/* A warning: a worker with fewer files works, with fewer calls at once. */
static void check_files(struct checking *checking, const struct assembly *assembly)
{
    uint64_t limit, needed;
    if (assembly_has_files(assembly, &limit, &needed))
        return;
    char words[256];
    (void)snprintf(words, sizeof words,
                   "this process may open %llu, and delivery.max_in_flight needs some %llu; raise "
                   "the hard limit (ulimit -Hn, LimitNOFILE), or lower delivery.max_in_flight",
                   (unsigned long long)limit, (unsigned long long)needed);
    report(checking, VERDICT_WARN, "open files", words);
}

/* Warnings too: what does not work with an older librdkafka may not be needed. */
static void check_library(struct checking *checking, const struct assembly *assembly)
{
    char name[KAFKA_MECHANISM_MAX], words[1024];
    struct slice mechanism = kafka_library_mechanism(&assembly->io.kafka, name);
    size_t cursor = 0;
    const struct kafka_lack *lack = kafka_library_lack(kafka_library_version(), mechanism, &cursor);
    if (lack == NULL) {
        (void)snprintf(words, sizeof words, "%s; works with Apache Kafka 2.5 and newer",
                       kafka_library_version_text());
        report(checking, VERDICT_OK, "librdkafka", words);
    }
    for (; lack != NULL; lack = kafka_library_lack(kafka_library_version(), mechanism, &cursor)) {
        (void)snprintf(words, sizeof words,
                       "%s: %s; build the worker with %s or newer (deploy/README.md)",
                       kafka_library_version_text(), lack->consequence, lack->needed_text);
        report(checking, VERDICT_WARN, "librdkafka", words);
    }
}

static void check_prices(struct checking *checking)
{
    const struct setting_prices *prices = &checking->settings->prices_file;
    char words[1024];
    if (prices->file.len == 0)
        return;
    (void)snprintf(words, sizeof words, "%.*s: %zu rows in %s, version %s", SLICE_ARG(prices->file),
                   prices->table.count, prices->table.currency, prices->table.version);
    report(checking, VERDICT_OK, "prices", words);
}

static int run(void)
{
    static struct assembly assembly;
    struct checking checking = {.are_policies_known = true};
    struct settings *settings = settings_options_load(&settings_options, true, &checking.failures);
    screen_init(&checking.screen, stdout, LABEL_COLUMNS);
    checking.screen.pipe_columns = SIZE_MAX;
    if (settings == NULL && checking.failures > 0)
        report_counts(&checking.screen, checking.failures, 0);
    if (settings == NULL)
        return EXIT_USAGE;
    checking.settings = settings;
    const char *file = settings_options_file(&settings_options);
    report(&checking, VERDICT_OK, "settings", file != NULL ? file : "the defaults (no file named)");
    check_prices(&checking);
    bool can_start = check_environment(&checking, &assembly);
    if (can_start) {
        check_library(&checking, &assembly);
        check_files(&checking, &assembly);
    }
    if (connects) {
        if (check_brokers(&checking))
            check_topics(&checking);
        if (can_start)
            check_bedrock(&checking, &assembly);
        client_free(checking.client);
    }
    assembly_done(&assembly);
    settings_options_free(settings);
    report_counts(&checking.screen, checking.failures, checking.warnings);
    if (!can_start)
        return EXIT_USAGE;
    return checking.failures == 0 ? EXIT_DONE : EXIT_FAILED;
}

const struct command command_check = {
    .name = "check",
    .summary = "check the settings without starting",
    .synopsis = "[--connect] [--set PATH=VALUE]... [-c FILE | FILE]",
    .description =
        "Reads the settings and prints every problem at once, each as `file:line:column: setting: "
        "what is wrong; what to do`. With --connect it also tries what the settings name: the "
        "brokers, each topic and its partitions, and Bedrock with the credentials. Each model of "
        "the settings gets an empty request for 0 tokens, which Bedrock rejects and does not "
        "bill. The command produces nothing and joins no group.",
    .examples = "  bedrock-worker check worker.yaml\n"
                "  bedrock-worker check --connect worker.yaml\n",
    .options = {OPTIONS, COUNT_OF(OPTIONS), "FILE", &settings_options.argument, NULL, NULL},
    .run = run,
};
