/* Takes a value from a node of the file into its member of struct settings. */
#include "app/settings/parts.h"

#include <string.h>

#include "app/settings/learn.h"
#include "base/check.h"
#include "base/secrets.h"
#include "wire/formats/proxy.h"
#include "yaml/mistake.h"

static const char *expected(enum setting_kind kind)
{
    static const char *const WORDS[] = {
        [SETTING_TEXT] = "a text",
        [SETTING_FLAG] = MISTAKE_FLAG,
        [SETTING_COUNT] = "a whole number",
        [SETTING_SPAN] = MISTAKE_SPAN,
        [SETTING_SIZE] = MISTAKE_SIZE,
        [SETTING_CHOICE] = "one of the words listed",
        [SETTING_LIST] = "a list such as [a, b]",
        [SETTING_PROPERTIES] = "a map of librdkafka properties such as {linger.ms: 5}",
        [SETTING_TAGS] = "a map of texts such as {team: search}",
        [SETTING_ALIASES] = "a map such as {claude: {id: anthropic.claude-3-haiku-20240307-v1:0}}",
        [SETTING_TEMPLATES] = "a map such as {greet: [[human, \"Hello {name}\"]]}",
        [SETTING_PRICES] = "the name of a price file",
        [SETTING_TENANTS] = "a map such as {acme: {weight: 2}}",
        [SETTING_QUOTAS] =
            "a list such as [{model: \"us.anthropic.*\", tokens_per_minute: 2000000}]",
    };
    return WORDS[kind];
}

static void take_amount(struct settings_reader *reader, const struct setting_row *row,
                        const struct document_node *node, struct slice text)
{
    struct slice path = slice_of_text(row->path);
    int64_t amount = 0;
    bool is_one = false;
    if (row->kind == SETTING_SPAN)
        is_one = units_read_span(text, &amount);
    else if (row->kind == SETTING_SIZE)
        is_one = units_read_size(text, &amount);
    else
        is_one = slice_to_int64(text, &amount) && !settings_is_octal(text);
    if (!is_one && row->kind == SETTING_SPAN)
        mistake_add_span(reader->problems, node, path);
    else if (!is_one && row->kind == SETTING_SIZE)
        mistake_add_size(reader->problems, node, path);
    else if (!is_one)
        mistake_add_value(reader->problems, node, path, expected(row->kind));
    if (!is_one)
        return;
    if (amount < row->low || amount > row->high) {
        struct buf range OWNED_BY(buf_done);
        buf_init(&range, 128);
        settings_add_amount(&range, row->kind, row->low);
        buf_add_text(&range, " to ");
        settings_add_amount(&range, row->kind, row->high);
        mistake_add_limits(reader->problems, node, path, buf_text(&range));
        return;
    }
    memcpy((char *)reader->settings + row->value_at, &amount, sizeof amount);
}

static void take_choice(struct settings_reader *reader, const struct setting_row *row,
                        const struct document_node *node, struct slice text)
{
    int index = settings_find_choice(reader, node, slice_of_text(row->path), row->choices, text);
    if (index >= 0)
        memcpy((char *)reader->settings + row->value_at, &index, sizeof index);
}

static void take_flag(struct settings_reader *reader, const struct setting_row *row,
                      const struct document_node *node, struct slice text)
{
    bool flag = slice_equal_text(text, "true");
    if (!flag && !slice_equal_text(text, "false")) {
        mistake_add_flag(reader->problems, node, slice_of_text(row->path));
        return;
    }
    memcpy((char *)reader->settings + row->value_at, &flag, sizeof flag);
}

/* Takes a text of the row's form. False: it added a problem. */
static bool take_formed(struct settings_reader *reader, const struct setting_row *row,
                        const struct document_node *node, struct slice *ret_text)
{
    struct slice path = slice_of_text(row->path);
    if (!settings_take_text(reader, node, path, ret_text))
        return false;
    if (row->form == FORM_PROXY)
        learn_proxy(*ret_text);
    if (row->form == FORM_PASSWORD)
        secrets_learn(*ret_text, true);
    if (row->form == FORM_PASSWORD || row->form == FORM_HEADERS ||
        (row->form == FORM_PROXY && proxy_password(*ret_text).len > 0))
        settings_reject_shown(reader, node, path, *ret_text);
    bool may_be_empty = row->kind == SETTING_TEXT && !row->is_needed;
    if (ret_text->len == 0 && may_be_empty)
        return true;
    const char *fault = ret_text->len == 0 ? "is empty; give it a value"
                                           : settings_form_fault(row->form, *ret_text);
    if (fault != NULL)
        problems_add(reader->problems, node->place, path, "%s", fault);
    return fault == NULL;
}

static void take_list(struct settings_reader *reader, const struct setting_row *row,
                      const struct document_node *node)
{
    struct slice path = slice_of_text(row->path);
    struct slice *items = arena_new_array(&reader->settings->arena, node->count, sizeof *items);
    struct setting_list list = {items, 0};
    if (items == NULL) {
        problems_add(reader->problems, node->place, path, "is too long; shorten it");
        return;
    }
    if (node->count == 0 && row->is_needed)
        problems_add(reader->problems, node->place, path, "is empty; list at least one");
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        if (take_formed(reader, row, item, &items[list.count]))
            list.count++;
    }
    memcpy((char *)reader->settings + row->value_at, &list, sizeof list);
}

static void take_scalar(struct settings_reader *reader, const struct setting_row *row,
                        const struct document_node *node)
{
    struct slice text = SLICE_NULL;
    if (row->kind == SETTING_TEXT) {
        if (take_formed(reader, row, node, &text))
            memcpy((char *)reader->settings + row->value_at, &text, sizeof text);
        return;
    }
    if (!settings_take_text(reader, node, slice_of_text(row->path), &text))
        return;
    text = slice_trim(text);
    if (row->kind == SETTING_FLAG)
        take_flag(reader, row, node, text);
    else if (row->kind == SETTING_CHOICE)
        take_choice(reader, row, node, text);
    else
        take_amount(reader, row, node, text);
}

void settings_take(struct settings_reader *reader, const struct setting_row *row,
                   const struct document_node *node)
{
    enum document_kind wanted = DOCUMENT_TEXT;
    if (row->kind == SETTING_LIST || row->kind == SETTING_QUOTAS)
        wanted = DOCUMENT_LIST;
    else if (row->kind == SETTING_PROPERTIES || row->kind == SETTING_ALIASES ||
             row->kind == SETTING_TAGS || row->kind == SETTING_TEMPLATES ||
             row->kind == SETTING_TENANTS)
        wanted = DOCUMENT_MAP;
    bool is_text = row->kind == SETTING_TEXT; /* take_scalar handles those */
    if (!is_text && (node->kind != wanted || document_is_null(node))) {
        mistake_add_kind(reader->problems, node, slice_of_text(row->path), expected(row->kind));
        return;
    }
    char *value = (char *)reader->settings + row->value_at;
    if (row->kind == SETTING_LIST)
        take_list(reader, row, node);
    else if (row->kind == SETTING_PROPERTIES)
        settings_take_properties(reader, row, node, (struct setting_properties *)(void *)value);
    else if (row->kind == SETTING_TAGS)
        settings_take_tags(reader, node, slice_of_text(row->path),
                           (struct setting_tags *)(void *)value);
    else if (row->kind == SETTING_ALIASES)
        settings_take_aliases(reader, node, (struct setting_aliases *)(void *)value);
    else if (row->kind == SETTING_TEMPLATES)
        settings_take_templates(reader, node, (struct setting_templates *)(void *)value);
    else if (row->kind == SETTING_QUOTAS)
        settings_take_quotas(reader, node, (struct setting_quotas *)(void *)value);
    else if (row->kind == SETTING_TENANTS)
        settings_take_tenants(reader, node, (struct setting_tenants *)(void *)value);
    else
        take_scalar(reader, row, node);
}
