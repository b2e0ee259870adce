/* Checks settings that may contradict each other. Each problem points to a setting that the user
 * has set. A check skips invalid values, because they are not what the user means. */
#include "app/settings/parts.h"

#include <stdio.h>

#include "app/settings/topics.h"
#include "app/settings/trial.h"

/* A pair of which the first value must not exceed the second. */
struct order {
    const char *small_path, *big_path;
    struct place small_place, big_place;
    int64_t small, big;
    bool may_be_equal;
    bool is_known; /* both are valid */
};

#define ORDER(settings, small_member, small_name, big_member, big_name, equal)                     \
    {                                                                                              \
        (small_name), (big_name), (settings)->at.small_member, (settings)->at.big_member,          \
            (settings)->small_member, (settings)->big_member, (equal),                             \
            !(settings)->is_wrong.small_member && !(settings)->is_wrong.big_member                 \
    }

static void check_order(const struct order *order, struct problems *problems)
{
    if (!order->is_known || order->small < order->big ||
        (order->may_be_equal && order->small == order->big))
        return;
    bool is_small = order->small_place.line > 0 || order->big_place.line == 0;
    problems_add(problems, is_small ? order->small_place : order->big_place,
                 slice_of_text(is_small ? order->small_path : order->big_path),
                 "%s must %s %s; change one of them", order->small_path,
                 order->may_be_equal ? "not be above" : "be below", order->big_path);
}

static void check_orders(const struct settings *s, struct problems *problems)
{
    const struct order orders[] = {
        ORDER(s, delivery_max_in_flight, "delivery.max_in_flight", delivery_max_held,
              "delivery.max_held", true),
        ORDER(s, delivery_batch_size, "delivery.batch_size", delivery_max_held_bytes,
              "delivery.max_held_bytes", true),
        ORDER(s, delivery_commit_interval_ms, "delivery.commit_interval",
              kafka_transaction_timeout_ms, "kafka.transaction_timeout", false),
        ORDER(s, kafka_session_timeout_ms, "kafka.session_timeout", kafka_max_poll_interval_ms,
              "kafka.max_poll_interval", true),
        ORDER(s, delivery_drain_timeout_ms, "delivery.drain_timeout", kafka_max_poll_interval_ms,
              "kafka.max_poll_interval", false),
        ORDER(s, bedrock_timeouts_connect_ms, "bedrock.timeouts.connect", bedrock_timeouts_total_ms,
              "bedrock.timeouts.total", true),
        ORDER(s, bedrock_timeouts_first_byte_ms, "bedrock.timeouts.first_byte",
              bedrock_timeouts_total_ms, "bedrock.timeouts.total", true),
        ORDER(s, bedrock_timeouts_idle_ms, "bedrock.timeouts.idle", bedrock_timeouts_total_ms,
              "bedrock.timeouts.total", true),
        ORDER(s, bedrock_retry_transient_base_ms, "bedrock.retry.transient_base",
              bedrock_retry_max_delay_ms, "bedrock.retry.max_delay", true),
        ORDER(s, bedrock_retry_throttle_base_ms, "bedrock.retry.throttle_base",
              bedrock_retry_max_delay_ms, "bedrock.retry.max_delay", true),
    };
    for (size_t i = 0; i < COUNT_OF(orders); i++)
        check_order(&orders[i], problems);
}

static bool is_listed_before(const struct setting_list *list, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (slice_equal(list->items[i], list->items[index]))
            return true;
    }
    return false;
}

/* Two settings that name the same topic: path and place of the one that the user has set. */
static enum topic written_by_user(const struct settings *s, enum topic wanted, enum topic other)
{
    return topic_place(s, wanted).line > 0 ? wanted : other;
}

/* Each topic must have one use, because clients tell records apart by their topic. Invalid names
 * are null. */
static void check_outputs(const struct settings *s, enum topic a, enum topic b,
                          struct problems *problems)
{
    struct slice name = *topic_names(s, a).items;
    enum topic written = written_by_user(s, b, a);
    if (name.ptr == NULL || !slice_equal(name, *topic_names(s, b).items))
        return;
    problems_add(problems, topic_place(s, written), slice_of_text(topic_path(written)),
                 "topic %.*s is %s and %s: its readers cannot distinguish the records; use two "
                 "topics",
                 SLICE_ARG(name), topic_path(a), topic_path(b));
}

/* No output topic may be a request topic: the worker would answer its own output for ever. */
static void check_input(const struct settings *s, struct slice name, struct problems *problems)
{
    for (enum topic output = 0; output < TOPIC_COUNT; output++) {
        if (!topic_is_output(output) || !slice_equal(name, *topic_names(s, output).items))
            continue;
        enum topic written = written_by_user(s, output, TOPIC_REQUESTS);
        problems_add(problems, topic_place(s, written), slice_of_text(topic_path(written)),
                     "topic %.*s is in %s and %s: its records would become requests again; use "
                     "two topics",
                     SLICE_ARG(name), topic_path(TOPIC_REQUESTS), topic_path(output));
    }
}

static void check_topics(const struct settings *s, struct problems *problems)
{
    const struct setting_list *requests = &s->topics_requests;
    for (enum topic a = 0; a < TOPIC_COUNT; a++) {
        for (enum topic b = a + 1; b < TOPIC_COUNT && topic_is_output(a); b++) {
            bool is_used = topic_is_used(s, b) || s->is_wrong.delivery_dead_letters;
            if (topic_is_output(b) && is_used)
                check_outputs(s, a, b, problems);
        }
    }
    for (size_t i = 0; i < requests->count; i++) {
        if (!is_listed_before(requests, i))
            check_input(s, requests->items[i], problems);
        else
            problems_add(problems, s->at.topics_requests, SLICE("topics.requests"),
                         "topic %.*s is there twice; keep one", SLICE_ARG(requests->items[i]));
    }
}

static const struct model_alias *find_alias(const struct settings *s, struct slice name)
{
    for (size_t i = 0; i < s->models_aliases.count; i++) {
        if (slice_equal(s->models_aliases.list[i].name, name))
            return &s->models_aliases.list[i];
    }
    return NULL;
}

/* An invalid alias has its problem at its place. */
static void check_models(const struct settings *s, struct problems *problems)
{
    struct trial trial OWNED_BY(trial_done);
    struct catalog catalog = {
        .default_model = s->models_default,
        .aliases = s->models_aliases.list,
        .alias_count = s->models_aliases.count,
    };
    bool is_known = !s->is_wrong.models_default &&
                    (!s->is_wrong.models_aliases || s->models_aliases.list != NULL);
    trial_init(&trial);
    if (s->models_default.len > 0 && is_known && find_alias(s, s->models_default) == NULL &&
        trial_model(&trial, &catalog) != OK)
        problems_add(problems, s->at.models_default, SLICE("models.default"), "%s",
                     trial_reason(&trial));
}

/* Quotas are of models: several aliases may call one. */
static void check_quotas(const struct settings *s, struct problems *problems)
{
    const struct setting_quotas *quotas = &s->quotas;
    for (size_t i = 0; i < quotas->rows.count && !s->is_wrong.quotas; i++) {
        struct slice model = quotas->rows.list[i].model;
        const struct model_alias *alias = find_alias(s, model);
        if (alias != NULL && alias->id.ptr != NULL && !slice_equal(alias->id, model))
            problems_add(problems, quotas->places[i], SLICE("quotas"),
                         "%.*s is an alias; a quota is of the id that is called, %.*s",
                         SLICE_ARG(model), SLICE_ARG(alias->id));
    }
}

static void check_switches(const struct settings *s, struct problems *problems)
{
    const struct settings_marks *wrong = &s->is_wrong;
    bool are_dead_letters_off = !s->delivery_dead_letters && !wrong->delivery_dead_letters;
    if (!s->delivery_error_responses && !wrong->delivery_error_responses && are_dead_letters_off)
        problems_add(problems, s->at.delivery_dead_letters, SLICE("delivery.dead_letters"),
                     "is off, and so is delivery.error_responses: failed requests would vanish; "
                     "turn one of them on");
    if (s->kafka_static_membership && s->kafka_instance.len == 0 && !wrong->kafka_instance)
        problems_add(problems, s->at.kafka_static_membership, SLICE("kafka.static_membership"),
                     "needs a name that stays after a restart; set kafka.instance");
    if (s->bedrock_endpoint_url.len > 0 && s->bedrock_fips)
        problems_add(problems, s->at.bedrock_fips, SLICE("bedrock.fips"),
                     "has no effect beside bedrock.endpoint_url; remove one of them");
    if (s->bedrock_endpoint_url.len > 0 && s->bedrock_dual_stack)
        problems_add(problems, s->at.bedrock_dual_stack, SLICE("bedrock.dual_stack"),
                     "has no effect beside bedrock.endpoint_url; remove one of them");
}

/* Places and paths of kafka.identity, which serves one way to log in only. */
static void check_kafka_auth(const struct settings *s, struct problems *problems)
{
    const struct {
        const char *path;
        struct slice value;
        struct place place;
    } rows[] = {
        {"kafka.region", s->kafka_region, s->at.kafka_region},
        {"kafka.identity.profile", s->kafka_identity_profile, s->at.kafka_identity_profile},
        {"kafka.identity.role_arn", s->kafka_identity_role_arn, s->at.kafka_identity_role_arn},
    };
    bool is_known = !s->is_wrong.kafka_auth && !s->is_wrong.kafka_client;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (is_known && rows[i].value.len > 0 && settings_kafka_auth(s) != KAFKA_AUTH_MSK_IAM)
            problems_add(problems, rows[i].place, slice_of_text(rows[i].path),
                         "has no effect without kafka.auth: aws_msk_iam; set that too");
    }
    struct slice external_id = s->kafka_identity_external_id;
    if (external_id.len > 0 && s->kafka_identity_role_arn.len == 0 &&
        !s->is_wrong.kafka_identity_role_arn)
        problems_add(problems, s->at.kafka_identity_external_id,
                     SLICE("kafka.identity.external_id"),
                     "has no effect without kafka.identity.role_arn; set that too");
}

/* Properties that contradict the login to MSK: librdkafka would never log in, or otherwise. */
static void check_msk_properties(const struct settings *s, struct problems *problems)
{
    const struct {
        const char *path;
        const struct setting_properties *written;
    } maps[] = {{"kafka.client", &s->kafka_client},
                {"kafka.consumer", &s->kafka_consumer},
                {"kafka.producer", &s->kafka_producer}};
    for (size_t i = 0; i < COUNT_OF(maps); i++) {
        for (size_t j = 0; j < maps[i].written->set.count; j++) {
            const struct kafka_property *property = &maps[i].written->set.list[j];
            bool is_other = slice_equal_text(property->name, "security.protocol") &&
                            !slice_equal_nocase(slice_sub(property->value, 0, 5), SLICE("sasl_"));
            bool is_mechanism = slice_equal_text(property->name, "sasl.mechanism") ||
                                slice_equal_text(property->name, "sasl.mechanisms");
            is_other |= is_mechanism && !kafka_property_is_msk_iam(property) &&
                        !slice_equal_text(property->value, "OAUTHBEARER");
            char path[PROBLEM_PATH_MAX];
            (void)snprintf(path, sizeof path, "%s.%.*s", maps[i].path, SLICE_ARG(property->name));
            if (is_other)
                problems_add(problems, maps[i].written->places[j], slice_of_text(path),
                             "contradicts kafka.auth: aws_msk_iam, which logs in by SASL_SSL and "
                             "OAUTHBEARER; remove one of them");
        }
    }
}

static void check_client_key(const struct settings *s, struct problems *problems)
{
    if (s->bedrock_client_key.len > 0 && s->bedrock_client_certificate.len == 0 &&
        !s->is_wrong.bedrock_client_certificate)
        problems_add(problems, s->at.bedrock_client_key, SLICE("bedrock.client_key"),
                     "has no effect without bedrock.client_certificate; set that too");
    if (s->bedrock_client_key_password.len > 0 && s->bedrock_client_certificate.len == 0 &&
        !s->is_wrong.bedrock_client_certificate)
        problems_add(problems, s->at.bedrock_client_key_password,
                     SLICE("bedrock.client_key_password"),
                     "has no effect without bedrock.client_certificate; set that too");
}

bool settings_have_clients(const struct settings *settings)
{
    const struct settings_marks *wrong = &settings->is_wrong;
    return !wrong->kafka_client && !wrong->kafka_consumer && !wrong->kafka_producer &&
           !wrong->kafka_bootstrap_servers && !wrong->kafka_group_id && !wrong->kafka_instance &&
           settings->kafka_group_id.len > 0;
}

/* librdkafka properties may override settings, so this compares the values that the clients get. */
static void check_kafka(const struct settings *s, struct problems *problems)
{
    const struct settings_marks *wrong = &s->is_wrong;
    struct kafka_config config;
    if (!settings_have_clients(s))
        return;
    settings_kafka_config(s, SLICE("checked"), &config);
    int64_t max_poll_ms = kafka_conf_number(&config, KAFKA_CONSUMER, "max.poll.interval.ms");
    int64_t transaction_ms = s->kafka_transaction_timeout_ms;
    if (s->delivery_guarantee == GUARANTEE_EXACTLY_ONCE)
        transaction_ms = kafka_conf_number(&config, KAFKA_PUBLISHER, "transaction.timeout.ms");
    if (max_poll_ms < 0 || transaction_ms < 0) {
        problems_add(problems, s->at.kafka_client, SLICE("kafka"),
                     "librdkafka rejects these properties together; remove some of "
                     "kafka.client, kafka.consumer or kafka.producer");
        return;
    }
    /* Another check compares the values of the settings themselves. */
    if (max_poll_ms != s->kafka_max_poll_interval_ms && !wrong->kafka_max_poll_interval_ms &&
        s->delivery_drain_timeout_ms >= max_poll_ms)
        problems_add(problems, s->at.delivery_drain_timeout_ms, SLICE("delivery.drain_timeout"),
                     "must be below max.poll.interval.ms (%lld ms), or the group takes partitions "
                     "away before their calls end; change one of them",
                     (long long)max_poll_ms);
    if (transaction_ms != s->kafka_transaction_timeout_ms && !wrong->kafka_transaction_timeout_ms &&
        s->delivery_commit_interval_ms >= transaction_ms)
        problems_add(problems, s->at.delivery_commit_interval_ms, SLICE("delivery.commit_interval"),
                     "must be below transaction.timeout.ms (%lld ms); change one of them",
                     (long long)transaction_ms);
}

/* The place of a property of a client, whose map wins over the common one. */
static bool find_property(const struct settings *s, bool is_consumers, const char *name,
                          struct place *ret_place, const char **ret_path)
{
    const struct {
        const struct setting_properties *written;
        const char *path;
    } maps[] = {{is_consumers ? &s->kafka_consumer : &s->kafka_producer,
                 is_consumers ? "kafka.consumer" : "kafka.producer"},
                {&s->kafka_client, "kafka.client"}};
    for (size_t i = 0; i < COUNT_OF(maps); i++) {
        for (size_t j = 0; j < maps[i].written->set.count; j++) {
            if (!slice_equal_text(maps[i].written->set.list[j].name, name))
                continue;
            *ret_place = maps[i].written->places[j];
            *ret_path = maps[i].path;
            return true;
        }
    }
    return false;
}

/* After a stall the engine gives the group a third of the session time-out to report a lost
 * membership. */
static void check_heartbeat(const struct settings *s, struct problems *problems)
{
    static const char *const NAMES[] = {"heartbeat.interval.ms", "session.timeout.ms"};
    struct kafka_config config;
    struct place place;
    const char *map;
    char path[PROBLEM_PATH_MAX];
    if (!settings_have_clients(s))
        return;
    settings_kafka_config(s, SLICE("checked"), &config);
    int64_t heartbeat_ms = kafka_conf_number(&config, KAFKA_CONSUMER, NAMES[0]);
    int64_t session_ms = kafka_conf_number(&config, KAFKA_CONSUMER, NAMES[1]);
    if (heartbeat_ms < 0 || session_ms < 0 || heartbeat_ms <= session_ms / 3)
        return;
    size_t written = find_property(s, true, NAMES[0], &place, &map) ? 0 : 1;
    if (written == 1 && !find_property(s, true, NAMES[1], &place, &map))
        return;
    (void)snprintf(path, sizeof path, "%s.%s", map, NAMES[written]);
    problems_add(problems, place, slice_of_text(path),
                 "heartbeats every %lld ms are more than a third of the session's %lld ms apart: a "
                 "worker that lost its partitions would learn of it too late; remove it, and set "
                 "kafka.session_timeout",
                 (long long)heartbeat_ms, (long long)session_ms);
}

/* librdkafka must not reject an output as too large, because the worker could never publish it. */
static void check_record_size(const struct settings *s, struct problems *problems)
{
    static const char NAME[] = "message.max.bytes";
    struct kafka_config config;
    struct place place;
    const char *map;
    char path[PROBLEM_PATH_MAX];
    if (!settings_have_clients(s) || !find_property(s, false, NAME, &place, &map))
        return;
    settings_kafka_config(s, SLICE("checked"), &config);
    int64_t written = kafka_conf_number(&config, KAFKA_PUBLISHER, NAME);
    config.client = config.producer = (struct kafka_properties){NULL, 0};
    int64_t needed = kafka_conf_number(&config, KAFKA_PUBLISHER, NAME);
    (void)snprintf(path, sizeof path, "%s.%s", map, NAME);
    if (written >= 0 && written < needed)
        problems_add(problems, place, slice_of_text(path),
                     "must be at least %lld: responses, usage and dead letters may be that large "
                     "(bedrock.max_answer_size, delivery.max_request_size), and librdkafka "
                     "would reject larger ones; remove it",
                     (long long)needed);
}

static void check_identity(const struct settings *s, struct problems *problems)
{
    const struct settings_marks *wrong = &s->is_wrong;
    const struct setting_identity identity = settings_default_identity(s);
    struct place place = s->at.bedrock_identity_token_file;
    if (s->bedrock_identity_external_id.len > 0)
        place = s->at.bedrock_identity_external_id;
    else if (s->bedrock_identity_session_name.len > 0)
        place = s->at.bedrock_identity_session_name;
    else if (s->bedrock_identity_session_tags.count > 0)
        place = s->at.bedrock_identity_session_tags;
    if (!wrong->bedrock_identity_role_arn && !wrong->bedrock_identity_external_id &&
        !wrong->bedrock_identity_session_name && !wrong->bedrock_identity_session_tags)
        settings_check_identity(problems, place, SLICE("bedrock.identity"), &identity);
}

/* Budgets in money need prices in their currency. */
static void check_budget(const struct settings *s, const struct budget_rules *rules,
                         struct problems *problems)
{
    if (rules->per == BUDGET_NONE || !rules->is_money)
        return;
    if (s->prices_file.file.len == 0)
        problems_add(problems, s->at.tenants, SLICE("tenants"),
                     "has a budget in %s, and prices.file names no price file; set it, or give the "
                     "budget in tokens",
                     rules->currency);
    else if (!slice_equal_text(slice_of_text(rules->currency), s->prices_file.table.currency))
        problems_add(problems, s->at.tenants, SLICE("tenants"),
                     "has a budget in %s, and the prices of %.*s are in %s; use one currency",
                     rules->currency, SLICE_ARG(s->prices_file.file),
                     s->prices_file.table.currency);
}

static void check_budgets(const struct settings *s, struct problems *problems)
{
    const struct tenant_table *table = &s->tenants.table;
    if (s->is_wrong.tenants || s->is_wrong.prices_file)
        return;
    check_budget(s, &table->others.budget, problems);
    for (size_t i = 0; i < table->count; i++)
        check_budget(s, &table->rows[i].budget, problems);
}

void settings_check_relations(const struct settings *settings, struct problems *problems)
{
    check_orders(settings, problems);
    check_topics(settings, problems);
    check_models(settings, problems);
    check_quotas(settings, problems);
    check_budgets(settings, problems);
    check_identity(settings, problems);
    check_switches(settings, problems);
    check_client_key(settings, problems);
    check_kafka_auth(settings, problems);
    if (settings_kafka_auth(settings) == KAFKA_AUTH_MSK_IAM)
        check_msk_properties(settings, problems);
    check_kafka(settings, problems);
    check_heartbeat(settings, problems);
    check_record_size(settings, problems);
}
