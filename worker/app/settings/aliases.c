/* Model aliases: the user's names for models, with defaults for requests that use them. */
#include "app/settings/parts.h"

#include "app/settings/trial.h"
#include "wire/bedrock/dialects.h"
#include "yaml/mistake.h"

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

#define ROW(member_name, member, member_kind, member_form)                                         \
    {                                                                                              \
        .name = (member_name), .kind = ALIAS_##member_kind, .form = FORM_##member_form,            \
        .value_at = offsetof(struct model_alias, member)                                           \
    }
#define MEMBER(member, member_kind, member_form) ROW(#member, member, member_kind, member_form)
static const struct alias_member MEMBERS[] = {
    MEMBER(id, MODEL, MODEL),
    MEMBER(api, API, NAME),
    MEMBER(region, TEXT, REGION),
    MEMBER(defaults, DEFAULTS, ANY),
    MEMBER(drop, DROP, ANY),
    MEMBER(identity, IDENTITY, ANY),
    ROW("fallback", fallbacks, FALLBACK, ANY),
    ROW("fallback_after", fallback_after_ms, SPAN, ANY),
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

/* Adds a problem if requests that name the whole alias, and nothing else, fail. */
static void try_alias(struct settings_reader *reader, const struct document_node *node,
                      struct slice path, const struct model_alias *alias)
{
    struct trial trial OWNED_BY(trial_done);
    struct catalog catalog = {.default_model = alias->name, .aliases = alias, .alias_count = 1};
    trial_init(&trial);
    if (trial_model(&trial, &catalog) != OK)
        problems_add(reader->problems, node->place, path, "%s: %s", trial.why.field,
                     trial_reason(&trial));
}

static void take_dropped(struct settings_reader *reader, const struct document_node *node,
                         struct slice path, struct model_alias *ret_alias)
{
    struct slice name = SLICE_NULL;
    struct suggest suggest;
    if (!settings_take_text(reader, node, path, &name))
        return;
    enum parameter parameter = parameter_find(name);
    suggest_init(&suggest, name);
    for (enum parameter i = 0; i < PARAMETER_COUNT; i++)
        suggest_offer(&suggest, slice_of_text(parameter_rows[i].name));
    if (parameter != PARAMETER_COUNT)
        ret_alias->drop |= 1U << parameter;
    else if (suggest.nearest.ptr != NULL)
        problems_add(reader->problems, node->place, path,
                     "has an unknown parameter; did you mean %.*s?", SLICE_ARG(suggest.nearest));
    else
        problems_add(reader->problems, node->place, path,
                     "has an unknown parameter; write those of defaults, such as [temperature]");
}

/* Parameters that are not sent; an empty list: all are sent, whatever the model. */
static void take_drop(struct settings_reader *reader, const struct document_node *node,
                      struct slice path, struct model_alias *ret_alias)
{
    if (node->kind != DOCUMENT_LIST) {
        mistake_add_kind(reader->problems, node, path, "a list such as [temperature, top_p]");
        return;
    }
    ret_alias->has_drop = true;
    for (const struct document_node *item = node->first; item != NULL; item = item->next)
        take_dropped(reader, item, path, ret_alias);
}

/* The other aliases are not known yet. */
static void take_fallback(struct settings_reader *reader, const struct document_node *node,
                          struct slice path)
{
    if (node->kind != DOCUMENT_LIST)
        mistake_add_kind(reader->problems, node, path, "a list of aliases such as [haiku, nova]");
    else if (node->count > MODEL_FALLBACKS_MAX)
        problems_add(reader->problems, node->place, path, "has more than %d aliases; remove some",
                     MODEL_FALLBACKS_MAX);
}

static void take_after(struct settings_reader *reader, const struct document_node *node,
                       struct slice path, struct model_alias *ret_alias)
{
    struct slice text = SLICE_NULL;
    int64_t ms = 0;
    if (!settings_take_text(reader, node, path, &text))
        return;
    if (!units_read_span(slice_trim(text), &ms))
        mistake_add_span(reader->problems, node, path);
    else if (ms < FALLBACK_AFTER_MS_MIN || ms > FALLBACK_AFTER_MS_MAX)
        mistake_add_limits(reader->problems, node, path, "100ms to 1d");
    else
        ret_alias->fallback_after_ms = ms;
}

static void take_member(struct settings_reader *reader, const struct alias_member *member,
                        const struct document_node *node, struct slice path,
                        struct model_alias *ret_alias)
{
    struct slice *value = (struct slice *)(void *)((char *)ret_alias + member->value_at);
    struct buf apis OWNED_BY(buf_done);
    buf_init(&apis, APIS_BYTES_MAX);
    if (member->kind == ALIAS_DEFAULTS) {
        settings_take_defaults(reader, node, path, ret_alias);
        return;
    }
    if (member->kind == ALIAS_IDENTITY) {
        settings_take_identity(reader, node, path, ret_alias);
        return;
    }
    if (member->kind == ALIAS_DROP) {
        take_drop(reader, node, path, ret_alias);
        return;
    }
    if (member->kind == ALIAS_FALLBACK) {
        take_fallback(reader, node, path);
        return;
    }
    if (member->kind == ALIAS_SPAN) {
        take_after(reader, node, path, ret_alias);
        return;
    }
    take_form(reader, node, path, member->form, value);
    settings_add_apis(&apis);
    if (value->ptr != NULL && member->kind == ALIAS_MODEL)
        try_model(reader, node, path, *value);
    else if (value->ptr != NULL && member->kind == ALIAS_API)
        (void)settings_find_choice(reader, node, path, buf_text(&apis), *value);
}

static const struct setting_members FOUND = {
    MEMBERS, COUNT_OF(MEMBERS), sizeof MEMBERS[0],
    "an alias has id, api, region, defaults, drop, identity, fallback and fallback_after"};

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
        struct slice below;
        const struct alias_member *member =
            settings_find_member(reader, node, item, &FOUND, path, &below);
        if (member != NULL)
            take_member(reader, member, item, below, ret_alias);
    }
    if (problems_found(reader->problems) > before)
        return;
    if (ret_alias->id.ptr == NULL)
        problems_add(reader->problems, node->place, path,
                     "has no id; add the model id, inference profile id or ARN");
    else
        try_alias(reader, node, path, ret_alias);
}

void settings_take_aliases(struct settings_reader *reader, const struct document_node *node,
                           struct setting_aliases *ret_value)
{
    struct arena *arena = &reader->settings->arena;
    struct model_alias *list = arena_new_array(arena, node->count, sizeof *list);
    struct place *places = arena_new_array(arena, node->count, sizeof *places);
    size_t count = 0;
    reader->identities = arena_new_array(arena, SETTING_IDENTITIES_MAX, sizeof *reader->identities);
    if (list == NULL || places == NULL || reader->identities == NULL) {
        problems_add(reader->problems, node->place, SLICE("models.aliases"), "out of memory");
        return;
    }
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        struct slice path =
            document_path(&reader->settings->arena, SLICE("models.aliases"), item->key);
        if (!settings_may_take(reader, node, item, path))
            continue;
        list[count].name = item->key;
        list[count].fallback_after_ms = FALLBACK_AFTER_MS;
        places[count] = item->key_place;
        take_alias(reader, item, path, &list[count]);
        count++;
    }
    settings_take_fallbacks(reader, node, list, count);
    *ret_value =
        (struct setting_aliases){list, places, count, reader->identities, reader->identity_count};
}
