/* librdkafka checks some properties only when it creates a client. So the reader creates each
 * client of the worker once. After a failure it looks for the property at fault: one without which
 * librdkafka creates the client. */
#include "app/settings/parts.h"

#include <stdio.h>
#include <string.h>

#define SOUGHT_MAX       64 /* properties of a map that are tried */
#define REASON_SHOWN_MAX ((size_t)16 * KAFKA_ERROR_MAX)

/* A map of properties: of the settings, and as the client gets it. */
struct origin {
    const char *path;
    const struct setting_properties *written;
    struct kafka_properties *given;
    struct place place;
};

/* Does librdkafka create the client without this property? */
static bool is_at_fault(const struct kafka_config *config, enum kafka_client client,
                        struct origin *origin, size_t index)
{
    struct kafka_property others[SOUGHT_MAX];
    char reason[KAFKA_ERROR_MAX];
    size_t count = 0;
    for (size_t i = 0; i < origin->written->set.count; i++) {
        if (i != index)
            others[count++] = origin->written->set.list[i];
    }
    *origin->given = (struct kafka_properties){others, count};
    bool is_made = kafka_conf_try(config, client, reason) == OK;
    *origin->given = origin->written->set;
    return is_made;
}

static void hide_secrets(const struct setting_properties *properties, struct buf *reason)
{
    struct buf shown OWNED_BY(buf_done);
    buf_init(&shown, REASON_SHOWN_MAX);
    for (size_t i = 0; i < properties->set.count; i++) {
        const struct kafka_property *property = &properties->set.list[i];
        if (!settings_property_is_secret(property->name))
            continue;
        buf_reset(&shown);
        settings_add_hidden(&shown, buf_slice(reason), property->value);
        buf_reset(reason);
        buf_add(reason, buf_slice(&shown));
    }
}

static bool is_name_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '.' ||
           byte == '_';
}

/* Does librdkafka's text name the property? */
static bool is_named(struct slice reason, struct slice name)
{
    for (size_t at = 0; at + name.len <= reason.len; at++) {
        size_t end = at + name.len;
        if (slice_equal(slice_sub(reason, at, name.len), name) &&
            (at == 0 || !is_name_byte(reason.ptr[at - 1])) &&
            (end == reason.len || !is_name_byte(reason.ptr[end])))
            return true;
    }
    return false;
}

static bool is_reported(const struct problems *problems, const char *path, const char *reason)
{
    for (size_t i = 0; i < problems->count; i++) {
        if (strcmp(problems->list[i].path, path) == 0 &&
            strstr(problems->list[i].text, reason) != NULL)
            return true;
    }
    return false;
}

/* The property that is most likely at fault. */
struct finding {
    const struct origin *origin;
    size_t index;
    int weight; /* the largest wins; of equal ones, the first */
};

/* Finds the property at fault: one that the text names, or without which librdkafka creates the
 * client; the map of this client before the common map. */
static struct finding find_fault(const struct kafka_config *config, enum kafka_client client,
                                 struct origin origins[2], struct slice reason)
{
    struct finding found = {NULL, 0, 0};
    for (size_t i = 0; i < 2; i++) {
        const struct kafka_properties *written = &origins[i].written->set;
        for (size_t j = 0; j < written->count && written->count <= SOUGHT_MAX; j++) {
            int weight = is_named(reason, written->list[j].name) ? 2 : 0;
            if (weight + 1 > found.weight && is_at_fault(config, client, &origins[i], j))
                weight++;
            if (weight > found.weight)
                found = (struct finding){&origins[i], j, weight};
        }
    }
    return found;
}

static void add_client_problem(const struct kafka_config *config, enum kafka_client client,
                               struct origin origins[2], const char *reason,
                               struct problems *problems)
{
    char path[PROBLEM_PATH_MAX] = "kafka";
    struct place place = origins[1].place;
    struct finding found = find_fault(config, client, origins, slice_of_text(reason));
    if (found.origin == NULL && problems->count > 0)
        return; /* a consequence of the problems before */
    if (found.origin != NULL) {
        place = found.origin->written->places[found.index];
        (void)snprintf(path, sizeof path, "%s.%.*s", found.origin->path,
                       SLICE_ARG(found.origin->written->set.list[found.index].name));
    }
    struct buf shown OWNED_BY(buf_done);
    buf_init(&shown, REASON_SHOWN_MAX);
    buf_add_text(&shown, reason);
    hide_secrets(origins[0].written, &shown);
    hide_secrets(origins[1].written, &shown);
    if (!is_reported(problems, path, buf_text(&shown)))
        problems_add(problems, place, slice_of_text(path),
                     "librdkafka creates no client with it: %s", buf_text(&shown));
}

bool settings_try_clients(const struct settings *settings, struct problems *problems)
{
    static const enum kafka_client CLIENTS[] = {KAFKA_CONSUMER, KAFKA_PUBLISHER, KAFKA_CHUNKS};
    struct kafka_config config;
    char reason[KAFKA_ERROR_MAX];
    if (!settings_have_clients(settings))
        return problems->count == 0;
    settings_kafka_config(settings, SLICE("checked"), &config);
    for (size_t i = 0; i < COUNT_OF(CLIENTS); i++) {
        bool is_consumer = CLIENTS[i] == KAFKA_CONSUMER;
        if (kafka_conf_try(&config, CLIENTS[i], reason) == OK)
            continue;
        struct origin origins[2] = {
            {is_consumer ? "kafka.consumer" : "kafka.producer",
             is_consumer ? &settings->kafka_consumer : &settings->kafka_producer,
             is_consumer ? &config.consumer : &config.producer,
             is_consumer ? settings->at.kafka_consumer : settings->at.kafka_producer},
            {"kafka.client", &settings->kafka_client, &config.client, settings->at.kafka_client},
        };
        add_client_problem(&config, CLIENTS[i], origins, reason, problems);
    }
    problems_sort(problems);
    return problems->count == 0;
}
