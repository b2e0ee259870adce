/* What librdkafka says only when a client is made: each of the worker's clients is made once, and
 * the property is sought without which it could be. */
#include "app/settings_parts.h"

#include <stdio.h>
#include <string.h>

#include "app/assembly.h"

#define SOUGHT_MAX 64 /* properties of one map that are left out in turn */

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
    char words[KAFKA_WORDS_MAX];
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

static bool quotes_a_secret(const struct setting_properties *properties, struct slice words)
{
    for (size_t i = 0; i < properties->set.count; i++) {
        const struct kafka_property *property = &properties->set.list[i];
        if (settings_property_is_secret(property->name) &&
            settings_words_quote(words, property->value))
            return true;
    }
    return false;
}

static bool is_told(const struct problems *problems, const char *path, const char *words)
{
    for (size_t i = 0; i < problems->count; i++) {
        if (strcmp(problems->list[i].path, path) == 0 &&
            strstr(problems->list[i].words, words) != NULL)
            return true;
    }
    return false;
}

/* Where the user said it: the first property without which there is a client, the client's own map
 * before the common one. */
static void tell(const struct kafka_config *config, enum kafka_client client,
                 struct origin origins[2], const char *words, struct problems *problems)
{
    char path[PROBLEM_PATH_MAX] = "kafka";
    struct place place = origins[1].place;
    bool is_found = false;
    for (size_t i = 0; i < 2 && !is_found; i++) {
        const struct setting_properties *said = origins[i].said;
        for (size_t j = 0; j < said->set.count && said->set.count <= SOUGHT_MAX && !is_found; j++) {
            is_found = is_at_fault(config, client, &origins[i], j);
            if (!is_found)
                continue;
            place = said->places[j];
            (void)snprintf(path, sizeof path, "%s.%.*s", origins[i].path,
                           SLICE_ARG(said->set.list[j].name));
        }
    }
    struct slice said = slice_of_text(words);
    if (quotes_a_secret(origins[0].said, said) || quotes_a_secret(origins[1].said, said))
        words = "it is not taken together with the others";
    if (!is_told(problems, path, words))
        problems_add(problems, place, slice_of_text(path), "librdkafka makes no client with it: %s",
                     words);
}

bool settings_try_clients(const struct settings *settings, struct problems *problems)
{
    static const enum kafka_client CLIENTS[] = {KAFKA_CONSUMER, KAFKA_PUBLISHER, KAFKA_CHUNKS};
    struct kafka_config config;
    char words[KAFKA_WORDS_MAX];
    if (!settings_have_clients(settings))
        return problems->count == 0;
    assembly_kafka_config(settings, SLICE("checked"), &config);
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
