/* Some properties librdkafka judges only when it creates a client. So each of the worker's clients
 * is created once; after a failure the property is sought without which it could be. */
#include "app/settings/parts.h"

#include <stdio.h>
#include <string.h>

#define SOUGHT_MAX      64 /* properties of one map that are left out in turn */
#define WORDS_SHOWN_MAX ((size_t)16 * KAFKA_ERROR_MAX)

/* A map of properties, as the settings have it and as a client gets it. */
struct origin {
    const char *path;
    const struct setting_properties *said;
    struct kafka_properties *given;
    struct place place;
};

/* Could the client be made without this property? */
static bool is_at_fault(const struct kafka_config *config, enum kafka_client client,
                        struct origin *origin, size_t index)
{
    struct kafka_property others[SOUGHT_MAX];
    char words[KAFKA_ERROR_MAX];
    size_t count = 0;
    for (size_t i = 0; i < origin->said->set.count; i++) {
        if (i != index)
            others[count++] = origin->said->set.list[i];
    }
    *origin->given = (struct kafka_properties){others, count};
    bool is_made = kafka_conf_try(config, client, words) == OK;
    *origin->given = origin->said->set;
    return is_made;
}

static void hide_secrets(const struct setting_properties *properties, struct buf *words)
{
    struct buf shown OWNED_BY(buf_done);
    buf_init(&shown, WORDS_SHOWN_MAX);
    for (size_t i = 0; i < properties->set.count; i++) {
        const struct kafka_property *property = &properties->set.list[i];
        if (!settings_property_is_secret(property->name))
            continue;
        buf_reset(&shown);
        settings_add_words(&shown, buf_slice(words), property->value);
        buf_reset(words);
        buf_add(words, buf_slice(&shown));
    }
}

static bool is_name_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '.' ||
           byte == '_';
}

/* Do the words name the property? */
static bool is_named(struct slice words, struct slice name)
{
    for (size_t at = 0; at + name.len <= words.len; at++) {
        size_t end = at + name.len;
        if (slice_equal(slice_sub(words, at, name.len), name) &&
            (at == 0 || !is_name_byte(words.ptr[at - 1])) &&
            (end == words.len || !is_name_byte(words.ptr[end])))
            return true;
    }
    return false;
}

static bool is_told(const struct problems *problems, const char *path, const char *words)
{
    for (size_t i = 0; i < problems->count; i++) {
        if (strcmp(problems->list[i].path, path) == 0 &&
            strstr(problems->list[i].text, words) != NULL)
            return true;
    }
    return false;
}

/* Where the user said what is wrong. */
struct finding {
    const struct origin *origin;
    size_t index;
    int weight; /* the greatest counts, of equals the first */
};

/* A property that the words name, and one without which there is a client; the client's own map
 * before the common one. */
static struct finding find_fault(const struct kafka_config *config, enum kafka_client client,
                                 struct origin origins[2], struct slice words)
{
    struct finding found = {NULL, 0, 0};
    for (size_t i = 0; i < 2; i++) {
        const struct kafka_properties *said = &origins[i].said->set;
        for (size_t j = 0; j < said->count && said->count <= SOUGHT_MAX; j++) {
            int weight = is_named(words, said->list[j].name) ? 2 : 0;
            if (weight + 1 > found.weight && is_at_fault(config, client, &origins[i], j))
                weight++;
            if (weight > found.weight)
                found = (struct finding){&origins[i], j, weight};
        }
    }
    return found;
}

static void tell(const struct kafka_config *config, enum kafka_client client,
                 struct origin origins[2], const char *words, struct problems *problems)
{
    char path[PROBLEM_PATH_MAX] = "kafka";
    struct place place = origins[1].place;
    struct finding found = find_fault(config, client, origins, slice_of_text(words));
    if (found.origin == NULL && problems->count > 0)
        return; /* it follows from the problems found before */
    if (found.origin != NULL) {
        place = found.origin->said->places[found.index];
        (void)snprintf(path, sizeof path, "%s.%.*s", found.origin->path,
                       SLICE_ARG(found.origin->said->set.list[found.index].name));
    }
    struct buf shown OWNED_BY(buf_done);
    buf_init(&shown, WORDS_SHOWN_MAX);
    buf_add_text(&shown, words);
    hide_secrets(origins[0].said, &shown);
    hide_secrets(origins[1].said, &shown);
    if (!is_told(problems, path, buf_text(&shown)))
        problems_add(problems, place, slice_of_text(path),
                     "librdkafka creates no client with it: %s", buf_text(&shown));
}

bool settings_try_clients(const struct settings *settings, struct problems *problems)
{
    static const enum kafka_client CLIENTS[] = {KAFKA_CONSUMER, KAFKA_PUBLISHER, KAFKA_CHUNKS};
    struct kafka_config config;
    char words[KAFKA_ERROR_MAX];
    if (!settings_have_clients(settings))
        return problems->count == 0;
    settings_kafka_config(settings, SLICE("checked"), &config);
    for (size_t i = 0; i < COUNT_OF(CLIENTS); i++) {
        bool is_consumer = CLIENTS[i] == KAFKA_CONSUMER;
        if (kafka_conf_try(&config, CLIENTS[i], words) == OK)
            continue;
        struct origin origins[2] = {
            {is_consumer ? "kafka.consumer" : "kafka.producer",
             is_consumer ? &settings->kafka_consumer : &settings->kafka_producer,
             is_consumer ? &config.consumer : &config.producer,
             is_consumer ? settings->at.kafka_consumer : settings->at.kafka_producer},
            {"kafka.client", &settings->kafka_client, &config.client, settings->at.kafka_client},
        };
        tell(&config, CLIENTS[i], origins, words, problems);
    }
    problems_sort(problems);
    return problems->count == 0;
}
