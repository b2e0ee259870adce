/* The budget of a tenant's row: so much money or so many tokens in a span of time. */
#include "app/settings/parts.h"

#include <string.h>

#include "base/money.h"
#include "wire/formats/json.h"
#include "yaml/mistake.h"

#define TOKENS_MAX 1000000000000000 /* 10^15 */
#define BUDGET     "a map such as {amount: \"50\", currency: USD, per: day}"
#define SPANS      "minute|hour|day|month"
#define HARD       "hold|reject"

/* A budget as it is read. */
struct budget_reading {
    struct budget_rules rules;
    bool has_amount, has_tokens, has_currency;
    struct slice currency;
    int64_t soft_percent;
};

static void take_choice(struct settings_reader *reader, const struct document_node *node,
                        struct slice path, const char *choices, int *ret_index)
{
    struct slice text = SLICE_NULL;
    if (!settings_take_text(reader, node, path, &text))
        return;
    int index = settings_find_choice(reader, node, path, choices, slice_trim(text));
    if (index >= 0)
        *ret_index = index;
}

static void take_per(struct settings_reader *reader, const struct document_node *node,
                     struct slice path, struct budget_reading *reading)
{
    int index = -1;
    take_choice(reader, node, path, SPANS, &index);
    if (index >= 0)
        reading->rules.per = (enum budget_per)(BUDGET_MINUTE + index);
}

static void take_hard(struct settings_reader *reader, const struct document_node *node,
                      struct slice path, struct budget_reading *reading)
{
    int index = 0;
    take_choice(reader, node, path, HARD, &index);
    reading->rules.rejects = index == 1;
}

static void take_amount(struct settings_reader *reader, const struct document_node *node,
                        struct slice path, struct budget_reading *reading)
{
    struct slice text = SLICE_NULL;
    reading->has_amount = true;
    if (!settings_take_text(reader, node, path, &text))
        return;
    if (!money_read_amount(slice_trim(text), &reading->rules.limit) || reading->rules.limit == 0)
        mistake_add_value(reader->problems, node, path,
                          "an amount of money above 0 and below 9 million, such as \"50\" or "
                          "\"0.25\"");
    reading->rules.is_money = true;
}

static void take_tokens(struct settings_reader *reader, const struct document_node *node,
                        struct slice path, struct budget_reading *reading)
{
    struct slice text = SLICE_NULL;
    reading->has_tokens = true;
    if (!settings_take_text(reader, node, path, &text))
        return;
    text = slice_trim(text);
    if (!slice_to_int64(text, &reading->rules.limit) || settings_is_octal(text) ||
        reading->rules.limit < 1 || reading->rules.limit > TOKENS_MAX)
        mistake_add_value(reader->problems, node, path, "a number of tokens above 0");
}

static void take_currency(struct settings_reader *reader, const struct document_node *node,
                          struct slice path, struct budget_reading *reading)
{
    reading->has_currency = true;
    if (!settings_take_text(reader, node, path, &reading->currency))
        return;
    reading->currency = slice_trim(reading->currency);
    if (!money_is_currency(reading->currency))
        mistake_add_value(reader->problems, node, path, "a currency's code such as USD or EUR");
}

static void take_soft(struct settings_reader *reader, const struct document_node *node,
                      struct slice path, struct budget_reading *reading)
{
    struct slice text = SLICE_NULL;
    if (!settings_take_text(reader, node, path, &text))
        return;
    text = slice_trim(text);
    bool is_percent = slice_ends(text, SLICE("%")) &&
                      slice_to_int64(slice_sub(text, 0, text.len - 1), &reading->soft_percent);
    if (!is_percent || reading->soft_percent < 1 || reading->soft_percent > 99)
        mistake_add_value(reader->problems, node, path, "a percentage of the limit, 1% to 99%");
}

static const struct budget_member {
    const char *name, *schema;
    void (*take)(struct settings_reader *reader, const struct document_node *node,
                 struct slice path, struct budget_reading *reading);
} MEMBERS[] = {
    {"amount", "{\"type\":[\"string\",\"number\"]}", take_amount},
    {"tokens", "{\"type\":\"integer\",\"minimum\":1}", take_tokens},
    {"currency", "{\"type\":\"string\",\"pattern\":\"^[A-Z]{3}$\"}", take_currency},
    {"per", "{\"enum\":[\"minute\",\"hour\",\"day\",\"month\"]}", take_per},
    {"soft", "{\"type\":\"string\",\"pattern\":\"^[1-9][0-9]?%$\"}", take_soft},
    {"hard", "{\"enum\":[\"hold\",\"reject\"]}", take_hard},
};

void settings_add_budget_schema(struct buf *buf)
{
    json_add_name(buf, "oneOf");
    buf_add_text(buf, "[{\"const\":\"none\"},{\"type\":\"object\",\"additionalProperties\":false,"
                      "\"required\":[\"per\"],\"properties\":{");
    for (size_t i = 0; i < COUNT_OF(MEMBERS); i++)
        buf_addf(buf, "%s\"%s\":%s", i == 0 ? "" : ",", MEMBERS[i].name, MEMBERS[i].schema);
    buf_add_text(buf, "}}]");
}

/* Adds problems for members that contradict each other or are missing. */
static bool is_whole(struct settings_reader *reader, const struct document_node *node,
                     struct slice path, const struct budget_reading *reading)
{
    const char *fault = NULL;
    if (reading->has_amount == reading->has_tokens)
        fault = "needs either amount (with currency) or tokens";
    else if (reading->has_amount != reading->has_currency)
        fault = reading->has_amount ? "needs the currency of its amount, e.g. currency: USD"
                                    : "has a currency and no amount; tokens have none";
    else if (reading->rules.per == BUDGET_NONE)
        fault = "needs per: minute, hour, day or month (UTC)";
    if (fault != NULL)
        problems_add(reader->problems, node->place, path, "%s", fault);
    return fault == NULL;
}

static const struct setting_members FOUND = {
    MEMBERS, COUNT_OF(MEMBERS), sizeof MEMBERS[0],
    "a budget has amount and currency, or tokens, and per, soft, "
    "hard"};

static void take_members(struct settings_reader *reader, const struct document_node *node,
                         struct slice path, struct budget_reading *reading)
{
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        struct slice below;
        const struct budget_member *member =
            settings_find_member(reader, node, item, &FOUND, path, &below);
        if (member != NULL)
            member->take(reader, item, below, reading);
    }
}

void settings_take_budget(struct settings_reader *reader, const struct document_node *node,
                          struct slice path, struct tenant_row *ret_row)
{
    struct budget_reading reading = {.soft_percent = 0};
    if (node->kind != DOCUMENT_MAP || document_is_null(node)) {
        mistake_add_kind(reader->problems, node, path, BUDGET);
        return;
    }
    size_t before = problems_found(reader->problems);
    take_members(reader, node, path, &reading);
    if (problems_found(reader->problems) > before || !is_whole(reader, node, path, &reading))
        return;
    reading.rules.soft = reading.rules.limit / 100 * reading.soft_percent;
    slice_write(reading.currency, reading.rules.currency, sizeof reading.rules.currency);
    ret_row->budget = reading.rules;
}
