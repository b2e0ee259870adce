/* `bedrock-worker redrive`: the options of app/redrive/redrive.c. */
#include "app/redrive/redrive.h"

#include <stdio.h>
#include <string.h>

#include "app/books/period.h"
#include "app/commands/commands.h"
#include "app/commands/settings_options.h"
#include "base/secrets.h"
#include "io/loop/clock.h"
#include "wire/formats/text.h"

#define RATE_MAX      100000
#define RATE_DEFAULT  10
#define LIMIT_DEFAULT 3
#define LIMIT_MAX     1000000

static struct settings_options settings_options;
static struct redrive_options options = {.limit = LIMIT_DEFAULT};
static struct option_texts codes, ids, keys, tenants;
static const char *rate, *since, *until;

static const struct command_option OPTIONS[] = {
    SETTINGS_OPTION_ROWS(settings_options),
    {
        .name = "code",
        .value = "CODE",
        .kind = OPTION_TEXTS,
        .into.texts = &codes,
        .description = "Dead letters with this bedrock-error-code, or of this exception (Spring's "
                       "class name). May be repeated: one of them.",
    },
    {
        .name = "retryable",
        .kind = OPTION_FLAG,
        .into.flag = &options.filter.only_retryable,
        .description = "Dead letters whose code says that the same request may succeed later.",
    },
    {
        .name = "since",
        .value = "TIME",
        .kind = OPTION_TEXT,
        .into.text = &since,
        .description = "Dead letters written at this time or later: 2026-11-22T10:00:00Z, a day "
                       "(2026-11-22), a month (2026-11), or a duration before now (36h, 30d).",
    },
    {
        .name = "until",
        .value = "TIME",
        .kind = OPTION_TEXT,
        .into.text = &until,
        .description = "Dead letters written before this time, likewise.",
    },
    {
        .name = "id",
        .value = "ID",
        .kind = OPTION_TEXTS,
        .into.texts = &ids,
        .description = "Requests with this id. May be repeated.",
    },
    {
        .name = "key",
        .value = "KEY",
        .kind = OPTION_TEXTS,
        .into.texts = &keys,
        .description = "Requests with this record key. May be repeated.",
    },
    {
        .name = "tenant",
        .value = "TENANT",
        .kind = OPTION_TEXTS,
        .into.texts = &tenants,
        .description = "Requests of this tenant. May be repeated.",
    },
    {
        .name = "topic",
        .value = "TOPIC",
        .kind = OPTION_TEXT,
        .into.text = &options.topic,
        .description = "Read dead letters from this topic, such as one that Spring Kafka wrote. "
                       "Default: topics.dead_letters.",
    },
    {
        .name = "rate",
        .value = "N/s",
        .kind = OPTION_TEXT,
        .into.text = &rate,
        .description = "Requests a second. Default 10/s; 0 is as fast as it goes.",
    },
    {
        .name = "max",
        .value = "N",
        .kind = OPTION_COUNT,
        .max = INT64_MAX,
        .into.number = &options.max,
        .description = "Redrive at most this many. Default 0: all.",
    },
    {
        .name = "limit",
        .value = "N",
        .kind = OPTION_COUNT,
        .max = LIMIT_MAX,
        .into.number = &options.limit,
        .description = "Leave or park requests that were redriven this often. Default 3.",
    },
    {
        .name = "park",
        .value = "TOPIC",
        .kind = OPTION_TEXT,
        .into.text = &options.park,
        .description = "Move dead letters over the limit, as they are, to this topic.",
    },
    {
        .name = "yes",
        .kind = OPTION_FLAG,
        .into.flag = &options.sends,
        .description = "Redrive. Without it the command only counts.",
    },
};

static bool wrong(const char *option, const char *value, const char *want)
{
    char shown[256];
    (void)snprintf(shown, sizeof shown, "%.200s", value);
    secrets_mask(shown);
    (void)fprintf(stderr, "bedrock-worker redrive: --%s %s: expected %s\n", option, shown, want);
    return false;
}

/* A number with or without `/s`. */
static bool read_rate(void)
{
    struct slice text = slice_of_text(rate != NULL ? rate : "");
    options.rate = RATE_DEFAULT;
    if (rate == NULL)
        return true;
    if (slice_ends(text, SLICE("/s")))
        text = slice_sub(text, 0, text.len - 2);
    bool is_number =
        slice_to_int64(text, &options.rate) && options.rate >= 0 && options.rate <= RATE_MAX;
    return is_number || wrong("rate", rate,
                              "a number of requests a second from 0 to 100000, such "
                              "as 50/s");
}

static bool read_time(const char *option, const char *value, int64_t otherwise, int64_t *ret_ms)
{
    *ret_ms = otherwise;
    return value == NULL || period_read_time(slice_of_text(value), clock_wall_ms(), ret_ms) ||
           wrong(option, value, PERIOD_TIME_WORDS);
}

static bool read_window(void)
{
    struct choice_filter *filter = &options.filter;
    return read_time("since", since, INT64_MIN, &filter->since_ms) &&
           read_time("until", until, INT64_MAX, &filter->until_ms) &&
           (filter->since_ms < filter->until_ms ||
            wrong("until", until != NULL ? until : "", "a time after that of --since"));
}

static bool is_topic(const char *option, const char *topic)
{
    return topic == NULL || text_is_topic(slice_of_text(topic)) ||
           wrong(option, topic, "the name of a topic");
}

static int run(void)
{
    options.filter.codes = (struct choice_words){codes.list, codes.count};
    options.filter.ids = (struct choice_words){ids.list, ids.count};
    options.filter.keys = (struct choice_words){keys.list, keys.count};
    options.filter.tenants = (struct choice_words){tenants.list, tenants.count};
    if (!read_rate() || !read_window() || !is_topic("topic", options.topic) ||
        !is_topic("park", options.park))
        return EXIT_USAGE;
    struct settings *settings = settings_options_load(&settings_options, true, NULL);
    if (settings == NULL)
        return EXIT_USAGE;
    int code = redrive_run(settings, &options);
    settings_options_free(settings);
    return code;
}

const struct command command_redrive = {
    .name = "redrive",
    .summary = "send dead letters back to their request topics",
    .synopsis = "[--code CODE]... [--retryable] [--since TIME] [--until TIME] [--id ID]... "
                "[--key KEY]... [--tenant TENANT]... [--topic TOPIC] [--rate N/s] [--max N] "
                "[--limit N] [--park TOPIC] [--yes] [--set PATH=VALUE]... [-c FILE | FILE]",
    .description =
        "Reads the dead letters up to the present end of the topic, and counts those that the "
        "filters choose by code. With --yes it sends each back to the topic that its request came "
        "from (which topics.requests must name): key, value and headers as they came, without the "
        "headers that say why it failed, and with bedrock-redrives counted up. What was left out "
        "of a dead letter for its size is read again at its original offset.\n\n"
        "Requests and progress are one Kafka transaction: a run that is interrupted or killed "
        "loses nothing and sends nothing twice; run it again. The progress is committed under the "
        "consumer group and the transactional id `<kafka.group_id>-redrive`, for each letter, so "
        "that runs with different filters can follow each other. A second run ends the first. "
        "Brokers forget the progress offsets.retention.minutes after the last run.\n\n"
        "A redriven request has a new timestamp, from which ttl_ms counts again, and a new default "
        "id if it names none. Requests past their expires_at are left out. The user needs "
        "the rights Read on the dead letters, their request topics and the group, Write on the "
        "request topics, and Write and Describe on the transactional id.",
    .examples = "  bedrock-worker redrive --retryable worker.yaml\n"
                "  bedrock-worker redrive --code throttled --since 36h --yes worker.yaml\n"
                "  bedrock-worker redrive --park bedrock.parked --yes worker.yaml\n",
    .options = {OPTIONS, COUNT_OF(OPTIONS), "FILE", &settings_options.argument, NULL, NULL},
    .run = run,
};
