/* The maps whose names are the user's own: librdkafka properties, model aliases, templates. */
#include "app/settings_parts.h"

#include <stdio.h>
#include <string.h>

#include "wire/json.h"
#include "wire/template.h"

#define ENTRIES_MAX    1000 /* of one map */
#define NAME_BYTES_MAX 128  /* of an alias or a template */
#define STOPS_MAX      64
#define JSON_BYTES_MAX 65536 /* of one default */

/* path.name, in the arena; the path alone when memory ran out. */
static struct slice path_below(struct settings_reader *reader, struct slice path, struct slice name)
{
    size_t len = path.len + 1 + name.len;
    char *text = arena_new(&reader->settings->arena, len + 1);
    if (text == NULL)
        return path;
    (void)snprintf(text, len + 1, "%.*s.%.*s", SLICE_ARG(path), SLICE_ARG(name));
    return slice_of(text, len);
}

/* Is the map small enough, and this member the first of its name and named well? */
static bool may_take(struct settings_reader *reader, const struct document_node *map,
                     const struct document_node *member, struct slice path)
{
    if (map->count > ENTRIES_MAX) {
        if (member == map->first)
            problems_add(reader->problems, map->place, path, "has more than %d entries",
                         ENTRIES_MAX);
        return false;
    }
    for (const struct document_node *node = map->first; node != member; node = node->next) {
        if (slice_equal(node->key, member->key)) {
            problems_add(reader->problems, member->key_place, path,
                         "is there twice; keep one of them");
            return false;
        }
    }
    if (member->key.len > NAME_BYTES_MAX || settings_form_fault(FORM_NAME, member->key) != NULL) {
        problems_add(reader->problems, member->key_place, path,
                     "is not a name; use printable ASCII without spaces, at most %d",
                     NAME_BYTES_MAX);
        return false;
    }
    return true;
}

bool settings_property_is_secret(struct slice name)
{
    static const char *const PARTS[] = {"password", "secret", "key.pem", "oauthbearer.config",
                                        "jaas"};
    for (size_t i = 0; i < COUNT_OF(PARTS); i++) {
        struct slice part = slice_of_text(PARTS[i]);
        for (size_t at = 0; at + part.len <= name.len; at++) {
            if (slice_equal_nocase(slice_sub(name, at, part.len), part))
                return true;
        }
    }
    return false;
}

/* librdkafka's words may quote the value, which may be a secret whatever the property's name is. */
static bool quotes(struct slice words, struct slice value)
{
    for (size_t at = 0; value.len > 0 && at + value.len <= words.len; at++) {
        if (slice_equal(slice_sub(words, at, value.len), value))
            return true;
    }
    return false;
}

static void check_property(struct settings_reader *reader, const struct kafka_property *property,
                           const struct document_node *node, struct slice path)
{
    struct buf words OWNED_BY(buf_done);
    buf_init(&words, KAFKA_WORDS_MAX);
    enum err err = kafka_conf_check(property->name, property->value, &words);
    bool may_be_secret =
        settings_property_is_secret(property->name) || !slice_equal(node->text, property->value);
    if (err == ERR_NOT_ALLOWED)
        problems_add(reader->problems, node->place, path, "is not taken: %s; remove it",
                     buf_text(&words));
    else if (err != OK && may_be_secret && quotes(buf_slice(&words), property->value))
        problems_add(reader->problems, node->place, path, "librdkafka does not take its value");
    else if (err != OK)
        problems_add(reader->problems, node->place, path, "librdkafka does not take it: %s",
                     buf_text(&words));
}

void settings_take_properties(struct settings_reader *reader, const struct setting_row *row,
                              const struct document_node *node,
                              struct setting_properties *ret_value)
{
    struct arena *arena = &reader->settings->arena;
    struct kafka_property *list = arena_new_array(arena, node->count, sizeof *list);
    struct place *places = arena_new_array(arena, node->count, sizeof *places);
    size_t count = 0;
    if (list == NULL || places == NULL) {
        problems_add(reader->problems, node->place, slice_of_text(row->path), "out of memory");
        return;
    }
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        struct slice path = path_below(reader, slice_of_text(row->path), item->key);
        if (!may_take(reader, node, item, path) ||
            !settings_take_text(reader, item, path, &list[count].value))
            continue;
        list[count].name = item->key;
        places[count] = item->place;
        check_property(reader, &list[count], item, path);
        count++;
    }
    *ret_value = (struct setting_properties){{list, count}, places};
}

void settings_forget_secrets(struct settings *settings)
{
    struct kafka_properties *all[] = {&settings->kafka_client.set, &settings->kafka_consumer.set,
                                      &settings->kafka_producer.set};
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        for (size_t j = 0; j < all[i]->count; j++) {
            struct slice value = all[i]->list[j].value;
            if (!settings_property_is_secret(all[i]->list[j].name) || value.len == 0)
                continue;
            /* The arena's own copy: nobody else has it. */
            union {
                const char *read;
                char *write;
            } bytes = {.read = value.ptr};
            explicit_bzero(bytes.write, value.len);
        }
    }
}

/* A number as JSON; whole and at least 1 when `is_count`. */
static void take_number(struct settings_reader *reader, const struct document_node *node,
                        struct slice path, bool is_count, struct slice *ret_json)
{
    struct slice text = SLICE_NULL;
    struct json_fault fault;
    const struct json *number = NULL;
    int64_t whole = 0;
    double real = 0;
    if (!settings_take_text(reader, node, path, &text))
        return;
    bool is_number = json_parse(&reader->settings->arena, text, &number, &fault) == OK &&
                     json_is(number, JSON_NUMBER) && json_double(number, &real) && real >= 0;
    if (!is_number || (is_count && (!json_int64(number, &whole) || whole < 1)))
        problems_add(reader->problems, node->place, path, "is not %s",
                     is_count ? "a whole number above 0" : "a number such as 0.7");
    else
        *ret_json = text;
}

static void take_stops(struct settings_reader *reader, const struct document_node *node,
                       struct slice path, struct slice *ret_json)
{
    if (node->kind != DOCUMENT_LIST || node->count == 0 || node->count > STOPS_MAX) {
        problems_add(reader->problems, node->place, path,
                     "is not a list of texts; write [\"END\"], at most %d", STOPS_MAX);
        return;
    }
    struct buf json OWNED_BY(buf_done);
    buf_init(&json, JSON_BYTES_MAX);
    buf_add_byte(&json, '[');
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        struct slice text = SLICE("");
        if (!settings_take_text(reader, item, path, &text))
            return;
        if (item != node->first)
            buf_add_byte(&json, ',');
        json_add_string(&json, text);
    }
    buf_add_byte(&json, ']');
    if (json.failed != OK || !arena_copy(&reader->settings->arena, buf_slice(&json), ret_json))
        problems_add(reader->problems, node->place, path, "is too long; shorten it");
}

static void take_defaults(struct settings_reader *reader, const struct document_node *node,
                          struct slice path, struct model_alias *ret_alias)
{
    if (node->kind != DOCUMENT_MAP) {
        problems_add(reader->problems, node->place, path,
                     "is not a map; write {temperature: 0, max_tokens: 1024}");
        return;
    }
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        struct slice below = path_below(reader, path, item->key);
        if (!may_take(reader, node, item, below))
            continue;
        if (slice_equal_text(item->key, "temperature"))
            take_number(reader, item, below, false, &ret_alias->temperature);
        else if (slice_equal_text(item->key, "top_p"))
            take_number(reader, item, below, false, &ret_alias->top_p);
        else if (slice_equal_text(item->key, "top_k"))
            take_number(reader, item, below, true, &ret_alias->top_k);
        else if (slice_equal_text(item->key, "max_tokens"))
            take_number(reader, item, below, true, &ret_alias->max_tokens);
        else if (slice_equal_text(item->key, "stop"))
            take_stops(reader, item, below, &ret_alias->stop);
        else
            problems_add(reader->problems, item->key_place, below,
                         "unknown; defaults are temperature, top_p, top_k, max_tokens and stop");
    }
}

/* A text of a form; a problem otherwise. */
static void take_form(struct settings_reader *reader, const struct document_node *node,
                      struct slice path, enum setting_form form, struct slice *ret_text)
{
    struct slice text = SLICE_NULL;
    if (!settings_take_text(reader, node, path, &text))
        return;
    const char *fault =
        text.len == 0 ? "is empty; give it a value, or remove it" : settings_form_fault(form, text);
    if (fault != NULL)
        problems_add(reader->problems, node->place, path, "%s", fault);
    else
        *ret_text = text;
}

static void take_alias(struct settings_reader *reader, const struct document_node *node,
                       struct slice path, struct model_alias *ret_alias)
{
    if (node->kind != DOCUMENT_MAP) {
        problems_add(reader->problems, node->place, path,
                     "is not a map; write {id: anthropic.claude-3-haiku-20240307-v1:0}");
        return;
    }
    size_t before = reader->problems->count;
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        struct slice below = path_below(reader, path, item->key);
        if (!may_take(reader, node, item, below))
            continue;
        if (slice_equal_text(item->key, "id"))
            take_form(reader, item, below, FORM_MODEL, &ret_alias->id);
        else if (slice_equal_text(item->key, "region"))
            take_form(reader, item, below, FORM_REGION, &ret_alias->region);
        else if (slice_equal_text(item->key, "api"))
            take_form(reader, item, below, FORM_NAME, &ret_alias->api);
        else if (slice_equal_text(item->key, "defaults"))
            take_defaults(reader, item, below, ret_alias);
        else
            problems_add(reader->problems, item->key_place, below,
                         "unknown; an alias has id, api, region and defaults");
        if (slice_equal_text(item->key, "api") && ret_alias->api.ptr != NULL &&
            !slice_equal_text(ret_alias->api, "auto") &&
            !slice_equal_text(ret_alias->api, "converse"))
            problems_add(reader->problems, item->place, below,
                         "is not an API of this version; write auto or converse");
    }
    if (ret_alias->id.ptr == NULL && reader->problems->count == before)
        problems_add(reader->problems, node->place, path,
                     "has no id; add the model id, inference profile id or ARN");
}

void settings_take_aliases(struct settings_reader *reader, const struct document_node *node,
                           struct setting_aliases *ret_value)
{
    struct arena *arena = &reader->settings->arena;
    struct model_alias *list = arena_new_array(arena, node->count, sizeof *list);
    struct place *places = arena_new_array(arena, node->count, sizeof *places);
    size_t count = 0;
    if (list == NULL || places == NULL) {
        problems_add(reader->problems, node->place, SLICE("models.aliases"), "out of memory");
        return;
    }
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        struct slice path = path_below(reader, SLICE("models.aliases"), item->key);
        if (!may_take(reader, node, item, path))
            continue;
        list[count].name = item->key;
        places[count] = item->key_place;
        take_alias(reader, item, path, &list[count]);
        count++;
    }
    *ret_value = (struct setting_aliases){list, places, count};
}

static bool is_role(struct slice text)
{
    static const char *const ROLES[] = {"system", "human", "user", "ai", "assistant"};
    for (size_t i = 0; i < COUNT_OF(ROLES); i++) {
        if (slice_equal_text(text, ROLES[i]))
            return true;
    }
    return false;
}

static void take_message(struct settings_reader *reader, const struct document_node *node,
                         struct slice path, struct template_message *ret_message)
{
    size_t column = 0;
    const char *words = NULL;
    if (node->kind != DOCUMENT_LIST || node->count != 2) {
        problems_add(reader->problems, node->place, path,
                     "is not a pair; write [human, \"text with {variables}\"]");
        return;
    }
    const struct document_node *role = node->first, *text = node->last;
    if (!settings_take_text(reader, role, path, &ret_message->role) ||
        !settings_take_text(reader, text, path, &ret_message->text))
        return;
    if (!is_role(ret_message->role))
        problems_add(reader->problems, role->place, path,
                     "has an unknown role; write system, human (user) or ai (assistant)");
    if (template_check(ret_message->text, &column, &words) != OK)
        problems_add(reader->problems, text->place, path,
                     "is not a template: %s at its byte %zu; write {name} for a variable, {{ and "
                     "}} for braces",
                     words, column);
}

void settings_take_templates(struct settings_reader *reader, const struct document_node *node,
                             struct setting_templates *ret_value)
{
    struct arena *arena = &reader->settings->arena;
    struct template_named *list = arena_new_array(arena, node->count, sizeof *list);
    size_t count = 0;
    if (list == NULL) {
        problems_add(reader->problems, node->place, SLICE("templates"), "out of memory");
        return;
    }
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        struct slice path = path_below(reader, SLICE("templates"), item->key);
        if (!may_take(reader, node, item, path))
            continue;
        struct template_message *messages = NULL;
        if (item->kind == DOCUMENT_LIST && item->count > 0)
            messages = arena_new_array(arena, item->count, sizeof *messages);
        if (messages == NULL) {
            problems_add(reader->problems, item->place, path,
                         "is not a list of messages; write [[human, \"Hello {name}\"]]");
            continue;
        }
        size_t index = 0;
        for (const struct document_node *pair = item->first; pair != NULL; pair = pair->next)
            take_message(reader, pair, path, &messages[index++]);
        list[count++] = (struct template_named){item->key, messages, index};
    }
    *ret_value = (struct setting_templates){list, count};
}
