#include "app/assembly.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "app/settings/learn.h"
#include "app/settings/topics.h"
#include "base/random.h"
#include "base/uuid.h"
#include "engine/budgets.h"
#include "io/aws/alone.h"
#include "io/aws/chain.h"
#include "io/aws/instance.h"
#include "wire/formats/proxy.h"
#include "wire/formats/text.h"

/* A load balancer may have dropped a pooled connection that was idle for longer (AWS drops after
 * 350 s). */
#define IDLE_CONNECTION_MS 60000
/* Where there is no instance, a program that lacks a region says so after three of these. */
#define INSTANCE_CONNECT_MS 1000
/* Connections to brokers, and descriptors of libraries. */
#define OTHER_FILES 128
/* Memory of a call beside its body: curl's handle and buffers, TLS. Measured: about 60 KiB with
 * TLS.
 */
#define CALL_BYTES ((size_t)96 * 1024)
/* Memory of a partition beside its maps. */
#define PARTITION_BYTES ((size_t)8 * 1024)
/* Memory of a large request as a multiple of its size. Measured: 1.0 to 1.6. */
#define REQUEST_CHARGE 2
/* Memory of the rest of the process: code, libraries, log, metadata, stacks. */
#define PROCESS_BYTES ((size_t)48 * 1024 * 1024)

/* The last resort: an EC2 instance knows its region. */
static void ask_instance(struct assembly *assembly)
{
    const struct http_config http = {.connect_ms = INSTANCE_CONNECT_MS};
    struct search_ports ports;
    struct search search;
    struct buf region OWNED_BY(buf_done);
    buf_init(&region, TEXT_REGION_MAX);
    alone_ports(&http, &ports);
    search_init(&search, &assembly->aws, &ports);
    if (instance_find_region(&search, &region) != OK)
        return;
    slice_write(buf_slice(&region), assembly->aws.region, sizeof assembly->aws.region);
    slice_write(SLICE("the region of the EC2 instance"), assembly->aws.region_source,
                sizeof assembly->aws.region_source);
}

static bool find_region(const struct settings *settings, struct assembly *assembly,
                        char *ret_reason)
{
    struct slice region = settings->bedrock_region;
    assembly->at_fault = "region";
    if (region.len == 0 && assembly->aws.region[0] == '\0')
        ask_instance(assembly);
    if (region.len == 0)
        region = slice_of_text(assembly->aws.region);
    const char *fault = region.len > 0 ? settings_form_fault(FORM_REGION, region) : NULL;
    if (region.len == 0)
        (void)snprintf(
            ret_reason, ASSEMBLY_REASON_MAX,
            "no AWS region: set bedrock.region, AWS_REGION in the environment, or region in "
            "the profile");
    else if (fault != NULL)
        (void)snprintf(ret_reason, ASSEMBLY_REASON_MAX, "%s %s", assembly->aws.region_source,
                       fault);
    slice_write(region, assembly->region, sizeof assembly->region);
    return region.len > 0 && fault == NULL;
}

/* Finds the endpoint: all of it from the settings if they say anything about it, otherwise all of
 * it from the environment. */
static bool find_endpoint(const struct settings *settings, struct assembly *assembly,
                          char *ret_reason)
{
    struct slice url = settings->bedrock_endpoint_url;
    assembly->at_fault = "endpoint";
    assembly->engine.fips = settings->bedrock_fips;
    assembly->engine.dual_stack = settings->bedrock_dual_stack;
    const char *fault = NULL;
    if (url.len == 0 && !settings->bedrock_fips && !settings->bedrock_dual_stack) {
        url = slice_of_text(assembly->aws.endpoint_url);
        assembly->engine.fips = assembly->aws.fips;
        assembly->engine.dual_stack = assembly->aws.dual_stack;
        if (url.len > 0 && (assembly->aws.fips || assembly->aws.dual_stack))
            fault = "does not go with AWS_USE_FIPS_ENDPOINT or AWS_USE_DUALSTACK_ENDPOINT; set "
                    "bedrock.endpoint_url";
    }
    if (url.len > 0 && fault == NULL)
        fault = settings_form_fault(FORM_URL, url);
    if (fault != NULL)
        (void)snprintf(ret_reason, ASSEMBLY_REASON_MAX, "%s %s", assembly->aws.endpoint_source,
                       fault);
    slice_write(url, assembly->endpoint_url, sizeof assembly->endpoint_url);
    return fault == NULL;
}

/* Checks the CA bundle of the environment; the settings reader has checked that of the settings. */
static bool find_ca_bundle(const struct settings *settings, struct assembly *assembly,
                           char *ret_reason)
{
    struct slice file = slice_of_text(assembly->aws.ca_bundle);
    assembly->at_fault = "ca_bundle";
    if (settings->bedrock_ca_bundle.len > 0 || file.len == 0)
        return true;
    const char *fault = settings_form_fault(FORM_FILE, file);
    if (fault != NULL)
        (void)snprintf(ret_reason, ASSEMBLY_REASON_MAX, "%s %s", assembly->aws.ca_bundle_source,
                       fault);
    return fault == NULL;
}

/* Checks the proxies of the environment, which curl reads: those of the settings win over all. */
static bool check_proxies(const struct settings *settings, struct assembly *assembly,
                          char *ret_reason)
{
    static const char *const VARIABLES[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                            "ALL_PROXY"};
    assembly->at_fault = "proxy";
    for (size_t i = 0; i < COUNT_OF(VARIABLES) && settings->bedrock_proxy.len == 0; i++) {
        const char *value = aws_variable(&assembly->aws, VARIABLES[i]);
        if (value == NULL)
            continue;
        learn_proxy(slice_of_text(value));
        const char *fault = proxy_fault(slice_of_text(value), true);
        if (fault == NULL)
            continue;
        (void)snprintf(ret_reason, ASSEMBLY_REASON_MAX, "%s of the environment %s", VARIABLES[i],
                       fault);
        return false;
    }
    return true;
}

static void make_names(const struct settings *settings, struct assembly *ret_assembly,
                       uint64_t seed)
{
    struct slice group = settings->kafka_group_id, instance = settings->kafka_instance;
    struct random random;
    struct uuid uuid;
    random_init(&random, seed);
    uuid_new(&uuid, clock_wall_ms(), &random);
    if (instance.len == 0)
        instance = uuid_slice(&uuid);
    (void)snprintf(ret_assembly->source, sizeof ret_assembly->source, "/bedrock-worker/%.*s",
                   SLICE_ARG(group));
    (void)snprintf(ret_assembly->transactional_id, sizeof ret_assembly->transactional_id,
                   "%.*s-%.*s", SLICE_ARG(group), SLICE_ARG(instance));
}

static void fill_catalog(const struct settings *settings, struct catalog *ret_catalog)
{
    size_t api_count;
    const struct api_name *const *apis = dialect_apis(&api_count);
    *ret_catalog = (struct catalog){
        .choose = dialect_choose,
        .check = dialect_check,
        .apis = apis,
        .api_count = api_count,
        .default_model = settings->models_default,
        .aliases = settings->models_aliases.list,
        .alias_count = settings->models_aliases.count,
        .templates = settings->templates.list,
        .template_count = settings->templates.count,
    };
}

void assembly_change(const struct settings *settings, struct engine_config *engine,
                     struct io_config *io)
{
    fill_catalog(settings, &engine->catalog);
    engine->reply_allowed = settings->topics_reply_allowed.items;
    engine->reply_allowed_count = settings->topics_reply_allowed.count;
    engine->output.echo_headers = settings->topics_echo_headers.items;
    engine->output.echo_header_count = settings->topics_echo_headers.count;
    engine->prices = settings->prices_file.file.len > 0 ? &settings->prices_file.table : NULL;
    engine->commit_interval_ms = settings->delivery_commit_interval_ms;
    engine->start_per_second = (double)settings->bedrock_start_rate;
    engine->retry = (struct retry_settings){
        .max_attempts = (uint32_t)settings->bedrock_retry_max_attempts,
        .max_elapsed_ms = settings->bedrock_retry_max_elapsed_ms,
        .transient_base_ms = settings->bedrock_retry_transient_base_ms,
        .throttle_base_ms = settings->bedrock_retry_throttle_base_ms,
        .max_delay_ms = settings->bedrock_retry_max_delay_ms,
    };
    engine->quotas = settings->quotas.rows;
    engine->tenants = settings->tenants.table;
    engine->tenants.is_closed = settings->tenants_only;
    io->http.connect_ms = settings->bedrock_timeouts_connect_ms;
    io->http.first_byte_ms = settings->bedrock_timeouts_first_byte_ms;
    io->http.idle_ms = settings->bedrock_timeouts_idle_ms;
    io->http.total_ms = settings->bedrock_timeouts_total_ms;
    io->log.level = (enum log_level)settings->telemetry_log_level;
    io->log.format = (enum log_format)settings->telemetry_log_format;
}

static void fill_engine(const struct settings *settings, struct assembly *assembly)
{
    struct engine_config *engine = &assembly->engine;
    const struct kafka_config *kafka = &assembly->io.kafka;
    int64_t session_ms = kafka_conf_number(kafka, KAFKA_CONSUMER, "session.timeout.ms");
    *engine = (struct engine_config){
        .request_topics = settings->topics_requests.items,
        .request_topic_count = settings->topics_requests.count,
        .region = slice_of_text(assembly->region),
        .identity_count = 1 + (uint32_t)settings->models_aliases.identity_count,
        .endpoint_url =
            assembly->endpoint_url[0] != '\0' ? slice_of_text(assembly->endpoint_url) : SLICE_NULL,
        .fips = engine->fips,
        .dual_stack = engine->dual_stack,
        .user_agent = SLICE("bedrock-worker/" BEDROCK_VERSION),
        .transactional_id = slice_of_text(assembly->transactional_id),
        .ordering = (enum ordering)settings->delivery_ordering,
        .exactly_once = kafka->exactly_once,
        .write_ahead = settings->delivery_write_ahead,
        .send_dead_letters = settings->delivery_dead_letters,
        .send_error_responses = settings->delivery_error_responses,
        .max_in_flight = (uint32_t)settings->delivery_max_in_flight,
        .max_held = (uint32_t)settings->delivery_max_held,
        .max_held_bytes = (uint64_t)settings->delivery_max_held_bytes,
        .max_request_bytes = (uint64_t)settings->delivery_max_request_size,
        .max_answer_bytes = (uint64_t)settings->bedrock_max_answer_size,
        .max_begun = (uint32_t)settings->delivery_max_begun,
        .batch_results_max = (uint32_t)settings->delivery_batch_results,
        .batch_bytes_max = (uint64_t)settings->delivery_batch_size,
        .drain_timeout_ms = settings->delivery_drain_timeout_ms,
        .start = settings->kafka_start == KAFKA_START_EARLIEST ? START_EARLIEST
                 : settings->kafka_start == KAFKA_START_LATEST ? START_LATEST
                                                               : START_AUTO,
        .keep_lost_ms = settings->delivery_keep_lost_ms,
        .heartbeat_ms = kafka_conf_number(kafka, KAFKA_CONSUMER, "heartbeat.interval.ms"),
        .stall_ms = (session_ms > 0 ? session_ms : settings->kafka_session_timeout_ms) / 2,
        .offset_map_bytes_max = (size_t)settings->kafka_offset_metadata_max,
    };
    engine->output = (struct output_context){
        .source = slice_of_text(assembly->source),
        .group_id = settings->kafka_group_id,
        .responses_topic = settings->topics_responses,
        .chunks_topic = settings->topics_chunks,
        .usage_topic = settings->topics_usage,
        .dead_letters_topic = settings->topics_dead_letters,
        .budgets_topic = settings->topics_budgets,
        .output_bytes_max = (size_t)kafka->output_bytes_max,
    };
}

static void fill_identity(const struct setting_identity *own, const struct assembly *assembly,
                          struct chain_identity *ret_identity)
{
    struct slice null = SLICE_NULL;
    *ret_identity = (struct chain_identity){
        .profile = own->profile.ptr,
        .token_file = own->token_file.ptr,
        .region = assembly->region,
        .role =
            {
                .role_arn = own->role_arn.len > 0 ? own->role_arn : null,
                .session_name = own->session_name.len > 0 ? own->session_name : null,
                .external_id = own->external_id.len > 0 ? own->external_id : null,
                .tags = own->session_tags.list,
                .tag_count = own->session_tags.count,
            },
    };
}

static void fill_identities(const struct settings *settings, struct assembly *assembly)
{
    const struct setting_aliases *aliases = &settings->models_aliases;
    const struct setting_identity first = settings_default_identity(settings);
    fill_identity(&first, assembly, &assembly->identities[0]);
    for (size_t i = 0; i < aliases->identity_count; i++)
        fill_identity(&aliases->identities[i], assembly, &assembly->identities[1 + i]);
    struct chain_identity *kafka = &assembly->identities[1 + aliases->identity_count];
    const struct setting_identity own = settings_kafka_identity(settings);
    fill_identity(&own, assembly, kafka);
    kafka->token_file = NULL;
    kafka->needs_signature = true;
}

static const char *text_or_null(struct slice text)
{
    return text.len > 0 ? text.ptr : NULL;
}

static void fill_io(const struct settings *settings, struct assembly *assembly)
{
    struct io_config *io = &assembly->io;
    settings_kafka_config(settings, slice_of_text(assembly->transactional_id), &io->kafka);
    io->kafka.auth_region = settings_kafka_region(settings, slice_of_text(assembly->region));
    for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
        if (topic_is_output(topic) && topic_is_used(settings, topic))
            assembly->output_topics[io->kafka.output_topic_count++] =
                *topic_names(settings, topic).items;
    }
    io->kafka.output_topics = assembly->output_topics;
    io->kafka.budgets_topic = settings->topics_budgets;
    const char *ca_bundle = settings->bedrock_ca_bundle.ptr;
    if (settings->bedrock_ca_bundle.len == 0)
        ca_bundle = assembly->aws.ca_bundle;
    io->http = (struct http_config){
        .max_idle_age_ms = IDLE_CONNECTION_MS,
        .max_in_flight = (uint32_t)settings->delivery_max_in_flight,
        .max_head_bytes = HTTP_HEAD_BYTES_MAX,
        .ca_bundle = ca_bundle != NULL && ca_bundle[0] != '\0' ? ca_bundle : NULL,
        .client_certificate = text_or_null(settings->bedrock_client_certificate),
        .client_key = text_or_null(settings->bedrock_client_key),
        .client_key_password = text_or_null(settings->bedrock_client_key_password),
        .proxy = text_or_null(settings->bedrock_proxy),
    };
    io->log = (struct log_config){.fd = 2};
    io->server = (struct server_config){
        .address = settings->telemetry_http_address.ptr,
        .may_take_next = slice_equal_text(settings->telemetry_http_address, SERVER_DEFAULT),
        .hosts = settings->telemetry_http_hosts.items,
        .host_count = settings->telemetry_http_hosts.count,
    };
    io->identities = assembly->identities;
    io->identity_count = 1 + (uint32_t)settings->models_aliases.identity_count;
    io->spending = (struct spending_config){
        .usage_topic = settings->topics_usage,
        .budgets_topic = settings->topics_budgets,
        .rules = tenant_budgets_hash(&settings->tenants.table),
    };
    io->drain_timeout_ms = settings->delivery_drain_timeout_ms;
    io->handle_signals = true;
}

bool assembly_make(const struct settings *settings, struct assembly *ret_assembly, char *ret_reason)
{
    memset(ret_assembly, 0, sizeof *ret_assembly);
    ret_assembly->at_fault = "environment";
    if (aws_environment_load(&ret_assembly->aws, aws_lookup_process, NULL,
                             settings->bedrock_identity_profile.ptr, ret_reason) != OK ||
        !find_region(settings, ret_assembly, ret_reason) ||
        !find_endpoint(settings, ret_assembly, ret_reason) ||
        !find_ca_bundle(settings, ret_assembly, ret_reason) ||
        !check_proxies(settings, ret_assembly, ret_reason))
        return false;
    uint64_t seed = clock_seed();
    make_names(settings, ret_assembly, seed);
    fill_identities(settings, ret_assembly);
    fill_io(settings, ret_assembly);
    fill_engine(settings, ret_assembly);
    assembly_change(settings, &ret_assembly->engine, &ret_assembly->io);
    ret_assembly->io.spending.since_ms = budgets_since_ms(&ret_assembly->engine, clock_wall_ms());
    ret_assembly->engine.seed = seed;
    if (tracing_make(&ret_assembly->tracing, settings,
                     slice_of_text(ret_assembly->transactional_id),
                     (struct environment){.get = aws_lookup_process}))
        return true;
    (void)snprintf(ret_reason, ASSEMBLY_REASON_MAX,
                   "out of memory, or the variables of tracing "
                   "are too long");
    return false;
}

void assembly_done(struct assembly *assembly)
{
    aws_environment_done(&assembly->aws);
    tracing_done(&assembly->tracing);
}

bool assembly_has_files(const struct assembly *assembly, uint64_t *ret_limit, uint64_t *ret_needed)
{
    struct rlimit limit;
    *ret_needed = (uint64_t)assembly->engine.max_in_flight + OTHER_FILES;
    *ret_limit = UINT64_MAX;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max != RLIM_INFINITY)
        *ret_limit = (uint64_t)limit.rlim_max;
    return *ret_limit >= *ret_needed;
}

void assembly_memory_bound(const struct assembly *assembly, size_t partitions,
                           struct memory_bound *ret_bound)
{
    const struct engine_config *engine = &assembly->engine;
    uint64_t calls = engine_calls_memory_bound(engine);
    /* The worker takes one more request while a byte is left. */
    uint64_t over = REQUEST_CHARGE * engine->max_request_bytes;
    /* The committed map of a partition, the one in the batch, and what it is written from. */
    uint64_t tables = partitions * (PARTITION_BYTES + 4 * engine->offset_map_bytes_max);
    ret_bound->held_bytes = engine_memory_bound(engine) - calls + over + tables;
    ret_bound->calls_bytes = calls + (uint64_t)engine->max_in_flight * CALL_BYTES;
    ret_bound->kafka_bytes = kafka_conf_memory_bound(&assembly->io.kafka, partitions);
    ret_bound->total_bytes =
        ret_bound->held_bytes + ret_bound->calls_bytes + ret_bound->kafka_bytes + PROCESS_BYTES;
}
