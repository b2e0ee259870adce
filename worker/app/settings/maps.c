/* The maps whose names are the user's own: librdkafka properties, model aliases, templates. */
#include "app/settings/parts.h"

#include <stdio.h>
#include <string.h>

#include "wire/formats/json.h"
#include "base/suggest.h"
#include "wire/bedrock/dialects.h"
#include "wire/chat/template.h"
#include "yaml/mistake.h"

#define ENTRIES_MAX    1000 /* of one map */
#define NAME_BYTES_MAX 128  /* of an alias or a template */
#define STOPS_MAX      64
#define JSON_BYTES_MAX 65536 /* of one default */
#define PAIR           "a role and a text such as [human, \"Hello {name}\"]"
#define QUOTE_BYTES    8 /* so much of a secret is a quotation of it */

/* Is the map small enough, and this member the first of its name and named well? */
static bool may_take(struct settings_reader *reader, const struct document_node *map,
                     const struct document_node *member, struct slice path)
{
    if (map->count > ENTRIES_MAX) {
        if (member == map->first)
            problems_add(reader->problems, map->place, path,
                         "has more than %d entries; remove some", ENTRIES_MAX);
        return false;
    }
    if (document_is_repeated(map, member)) {
        problems_add(reader->problems, member->key_place, path, "is there twice; keep one of them");
        return false;
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

/* How much of the value begins there, if it is enough to be one. */
static size_t quoted_len(struct slice words, size_t at, struct slice value)
{
    size_t len = 0;
    while (len < value.len && at + len < words.len && words.ptr[at + len] == value.ptr[len])
        len++;
    bool is_clipped = at + len == words.len && len > 0;
    return len == value.len || len >= QUOTE_BYTES || is_clipped ? len : 0;
}

void settings_add_words(struct buf *buf, struct slice words, struct slice value)
{
    size_t at = 0;
    while (at < words.len) {
        size_t len = quoted_len(words, at, value);
        if (len > 0)
            buf_add_text(buf, "***");
        else
            buf_add_byte(buf, words.ptr[at]);
        at += len > 0 ? len : 1;
    }
}

static void check_property(struct settings_reader *reader, const struct kafka_property *property,
                           const struct document_node *node, struct slice path)
{
    struct buf words OWNED_BY(buf_done);
    buf_init(&words, KAFKA_ERROR_MAX);
    enum err err = kafka_conf_check(property->name, property->value, &words);
    bool may_be_secret =
        settings_property_is_secret(property->name) || !slice_equal(node->text, property->value);
    if (err == ERR_NOT_ALLOWED)
        problems_add(reader->problems, node->place, path, "is rejected: %s; remove it",
                     buf_text(&words));
    else if (err != OK) {
        struct buf shown OWNED_BY(buf_done);
        buf_init(&shown, 4 * KAFKA_ERROR_MAX);
        settings_add_words(&shown, buf_slice(&words), may_be_secret ? property->value : SLICE_NULL);
        problems_add(reader->problems, node->place, path, "librdkafka rejects it: %s",
                     buf_text(&shown));
    }
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
        struct slice path =
            document_path(&reader->settings->arena, slice_of_text(row->path), item->key);
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
            /* The arena's copy is the only one. */
            union {
                const char *read;
                char *write;
            } bytes = {.read = value.ptr};
            explicit_bzero(bytes.write, value.len);
        }
    }
}

/* Keeps the value as a request with it would have it, if a request may have it. */
static void keep_default(struct settings_reader *reader, const struct document_node *node,
                         struct slice path, enum parameter parameter, struct slice json,
                         struct model_alias *ret_alias)
{
    struct trial trial OWNED_BY(trial_done);
    trial_init(&trial);
    if (trial_field(&trial, parameter_rows[parameter].name, json) != OK) {
        problems_add(reader->problems, node->place, path, "%s", trial_words(&trial));
        return;
    }
    if (!arena_copy(&reader->settings->arena, trial.request.parameters[parameter],
                    &ret_alias->defaults[parameter]))
        problems_add(reader->problems, node->place, path, "out of memory");
}

/* A text as JSON: a number as it is, all else as a string. */
static bool take_json(struct settings_reader *reader, const struct document_node *node,
                      struct slice path, struct buf *ret_json)
{
    struct slice text = SLICE_NULL;
    struct arena arena OWNED_BY(arena_done);
    const struct json *value = NULL;
    arena_init(&arena, JSON_BYTES_MAX);
    if (!settings_take_text(reader, node, path, &text))
        return false;
    bool is_number = json_parse(&arena, text, &value, NULL) == OK && json_is(value, JSON_NUMBER);
    if (is_number)
        buf_add(ret_json, value->source);
    else
        json_add_string(ret_json, text);
    return true;
}

static bool take_stops(struct settings_reader *reader, const struct document_node *node,
                       struct slice path, struct buf *ret_json)
{
    if (node->kind != DOCUMENT_LIST || node->count == 0 || node->count > STOPS_MAX) {
        problems_add(reader->problems, node->place, path,
                     "is not a list of texts; write [\"END\"], at most %d", STOPS_MAX);
        return false;
    }
    buf_add_byte(ret_json, '[');
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        struct slice text = SLICE("");
        if (!settings_take_text(reader, item, path, &text))
            return false;
        if (item != node->first)
            buf_add_byte(ret_json, ',');
        json_add_string(ret_json, text);
    }
    buf_add_byte(ret_json, ']');
    return true;
}

static void tell_unknown(struct settings_reader *reader, const struct document_node *item,
                         struct slice path, const struct suggest *suggest, const char *known)
{
    if (suggest->nearest.ptr != NULL)
        problems_add(reader->problems, item->key_place, path, "unknown; did you mean %.*s?",
                     SLICE_ARG(suggest->nearest));
    else
        problems_add(reader->problems, item->key_place, path, "unknown; %s", known);
}

static void tell_unknown_default(struct settings_reader *reader, const struct document_node *item,
                                 struct slice path)
{
    struct suggest suggest;
    struct buf known OWNED_BY(buf_done);
    buf_init(&known, 1024);
    suggest_init(&suggest, item->key);
    buf_add_text(&known, "defaults are ");
    for (enum parameter i = 0; i < PARAMETER_COUNT; i++) {
        suggest_offer(&suggest, slice_of_text(parameter_rows[i].name));
        const char *between = i == 0 ? "" : i + 1 < PARAMETER_COUNT ? ", " : " and ";
        buf_addf(&known, "%s%s", between, parameter_rows[i].name);
    }
    tell_unknown(reader, item, path, &suggest, buf_text(&known));
}

static void take_default(struct settings_reader *reader, const struct document_node *item,
                         struct slice path, struct model_alias *ret_alias)
{
    struct buf json OWNED_BY(buf_done);
    enum parameter parameter = parameter_find(item->key);
    buf_init(&json, JSON_BYTES_MAX);
    if (parameter == PARAMETER_COUNT) {
        tell_unknown_default(reader, item, path);
        return;
    }
    bool is_taken = parameter_rows[parameter].form == PARAMETER_TEXTS
                        ? take_stops(reader, item, path, &json)
                        : take_json(reader, item, path, &json);
    if (is_taken && json.failed != OK)
        problems_add(reader->problems, item->place, path, "is too long; shorten it");
    else if (is_taken)
        keep_default(reader, item, path, parameter, buf_slice(&json), ret_alias);
}

static void take_defaults(struct settings_reader *reader, const struct document_node *node,
                          struct slice path, struct model_alias *ret_alias)
{
    if (node->kind != DOCUMENT_MAP) {
        mistake_add_kind(reader->problems, node, path,
                         "a map such as {temperature: 0, max_tokens: 1024}");
        return;
    }
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        struct slice below = document_path(&reader->settings->arena, path, item->key);
        if (may_take(reader, node, item, below))
            take_default(reader, item, below, ret_alias);
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

#define MEMBER(member, member_kind, member_form)                                                   \
    {                                                                                              \
        .name = #member, .kind = ALIAS_##member_kind, .form = FORM_##member_form,                  \
        .value_at = offsetof(struct model_alias, member)                                           \
    }
static const struct alias_member MEMBERS[] = {
    MEMBER(id, MODEL, MODEL),
    MEMBER(api, API, NAME),
    MEMBER(region, TEXT, REGION),
    MEMBER(defaults, DEFAULTS, ANY),
};

const struct alias_member *settings_alias_members(size_t *ret_count)
{
    *ret_count = COUNT_OF(MEMBERS);
    return MEMBERS;
}

void settings_add_apis(struct buf *buf)
{
    size_t count = 0;
    const struct api_name *const *apis = dialect_apis(&count);
    buf_add_text(buf, "auto");
    for (size_t i = 0; i < count; i++)
        buf_addf(buf, "|%s", apis[i]->api);
}

/* Is the model one that a request may name? */
static void try_model(struct settings_reader *reader, const struct document_node *node,
                      struct slice path, struct slice id)
{
    struct trial trial OWNED_BY(trial_done);
    struct model_alias alias = {.name = SLICE("alias"), .id = id};
    struct catalog catalog = {.default_model = alias.name, .aliases = &alias, .alias_count = 1};
    trial_init(&trial);
    if (trial_model(&trial, &catalog) != OK)
        problems_add(reader->problems, node->place, path, "%s", trial_words(&trial));
}

static void take_member(struct settings_reader *reader, const struct alias_member *member,
                        const struct document_node *node, struct slice path,
                        struct model_alias *ret_alias)
{
    struct slice *value = (struct slice *)(void *)((char *)ret_alias + member->value_at);
    struct buf apis OWNED_BY(buf_done);
    buf_init(&apis, APIS_BYTES_MAX);
    if (member->kind == ALIAS_DEFAULTS) {
        take_defaults(reader, node, path, ret_alias);
        return;
    }
    take_form(reader, node, path, member->form, value);
    settings_add_apis(&apis);
    if (value->ptr != NULL && member->kind == ALIAS_MODEL)
        try_model(reader, node, path, *value);
    else if (value->ptr != NULL && member->kind == ALIAS_API)
        (void)settings_find_choice(reader, node, path, buf_text(&apis), *value);
}

static void take_alias(struct settings_reader *reader, const struct document_node *node,
                       struct slice path, struct model_alias *ret_alias)
{
    if (node->kind != DOCUMENT_MAP) {
        mistake_add_kind(reader->problems, node, path,
                         "a map such as {id: anthropic.claude-3-haiku-20240307-v1:0}");
        return;
    }
    size_t before = problems_found(reader->problems);
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        struct slice below = document_path(&reader->settings->arena, path, item->key);
        struct suggest suggest;
        const struct alias_member *member = NULL;
        if (!may_take(reader, node, item, below))
            continue;
        suggest_init(&suggest, item->key);
        for (size_t i = 0; i < COUNT_OF(MEMBERS); i++) {
            suggest_offer(&suggest, slice_of_text(MEMBERS[i].name));
            if (slice_equal_text(item->key, MEMBERS[i].name))
                member = &MEMBERS[i];
        }
        if (member != NULL)
            take_member(reader, member, item, below, ret_alias);
        else
            tell_unknown(reader, item, below, &suggest,
                         "an alias has id, api, region and defaults");
    }
    if (ret_alias->id.ptr == NULL && problems_found(reader->problems) == before)
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
        struct slice path =
            document_path(&reader->settings->arena, SLICE("models.aliases"), item->key);
        if (!may_take(reader, node, item, path))
            continue;
        list[count].name = item->key;
        places[count] = item->key_place;
        take_alias(reader, item, path, &list[count]);
        count++;
    }
    *ret_value = (struct setting_aliases){list, places, count};
}

static void take_message(struct settings_reader *reader, const struct document_node *node,
                         struct slice path, struct template_message *ret_message)
{
    size_t column = 0;
    const char *words = NULL;
    if (node->kind != DOCUMENT_LIST) {
        mistake_add_kind(reader->problems, node, path, PAIR);
        return;
    }
    if (node->count != 2) {
        problems_add(reader->problems, node->place, path,
                     "is a list of %zu; write " PAIR ", a text with commas in quotes", node->count);
        return;
    }
    const struct document_node *role = node->first, *text = node->last;
    if (!settings_take_text(reader, role, path, &ret_message->role) ||
        !settings_take_text(reader, text, path, &ret_message->text))
        return;
    struct trial trial OWNED_BY(trial_done);
    trial_init(&trial);
    if (trial_message(&trial, ret_message) != OK)
        problems_add(reader->problems, role->place, path, "the role %s", trial_words(&trial));
    if (template_check(ret_message->text, &column, &words) != OK)
        problems_add(reader->problems, text->place, path,
                     "is not a template: %s at its byte %zu; write {name} for a variable, {{ and "
                     "}} for braces",
                     words, column);
}

/* What its messages are together, after each was good. */
static void try_template(struct settings_reader *reader, const struct document_node *node,
                         struct slice path, const struct template_named *named)
{
    struct trial trial OWNED_BY(trial_done);
    trial_init(&trial);
    if (trial_template(&trial, named) == OK)
        return;
    size_t index = trial_index(&trial);
    const struct document_node *fault = node;
    if (index < named->count) {
        fault = node->first;
        while (index-- > 0)
            fault = fault->next;
    }
    problems_add(reader->problems, fault->place, path, "%s", trial_words(&trial));
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
        struct slice path = document_path(&reader->settings->arena, SLICE("templates"), item->key);
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
        size_t index = 0, before = problems_found(reader->problems);
        for (const struct document_node *pair = item->first; pair != NULL; pair = pair->next)
            take_message(reader, pair, path, &messages[index++]);
        list[count] = (struct template_named){item->key, messages, index};
        if (problems_found(reader->problems) == before)
            try_template(reader, item, path, &list[count]);
        count++;
    }
    *ret_value = (struct setting_templates){list, count};
}
