/* Identities: as whom the worker calls a model. The default one is a group of settings; an alias
 * may have its own, as a map. Aliases with equal identities share one, and so its keys. */
#include "app/settings/parts.h"

#include "yaml/mistake.h"

#define TAG_KEY_MAX   128
#define TAG_VALUE_MAX 256

#define MEMBER(member, member_kind, member_form)                                                   \
    {                                                                                              \
        .name = #member, .kind = IDENTITY_##member_kind, .form = FORM_##member_form,               \
        .value_at = offsetof(struct setting_identity, member)                                      \
    }
static const struct identity_member MEMBERS[] = {
    MEMBER(profile, TEXT, NAME),         MEMBER(token_file, TEXT, ANY),
    MEMBER(role_arn, TEXT, ROLE),        MEMBER(external_id, TEXT, EXTERNAL_ID),
    MEMBER(session_name, TEXT, SESSION), MEMBER(session_tags, TAGS, ANY),
};

const struct identity_member *settings_identity_members(size_t *ret_count)
{
    *ret_count = COUNT_OF(MEMBERS);
    return MEMBERS;
}

static void take_tag(struct settings_reader *reader, const struct document_node *node,
                     struct slice path, struct sts_tag *ret_tag)
{
    ret_tag->key = node->key;
    if (!settings_take_text(reader, node, path, &ret_tag->value))
        return;
    if (ret_tag->key.len > TAG_KEY_MAX || ret_tag->value.len > TAG_VALUE_MAX)
        problems_add(reader->problems, node->place, path,
                     "is too long; a tag has a key of at most %d characters and a value of at "
                     "most %d",
                     TAG_KEY_MAX, TAG_VALUE_MAX);
}

void settings_take_tags(struct settings_reader *reader, const struct document_node *node,
                        struct slice path, struct setting_tags *ret_value)
{
    struct sts_tag *list = arena_new_array(&reader->settings->arena, node->count, sizeof *list);
    size_t count = 0;
    if (list == NULL || node->count > STS_TAGS_MAX) {
        problems_add(reader->problems, node->place, path,
                     list == NULL ? "out of memory" : "has more than 50 tags; AWS takes 50");
        return;
    }
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        struct slice below = document_path(&reader->settings->arena, path, item->key);
        if (settings_may_take(reader, node, item, below))
            take_tag(reader, item, below, &list[count++]);
    }
    *ret_value = (struct setting_tags){list, count};
}

static void take_text(struct settings_reader *reader, const struct identity_member *member,
                      const struct document_node *node, struct slice path, struct slice *ret_text)
{
    if (!settings_take_text(reader, node, path, ret_text))
        return;
    const char *fault = ret_text->len > 0 ? settings_form_fault(member->form, *ret_text) : NULL;
    if (fault != NULL)
        problems_add(reader->problems, node->place, path, "%s", fault);
}

static void take_member(struct settings_reader *reader, const struct identity_member *member,
                        const struct document_node *node, struct slice path,
                        struct setting_identity *ret_identity)
{
    void *value = (char *)ret_identity + member->value_at;
    if (member->kind == IDENTITY_TEXT)
        take_text(reader, member, node, path, value);
    else if (node->kind == DOCUMENT_MAP)
        settings_take_tags(reader, node, path, value);
    else
        mistake_add_kind(reader->problems, node, path, "a map of texts such as {team: search}");
}

static const struct setting_members FOUND = {
    MEMBERS, COUNT_OF(MEMBERS), sizeof MEMBERS[0],
    "an identity has profile, token_file, role_arn, external_id, "
    "session_name and session_tags"};

static void take_members(struct settings_reader *reader, const struct document_node *node,
                         struct slice path, struct setting_identity *ret_identity)
{
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        struct slice below;
        const struct identity_member *member =
            settings_find_member(reader, node, item, &FOUND, path, &below);
        if (member != NULL)
            take_member(reader, member, item, below, ret_identity);
    }
}

void settings_check_identity(struct problems *problems, struct place place, struct slice path,
                             const struct setting_identity *identity)
{
    const char *part = identity->external_id.len > 0      ? "external_id"
                       : identity->session_name.len > 0   ? "session_name"
                       : identity->session_tags.count > 0 ? "session_tags"
                                                          : NULL;
    if (identity->role_arn.len == 0 && part != NULL)
        problems_add(problems, place, path, "has %s, which needs role_arn", part);
    else if (identity->token_file.len > 0 && identity->role_arn.len > 0)
        problems_add(problems, place, path,
                     "has token_file and role_arn; a Bedrock API key cannot assume a role, so "
                     "remove one");
}

static bool tags_equal(const struct setting_tags *a, const struct setting_tags *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        if (!slice_equal(a->list[i].key, b->list[i].key) ||
            !slice_equal(a->list[i].value, b->list[i].value))
            return false;
    }
    return a->count == b->count;
}

static bool is_same(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || slice_equal(a, b));
}

static bool identities_equal(const struct setting_identity *a, const struct setting_identity *b)
{
    return is_same(a->profile, b->profile) && is_same(a->token_file, b->token_file) &&
           is_same(a->role_arn, b->role_arn) && is_same(a->external_id, b->external_id) &&
           is_same(a->session_name, b->session_name) &&
           tags_equal(&a->session_tags, &b->session_tags);
}

struct setting_identity settings_default_identity(const struct settings *settings)
{
    return (struct setting_identity){
        .profile = settings->bedrock_identity_profile,
        .token_file = settings->bedrock_identity_token_file,
        .role_arn = settings->bedrock_identity_role_arn,
        .external_id = settings->bedrock_identity_external_id,
        .session_name = settings->bedrock_identity_session_name,
        .session_tags = settings->bedrock_identity_session_tags,
    };
}

bool settings_identities_equal(const struct settings *a, const struct settings *b)
{
    const struct setting_aliases *own = &a->models_aliases, *other = &b->models_aliases;
    for (size_t i = 0; i < own->identity_count && i < other->identity_count; i++) {
        if (!identities_equal(&own->identities[i], &other->identities[i]))
            return false;
    }
    return own->identity_count == other->identity_count;
}

void settings_take_identity(struct settings_reader *reader, const struct document_node *node,
                            struct slice path, struct model_alias *ret_alias)
{
    struct setting_identity identity = {.profile = SLICE_NULL};
    if (node->kind != DOCUMENT_MAP) {
        mistake_add_kind(reader->problems, node, path, "a map such as {profile: billing}");
        return;
    }
    size_t before = problems_found(reader->problems);
    take_members(reader, node, path, &identity);
    settings_check_identity(reader->problems, node->place, path, &identity);
    if (problems_found(reader->problems) > before)
        return;
    size_t number = 0;
    while (number < reader->identity_count &&
           !identities_equal(&identity, &reader->identities[number]))
        number++;
    if (number == SETTING_IDENTITIES_MAX) {
        problems_add(reader->problems, node->place, path,
                     "is one identity too many; aliases may have %d different ones",
                     SETTING_IDENTITIES_MAX);
        return;
    }
    if (number == reader->identity_count)
        reader->identities[reader->identity_count++] = identity;
    ret_alias->identity = (uint32_t)number + 1;
}
