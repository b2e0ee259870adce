#include "app/client/topic_plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HOUR_MS ((int64_t)3600 * 1000)
#define DAY_MS  (24 * HOUR_MS)

/* How long the records of a topic are of use. */
static const int64_t RETENTION_MS[TOPIC_COUNT] = {
    [TOPIC_REQUESTS] = 7 * DAY_MS, /* the longest outage that must lose nothing */
    [TOPIC_RESPONSES] = 7 * DAY_MS,     [TOPIC_CHUNKS] = 6 * HOUR_MS, /* a preview */
    [TOPIC_USAGE] = 400 * DAY_MS, /* the accounts of a year, and time to close it */
    [TOPIC_DEAD_LETTERS] = 30 * DAY_MS,
};

int topic_plan_replicas(int brokers)
{
    if (brokers < 1)
        return 1;
    return brokers < TOPIC_PLAN_REPLICAS ? brokers : TOPIC_PLAN_REPLICAS;
}

#define SEGMENT_MS 600000 /* of the topic of budgets: what is older can be compacted */

static void add_text(struct topic_plan *plan, const char *name, enum topic_need need,
                     const char *value)
{
    struct topic_property *property = &plan->properties[plan->count++];
    property->name = name;
    property->need = need;
    (void)snprintf(property->value, sizeof property->value, "%s", value);
}

static void add_number(struct topic_plan *plan, const char *name, enum topic_need need,
                       int64_t value)
{
    char digits[24];
    (void)snprintf(digits, sizeof digits, "%" PRId64, value);
    add_text(plan, name, need, digits);
}

/* The largest record of a topic; 0 = the broker's default serves. */
static int64_t record_max(const struct settings *settings, enum topic topic)
{
    switch (topic) {
    case TOPIC_REQUESTS:
    case TOPIC_DEAD_LETTERS:
        return settings->delivery_max_request_size;
    case TOPIC_RESPONSES:
        return settings->bedrock_max_answer_size + TOPIC_PLAN_FRAME_BYTES;
    case TOPIC_CHUNKS:
    case TOPIC_USAGE:
    case TOPIC_BUDGETS:
    case TOPIC_COUNT:
        break;
    }
    return 0;
}

void topic_plan_make(const struct settings *settings, enum topic topic, struct slice name,
                     int replicas, struct topic_plan *ret_plan)
{
    int64_t bytes = record_max(settings, topic);
    *ret_plan = (struct topic_plan){.name = name, .path = topic_path(topic)};
    add_text(ret_plan, "cleanup.policy", topic_is_output(topic) ? TOPIC_SERVES : TOPIC_EQUALS,
             topic == TOPIC_BUDGETS ? "compact" : "delete");
    if (topic == TOPIC_BUDGETS)
        add_number(ret_plan, "segment.ms", TOPIC_EQUALS, SEGMENT_MS);
    else
        add_number(ret_plan, "retention.ms", TOPIC_EQUALS, RETENTION_MS[topic]);
    add_number(ret_plan, "min.insync.replicas", TOPIC_AT_LEAST, replicas > 2 ? 2 : 1);
    if (bytes > 0)
        add_number(ret_plan, "max.message.bytes", TOPIC_AT_LEAST, bytes);
}

void topic_plan_make_reply(const struct settings *settings, struct slice name, int replicas,
                           struct topic_plan *ret_plan)
{
    topic_plan_make(settings, TOPIC_RESPONSES, name, replicas, ret_plan);
    ret_plan->path = "topics.reply_allowed";
}

bool topic_property_differs(const struct topic_property *property, const char *value)
{
    int64_t planned = 0, found = 0;
    switch (property->need) {
    case TOPIC_SERVES:
        return (strstr(value, "compact") != NULL) != (strcmp(property->value, "compact") == 0);
    case TOPIC_AT_LEAST:
        if (slice_to_int64(slice_of_text(property->value), &planned) &&
            slice_to_int64(slice_of_text(value), &found))
            return found >= 0 && found < planned;
        break;
    case TOPIC_EQUALS:
        break;
    }
    return strcmp(property->value, value) != 0;
}
