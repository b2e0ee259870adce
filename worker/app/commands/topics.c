/* `bedrock-worker topics`: compares the worker's topics with what they need, and creates those that
 * are missing. It changes none that exists. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app/client/kafka_client.h"
#include "app/client/screen.h"
#include "app/client/topic_plan.h"
#include "app/commands/commands.h"
#include "app/commands/settings_options.h"
#include "base/glob.h"
#include "io/loop/clock.h"

#define CONNECT_MS     15000
#define CREATE_MS      30000
#define LOOK_MS        50
#define PARTITIONS_MAX 10000
#define REPLICAS_MAX   100
#define LABEL_COLUMNS  9

static struct settings_options settings_options;
static bool creates;
static int64_t partitions_wanted, replicas_wanted;
static struct option_texts replies;

static const struct command_option OPTIONS[] = {
    SETTINGS_OPTION_ROWS(settings_options),
    {
        .name = "create",
        .kind = OPTION_FLAG,
        .into.flag = &creates,
        .description = "Create the topics that are missing. Without it the command creates "
                       "nothing: the brokers only check what it would ask for.",
    },
    {
        .letter = 'p',
        .name = "partitions",
        .value = "N",
        .kind = OPTION_COUNT,
        .max = PARTITIONS_MAX,
        .into.number = &partitions_wanted,
        .description = "Partitions of each topic (default 16): at least as many as workers.",
    },
    {
        .name = "replication",
        .value = "N",
        .kind = OPTION_COUNT,
        .max = REPLICAS_MAX,
        .into.number = &replicas_wanted,
        .description = "Replicas of each partition. Default: 3, or as many as there are brokers.",
    },
    {
        .name = "reply",
        .value = "TOPIC",
        .kind = OPTION_TEXTS,
        .into.texts = &replies,
        .description = "A reply topic that clients will name; topics.reply_allowed must allow it. "
                       "May be repeated. Names in topics.reply_allowed without `*` and `?` need "
                       "no --reply.",
    },
};

struct preparing {
    const struct settings *settings;
    struct client *client;
    struct screen screen;
    int32_t partitions, replicas;
    size_t there, missing, created, different, failures;
};

static void fail(struct preparing *preparing, struct slice topic, const char *words)
{
    preparing->failures++;
    screen_printf(&preparing->screen, "FAIL", STYLE_BAD, "%.*s: %s", SLICE_ARG(topic), words);
}

/* ---- texts ---- */

static void add_counted(struct buf *text, int32_t count, const char *noun)
{
    buf_addf(text, "%d %s%s", (int)count, noun, count == 1 ? "" : "s");
}

/* Appends the value of a property, with what it means where it counts milliseconds. */
static void add_value(struct buf *text, const struct topic_property *property, const char *value)
{
    int64_t ms = 0;
    buf_add_text(text, value);
    if (strcmp(property->name, "retention.ms") != 0 || !slice_to_int64(slice_of_text(value), &ms) ||
        ms < 0)
        return;
    buf_add_text(text, " (");
    if (ms >= 86400000 && ms % 86400000 == 0)
        buf_addf(text, "%lldd", (long long)(ms / 86400000));
    else
        units_add_span(text, ms);
    buf_add_text(text, ")");
}

static void add_plan(const struct preparing *preparing, const struct topic_plan *plan,
                     struct buf *text)
{
    buf_addf(text, "%.*s: ", SLICE_ARG(plan->name));
    add_counted(text, preparing->partitions, "partition");
    buf_add_text(text, ", ");
    add_counted(text, preparing->replicas, "replica");
    for (size_t i = 0; i < plan->count; i++) {
        buf_addf(text, ", %s=", plan->properties[i].name);
        add_value(text, &plan->properties[i], plan->properties[i].value);
    }
}

/* ---- topics that exist ---- */

static void show_difference(struct preparing *preparing, const struct topic_plan *plan,
                            const struct topic_property *property, const char *value)
{
    struct buf words OWNED_BY(buf_done);
    bool serves = property->need != TOPIC_SERVES;
    buf_init(&words, 4096);
    buf_addf(&words, "%.*s: %s is ", SLICE_ARG(plan->name), property->name);
    add_value(&words, property, value);
    buf_add_text(&words, serves ? "; planned is " : "; the worker needs ");
    add_value(&words, property, property->value);
    buf_addf(&words,
             " (kafka-configs.sh --alter --entity-type topics --entity-name %.*s --add-config "
             "%s=%s)",
             SLICE_ARG(plan->name), property->name, property->value);
    screen_print(&preparing->screen, serves ? "differs" : "FAIL",
                 serves ? STYLE_HEADING : STYLE_BAD, buf_slice(&words));
    preparing->different += serves;
    preparing->failures += !serves;
}

static void compare_counts(struct preparing *preparing, const struct topic_plan *plan,
                           const struct client_shape *shape)
{
    if (partitions_wanted > 0 && shape->partitions != partitions_wanted) {
        preparing->different++;
        screen_printf(
            &preparing->screen, "differs", STYLE_HEADING,
            "%.*s: it has %d partition%s; planned are %d (more of them send keys to other "
            "partitions)",
            SLICE_ARG(plan->name), (int)shape->partitions, shape->partitions == 1 ? "" : "s",
            (int)partitions_wanted);
    }
    if (shape->replicas < preparing->replicas) {
        preparing->different++;
        screen_printf(&preparing->screen, "differs", STYLE_HEADING,
                      "%.*s: it has %d replica%s; planned are %d", SLICE_ARG(plan->name),
                      (int)shape->replicas, shape->replicas == 1 ? "" : "s",
                      (int)preparing->replicas);
    }
}

static void compare(struct preparing *preparing, const struct topic_plan *plan,
                    const struct client_shape *shape)
{
    char value[512];
    size_t before = preparing->different + preparing->failures;
    preparing->there++;
    compare_counts(preparing, plan, shape);
    for (size_t i = 0; i < plan->count; i++) {
        const struct topic_property *property = &plan->properties[i];
        enum err err = client_topic_property(preparing->client, plan->name, property->name,
                                             CONNECT_MS, value, sizeof value);
        if (err != OK) {
            screen_printf(&preparing->screen, "differs", STYLE_HEADING,
                          "%.*s: its properties cannot be read (%s); the right is "
                          "DescribeConfigs on the topic",
                          SLICE_ARG(plan->name), client_reason(preparing->client));
            preparing->different++;
            break;
        }
        if (topic_property_differs(property, value))
            show_difference(preparing, plan, property, value);
    }
    if (preparing->different + preparing->failures == before)
        screen_printf(&preparing->screen, "ok", STYLE_GOOD, "%.*s: %d partition%s, %d replica%s",
                      SLICE_ARG(plan->name), (int)shape->partitions,
                      shape->partitions == 1 ? "" : "s", (int)shape->replicas,
                      shape->replicas == 1 ? "" : "s");
}

/* ---- topics that are missing ---- */

/* Waits until the brokers name the new topic, so that what runs next finds it. */
static void await_topic(struct preparing *preparing, struct slice name)
{
    struct timespec pause = {0, (long)LOOK_MS * 1000000};
    struct client_shape shape = {0};
    int64_t end_ms = clock_monotonic_ms() + CREATE_MS;
    while (client_topic_shape(preparing->client, name, CONNECT_MS, &shape) != OK &&
           clock_monotonic_ms() < end_ms)
        (void)nanosleep(&pause, NULL);
}

static void create(struct preparing *preparing, const struct topic_plan *plan)
{
    struct client_property properties[TOPIC_PLAN_PROPERTIES];
    for (size_t i = 0; i < plan->count; i++)
        properties[i] =
            (struct client_property){plan->properties[i].name, plan->properties[i].value};
    const struct client_new_topic topic = {
        .name = plan->name,
        .partitions = preparing->partitions,
        .replicas = preparing->replicas,
        .properties = properties,
        .count = plan->count,
        .only_tries = !creates,
    };
    enum err err = client_create_one(preparing->client, &topic, CREATE_MS);
    struct buf words OWNED_BY(buf_done);
    buf_init(&words, 4096);
    if (err != OK) {
        buf_add_text(&words, client_reason(preparing->client));
        if (err == ERR_NOT_ALLOWED)
            buf_add_text(&words, "; the right is Create on the topic or the cluster");
        fail(preparing, plan->name, buf_text(&words));
        return;
    }
    preparing->missing++;
    preparing->created += creates;
    if (creates)
        await_topic(preparing, plan->name);
    add_plan(preparing, plan, &words);
    screen_print(&preparing->screen, creates ? "created" : "missing", STYLE_HEADING,
                 buf_slice(&words));
}

static void prepare_topic(struct preparing *preparing, const struct topic_plan *plan)
{
    struct client_shape shape = {0};
    enum err err = client_topic_shape(preparing->client, plan->name, CONNECT_MS, &shape);
    if (err == OK)
        compare(preparing, plan, &shape);
    else if (err == ERR_NOT_FOUND)
        create(preparing, plan);
    else
        fail(preparing, plan->name, client_reason(preparing->client));
}

/* ---- all of them ---- */

static bool is_glob(struct slice text)
{
    return slice_find(text, '*') < text.len || slice_find(text, '?') < text.len;
}

static bool is_allowed(const struct settings *settings, struct slice name)
{
    for (size_t i = 0; i < settings->topics_reply_allowed.count; i++)
        if (glob_match(settings->topics_reply_allowed.items[i], name, false))
            return true;
    return false;
}

static void prepare_reply(struct preparing *preparing, struct slice name)
{
    struct topic_plan plan;
    topic_plan_make_reply(preparing->settings, name, preparing->replicas, &plan);
    prepare_topic(preparing, &plan);
}

static void prepare_replies(struct preparing *preparing)
{
    const struct setting_list *allowed = &preparing->settings->topics_reply_allowed;
    for (size_t i = 0; i < allowed->count; i++)
        if (!is_glob(allowed->items[i]))
            prepare_reply(preparing, allowed->items[i]);
        else if (replies.count == 0)
            screen_printf(&preparing->screen, "note", STYLE_PLAIN,
                          "topics.reply_allowed: the names of topics like %.*s are not known; "
                          "name those that clients use with --reply",
                          SLICE_ARG(allowed->items[i]));
    for (size_t i = 0; i < replies.count; i++) {
        struct slice name = slice_of_text(replies.list[i]);
        if (settings_form_fault(FORM_TOPIC, name) != NULL)
            fail(preparing, name, settings_form_fault(FORM_TOPIC, name));
        else if (!is_allowed(preparing->settings, name))
            fail(preparing, name, "topics.reply_allowed does not allow it; add it there");
        else
            prepare_reply(preparing, name);
    }
}

static void prepare_all(struct preparing *preparing)
{
    for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
        struct setting_list names = topic_names(preparing->settings, topic);
        for (size_t i = 0; i < names.count && topic_is_used(preparing->settings, topic); i++) {
            struct topic_plan plan;
            topic_plan_make(preparing->settings, topic, names.items[i], preparing->replicas, &plan);
            prepare_topic(preparing, &plan);
        }
    }
    prepare_replies(preparing);
}

static void show_counts(struct preparing *preparing)
{
    struct buf line OWNED_BY(buf_done);
    buf_init(&line, 256);
    buf_addf(&line, "%zu as planned or different, ", preparing->there);
    if (creates)
        buf_addf(&line, "%zu created", preparing->created);
    else
        buf_addf(&line, "%zu missing", preparing->missing);
    if (preparing->different > 0)
        buf_addf(&line, ", %zu difference%s (this command changes no topic)", preparing->different,
                 preparing->different == 1 ? "" : "s");
    if (preparing->failures > 0)
        buf_addf(&line, ", %zu error%s", preparing->failures, preparing->failures == 1 ? "" : "s");
    if (!creates && preparing->missing > 0)
        buf_add_text(&line, "; a dry run: --create creates them");
    screen_print_line(&preparing->screen, buf_slice(&line));
}

/* False: standard error says why. */
static bool connect(struct preparing *preparing)
{
    char words[CLIENT_REASON_MAX] = "";
    int brokers = 0;
    preparing->client = client_new(preparing->settings, words);
    if (preparing->client == NULL) {
        (void)fprintf(stderr, "bedrock-worker topics: %s\n", words);
        return false;
    }
    if (client_brokers(preparing->client, CONNECT_MS, &brokers) != OK) {
        (void)fprintf(stderr, "bedrock-worker topics: %s; check %s\n",
                      client_reason(preparing->client), client_suspects(preparing->client));
        return false;
    }
    preparing->partitions =
        partitions_wanted > 0 ? (int32_t)partitions_wanted : TOPIC_PLAN_PARTITIONS;
    preparing->replicas =
        replicas_wanted > 0 ? (int32_t)replicas_wanted : topic_plan_replicas(brokers);
    return true;
}

static int run(void)
{
    struct preparing preparing = {.there = 0};
    struct settings *settings = settings_options_load(&settings_options, true, NULL);
    if (settings == NULL)
        return EXIT_USAGE;
    preparing.settings = settings;
    screen_init(&preparing.screen, stdout, LABEL_COLUMNS);
    preparing.screen.pipe_columns = SIZE_MAX;
    bool is_connected = connect(&preparing);
    if (is_connected) {
        prepare_all(&preparing);
        show_counts(&preparing);
    }
    client_free(preparing.client);
    settings_options_free(settings);
    bool is_good = is_connected && preparing.failures == 0 && (creates || preparing.missing == 0);
    return is_good ? EXIT_DONE : EXIT_FAILED;
}

const struct command command_topics = {
    .name = "topics",
    .summary = "show what the worker's topics lack, and create them",
    .synopsis = "[--create] [--partitions N] [--replication N] [--reply TOPIC]... "
                "[--set PATH=VALUE]... [-c FILE | FILE]",
    .description =
        "Compares the topics of the settings, reply topics too, with what they need: "
        "cleanup.policy, retention.ms, min.insync.replicas, and max.message.bytes for requests "
        "and dead letters (delivery.max_request_size) and for responses "
        "(bedrock.max_answer_size and 64 KiB). With --create it creates those that are missing. "
        "It changes no topic that exists, and may be repeated. Without --create it ends with 1 "
        "when a topic is missing.\n\n"
        "The user needs the rights Create and DescribeConfigs on the topics.",
    .examples = "  bedrock-worker topics worker.yaml\n"
                "  bedrock-worker topics --create --partitions 32 worker.yaml\n"
                "  bedrock-worker topics --create --reply replies.shop worker.yaml\n",
    .options = {OPTIONS, COUNT_OF(OPTIONS), "FILE", &settings_options.argument, NULL, NULL},
    .run = run,
};
