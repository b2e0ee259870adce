/* `bedrock-worker check`: are the settings good, and (--connect) is there what they name? */
#include "app/commands.h"

#include <stdio.h>
#include <string.h>

#include "app/assembly.h"
#include "app/kafka_client.h"
#include "app/probe.h"
#include "io/credentials.h"
#include "wire/endpoint.h"

#define CONNECT_MS 10000
#define POLICY_MS  3000 /* librdkafka's in-memory cluster never answers */

struct checking {
    const struct settings *settings;
    struct client *client;
    bool is_policy_told; /* brokers say what properties topics have */
    size_t failures;
};

static void tell(struct checking *checking, bool is_good, const char *what, const char *words)
{
    (void)printf("%s  %s: %s\n", is_good ? "ok  " : "FAIL", what, words);
    (void)fflush(stdout);
    checking->failures += !is_good;
}

/* librdkafka's words say at which step a connection failed. */
static const char *suspect_of(const char *words)
{
    bool is_security = strstr(words, "SASL") != NULL || strstr(words, "SSL") != NULL ||
                       strstr(words, "security.protocol") != NULL;
    return is_security ? "security.protocol, sasl.* and ssl.* in kafka.client"
                       : "kafka.bootstrap_servers";
}

static bool check_brokers(struct checking *checking)
{
    char words[CLIENT_WORDS_MAX] = "";
    int count = 0;
    checking->client = client_new(checking->settings, words);
    if (checking->client == NULL) {
        tell(checking, false, "brokers", words);
        return false;
    }
    bool is_there = client_brokers(checking->client, CONNECT_MS, &count) == OK;
    if (is_there)
        (void)snprintf(words, sizeof words, "%d at %.*s", count,
                       SLICE_ARG(checking->settings->kafka_bootstrap_servers));
    else
        (void)snprintf(words, sizeof words, "%.400s; check %s", client_words(checking->client),
                       suspect_of(client_words(checking->client)));
    tell(checking, is_there, "brokers", words);
    return is_there;
}

/* A topic that is there, as an output. A compacted one takes no record without a key, and keeps one
 * record of each key. */
static bool is_compacted(struct checking *checking, struct slice topic, char *ret_policy,
                         size_t room)
{
    ret_policy[0] = '\0';
    if (!checking->is_policy_told)
        return false;
    enum err err = client_topic_property(checking->client, topic, "cleanup.policy", POLICY_MS,
                                         ret_policy, room);
    checking->is_policy_told = err != ERR_IO;
    return err == OK && strstr(ret_policy, "compact") != NULL;
}

static void tell_missing(struct checking *checking, const char *path, struct slice topic,
                         enum err err)
{
    char words[CLIENT_WORDS_MAX + 768];
    if (err == ERR_NOT_FOUND)
        (void)snprintf(
            words, sizeof words,
            "%.*s is not there; create it (kafka-topics.sh --create --topic %.*s --partitions "
            "16)",
            SLICE_ARG(topic), SLICE_ARG(topic));
    else if (err == ERR_NOT_ALLOWED)
        (void)snprintf(words, sizeof words, "%.*s may not be described; grant READ or WRITE on it",
                       SLICE_ARG(topic));
    else
        (void)snprintf(words, sizeof words, "%.*s: %s", SLICE_ARG(topic),
                       client_words(checking->client));
    tell(checking, false, path, words);
}

static void check_topic(struct checking *checking, const char *path, struct slice topic,
                        bool is_output)
{
    char words[1024], policy[64] = "";
    int32_t partitions = 0;
    enum err err = client_topic(checking->client, topic, CONNECT_MS, &partitions);
    if (err != OK) {
        tell_missing(checking, path, topic, err);
        return;
    }
    bool serves = !is_output || !is_compacted(checking, topic, policy, sizeof policy);
    if (serves)
        (void)snprintf(words, sizeof words, "%.*s, %d partition%s", SLICE_ARG(topic),
                       (int)partitions, partitions == 1 ? "" : "s");
    else
        (void)snprintf(words, sizeof words,
                       "%.*s has cleanup.policy=%s: the broker refuses records without a key "
                       "there, and results are held; use cleanup.policy=delete (kafka-configs.sh "
                       "--alter --topic %.*s --add-config cleanup.policy=delete)",
                       SLICE_ARG(topic), policy, SLICE_ARG(topic));
    tell(checking, serves, path, words);
}

static void check_topics(struct checking *checking)
{
    const struct settings *settings = checking->settings;
    for (size_t i = 0; i < settings->topics_requests.count; i++)
        check_topic(checking, "topics.requests", settings->topics_requests.items[i], false);
    check_topic(checking, "topics.responses", settings->topics_responses, true);
    check_topic(checking, "topics.chunks", settings->topics_chunks, true);
    check_topic(checking, "topics.usage", settings->topics_usage, true);
    if (settings->delivery_dead_letters)
        check_topic(checking, "topics.dead_letters", settings->topics_dead_letters, true);
}

/* A TCP connection alone: a call would cost money. */
static void check_endpoint(struct checking *checking, const struct engine_config *engine)
{
    struct buf url OWNED_BY(buf_done);
    struct endpoint endpoint;
    char words[PROBE_WORDS_MAX + 256] = "", why[PROBE_WORDS_MAX] = "";
    int64_t took_ms = 0;
    buf_init(&url, 4096);
    bool is_known = true;
    if (engine->endpoint_url.ptr != NULL)
        buf_add(&url, engine->endpoint_url);
    else
        is_known = endpoint_add_url(&url, engine->region, engine->fips, engine->dual_stack) == OK;
    struct slice proxy = checking->settings->bedrock_proxy;
    if (proxy.len > 0) {
        tell(checking, true, "endpoint", "is behind bedrock.proxy: not tried");
        return;
    }
    if (!is_known || endpoint_read(buf_slice(&url), &endpoint) != OK) {
        tell(checking, false, "endpoint", "no URL for this region; check bedrock.region");
        return;
    }
    const char *port = slice_equal_text(endpoint.scheme, "http") ? "80" : "443";
    bool is_there = probe_tcp(endpoint.host, port, CONNECT_MS, &took_ms, why) == OK;
    if (is_there)
        (void)snprintf(words, sizeof words, "%.200s accepts connections (%lld ms)", buf_text(&url),
                       (long long)took_ms);
    else
        (void)snprintf(words, sizeof words,
                       "%.200s: %s; check network, proxy and bedrock.endpoint_url", buf_text(&url),
                       why);
    tell(checking, is_there, "endpoint", words);
}

/* That there are some: whether Bedrock takes them, only a call could tell. */
static void check_credentials(struct checking *checking, const struct aws_environment *aws)
{
    struct credentials_store store OWNED_BY(credentials_done);
    char words[AWS_WORDS_MAX + 32];
    credentials_init(&store);
    enum err err = credentials_load(&store, aws);
    (void)snprintf(words, sizeof words, "%s%s",
                   err == OK ? "from " : "none usable: ", err == OK ? store.source : store.words);
    tell(checking, err == OK, "credentials", words);
}

/* What run would refuse to start without. false: it was told. */
static bool check_environment(struct checking *checking, struct assembly *ret_assembly)
{
    char words[ASSEMBLY_WORDS_MAX] = "";
    bool is_good = assembly_make(checking->settings, ret_assembly, words);
    tell(checking, is_good, "region", is_good ? ret_assembly->region : words);
    return is_good;
}

int command_check(const struct arguments *arguments)
{
    struct settings *settings = commands_check_settings(arguments);
    if (settings == NULL)
        return EXIT_USAGE;
    const char *file = commands_settings_file(arguments);
    (void)printf("ok    settings: %s\n", file != NULL ? file : "the defaults (no file was named)");
    static struct assembly assembly;
    struct checking checking = {.settings = settings, .is_policy_told = true};
    bool can_start = check_environment(&checking, &assembly);
    if (arguments->connect) {
        if (check_brokers(&checking))
            check_topics(&checking);
        if (can_start) {
            check_credentials(&checking, &assembly.aws);
            check_endpoint(&checking, &assembly.engine);
        }
        client_free(checking.client);
    }
    assembly_done(&assembly);
    commands_free_settings(settings);
    if (!can_start)
        return EXIT_USAGE;
    return checking.failures == 0 ? EXIT_DONE : EXIT_FAILED;
}
