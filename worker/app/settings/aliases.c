/* Model aliases: the user's names for models, with defaults for requests that use them. */
#include "app/settings/parts.h"

#include "app/settings/trial.h"
#include "base/suggest.h"
#include "wire/bedrock/dialects.h"
#include "wire/formats/json.h"
#include "yaml/mistake.h"

#define STOPS_MAX      64
#define JSON_BYTES_MAX 65536 /* of a default */

/* Keeps a default as the request reader does, if a request may have that value. */
static void keep_default(struct settings_reader *reader, const struct document_node *node,
                         struct slice path, enum parameter parameter, struct slice json,
                         struct model_alias *ret_alias)
{
    struct trial trial OWNED_BY(trial_done);
    trial_init(&trial);
    if (trial_field(&trial, parameter_rows[parameter].name, json) != OK) {
        problems_add(reader->problems, node->place, path, "%s", trial_reason(&trial));
        return;
    }
    if (!arena_copy(&reader->settings->arena, trial.request.parameters[parameter],
                    &ret_alias->defaults[parameter]))
        problems_add(reader->problems, node->place, path, "out of memory");
}

/* Appends a text as JSON: a number unchanged, everything else as a string. */
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

static void add_unknown(struct settings_reader *reader, const struct document_node *item,
                        struct slice path, const struct suggest *suggest, const char *known)
{
    if (suggest->nearest.ptr != NULL)
        problems_add(reader->problems, item->key_place, path, "unknown; did you mean %.*s?",
                     SLICE_ARG(suggest->nearest));
    else
        problems_add(reader->problems, item->key_place, path, "unknown; %s", known);
}

static void add_unknown_default(struct settings_reader *reader, const struct document_node *item,
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
    add_unknown(reader, item, path, &suggest, buf_text(&known));
}

static void take_default(struct settings_reader *reader, const struct document_node *item,
                         struct slice path, struct model_alias *ret_alias)
{
    struct buf json OWNED_BY(buf_done);
    enum parameter parameter = parameter_find(item->key);
    buf_init(&json, JSON_BYTES_MAX);
    if (parameter == PARAMETER_COUNT) {
        add_unknown_default(reader, item, path);
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
        if (settings_may_take(reader, node, item, below))
            take_default(reader, item, below, ret_alias);
    }
}

/* Takes a text of this form, or adds a problem. */
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

/* Adds a problem if a request may not name this model. */
static void try_model(struct settings_reader *reader, const struct document_node *node,
                      struct slice path, struct slice id)
{
    struct trial trial OWNED_BY(trial_done);
    struct model_alias alias = {.name = SLICE("alias"), .id = id};
    struct catalog catalog = {.default_model = alias.name, .aliases = &alias, .alias_count = 1};
    trial_init(&trial);
    if (trial_model(&trial, &catalog) != OK)
        problems_add(reader->problems, node->place, path, "%s", trial_reason(&trial));
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
        if (!settings_may_take(reader, node, item, below))
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
            add_unknown(reader, item, below, &suggest, "an alias has id, api, region and defaults");
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
        if (!settings_may_take(reader, node, item, path))
            continue;
        list[count].name = item->key;
        places[count] = item->key_place;
        take_alias(reader, item, path, &list[count]);
        count++;
    }
    *ret_value = (struct setting_aliases){list, places, count};
}
