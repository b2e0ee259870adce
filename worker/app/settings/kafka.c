/* Makes the configuration of the Kafka clients from the settings. */
#include "app/settings/settings.h"
#include "wire/bedrock/msk_token.h"

/* Bytes of a response beside the answer, the request's echoes and headers. */
#define OUTPUT_FRAME_BYTES ((size_t)1024 * 1024)

/* A dead letter holds the whole request, even one over max_request_size. */
#define LETTER_BYTES ((size_t)31 * 1024 * 1024)

static bool names_msk_iam(const struct kafka_properties *properties)
{
    for (size_t i = 0; i < properties->count; i++) {
        if (kafka_property_is_msk_iam(&properties->list[i]))
            return true;
    }
    return false;
}

enum kafka_auth settings_kafka_auth(const struct settings *settings)
{
    bool is_msk = settings->kafka_auth == KAFKA_AUTH_MSK_IAM ||
                  names_msk_iam(&settings->kafka_client.set) ||
                  names_msk_iam(&settings->kafka_consumer.set) ||
                  names_msk_iam(&settings->kafka_producer.set);
    return is_msk ? KAFKA_AUTH_MSK_IAM : KAFKA_AUTH_PROPERTIES;
}

struct setting_identity settings_kafka_identity(const struct settings *settings)
{
    const struct setting_identity own = {
        .profile = settings->kafka_identity_profile,
        .role_arn = settings->kafka_identity_role_arn,
        .external_id = settings->kafka_identity_external_id,
        .session_name = settings->kafka_identity_session_name,
    };
    return own.profile.len > 0 || own.role_arn.len > 0 ? own : settings_default_identity(settings);
}

struct slice settings_kafka_region(const struct settings *settings, struct slice otherwise)
{
    struct slice region = settings->kafka_region;
    if (region.len == 0)
        region = msk_region_of(settings->kafka_bootstrap_servers);
    return region.len > 0 ? region : otherwise;
}

void settings_kafka_config(const struct settings *settings, struct slice transactional_id,
                           struct kafka_config *ret_config)
{
    uint64_t request_bytes = (uint64_t)settings->delivery_max_request_size;
    uint64_t answer_bytes = (uint64_t)settings->bedrock_max_answer_size;
    uint64_t outputs = 2 * answer_bytes + request_bytes;
    *ret_config = (struct kafka_config){
        .bootstrap_servers = settings->kafka_bootstrap_servers,
        .group_id = settings->kafka_group_id,
        .instance = settings->kafka_instance,
        .static_membership = settings->kafka_static_membership,
        .transactional_id = transactional_id,
        .topics = settings->topics_requests.items,
        .topic_count = settings->topics_requests.count,
        .exactly_once = settings->delivery_guarantee == GUARANTEE_EXACTLY_ONCE,
        .commit_interval_ms = settings->delivery_commit_interval_ms,
        .session_timeout_ms = settings->kafka_session_timeout_ms,
        .transaction_timeout_ms = settings->kafka_transaction_timeout_ms,
        .max_poll_interval_ms = settings->kafka_max_poll_interval_ms,
        .request_bytes_max = request_bytes,
        .calls_max = (uint32_t)settings->delivery_max_in_flight,
        .output_bytes_max = (outputs > LETTER_BYTES ? outputs : LETTER_BYTES) + OUTPUT_FRAME_BYTES,
        .client = settings->kafka_client.set,
        .consumer = settings->kafka_consumer.set,
        .producer = settings->kafka_producer.set,
        .auth = settings_kafka_auth(settings),
    };
}
