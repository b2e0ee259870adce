/* Reads YAML into struct sim_config, by tables of rows, one for each map of the file. */
#include "sim/settings.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "yaml/document.h"
#include "yaml/mistake.h"
#include "yaml/units.h"

#define COUNT_MAX   INT64_C(9000000000000000)
#define GROUPS_MAX  (8 + SIM_KEYS_MAX + SIM_QUOTAS_MAX + SIM_ANSWERS_MAX + SIM_RULES_MAX)
#define RATE_WORDS  "a rate from 0 to 1"
#define DELAY_WORDS "a delay such as 250ms, uniform(100ms, 300ms) or lognormal(800ms, 0.5)"

void sim_effect_clear(struct sim_effect *ret_effect)
{
    *ret_effect = (struct sim_effect){.fault = SIM_UNSET,
                                      .bytes = SIM_UNSET,
                                      .after = SIM_UNSET,
                                      .skew_ms = 0,
                                      .retry_after_ms = SIM_UNSET};
}

bool sim_config_keep(struct sim_config *config, struct slice text, struct slice *ret_text)
{
    return arena_copy(&config->arena, text, ret_text);
}

enum row_type {
    ROW_TEXT,
    ROW_FLAG,
    ROW_COUNT,
    ROW_SPAN,
    ROW_SIGNED_SPAN,
    ROW_RATE,
    ROW_DELAY,
    ROW_FAULT,
    ROW_OPERATION,
    ROW_TEXTS,
    ROW_RATES, /* of faults, by their names */
    ROW_SECTION,
    ROW_LIST /* of objects */
};

/* One setting: its offset in its object, and which values are valid. */
struct row {
    const char *key;
    enum row_type type;
    size_t offset;
    int64_t low, high;      /* of COUNT; TEXTS and LIST have at most `high` entries */
    const struct row *rows; /* of SECTION, and of each object of LIST */
    size_t row_count;
    size_t count_offset, element_bytes; /* of LIST: of its counter; of one object */
};

#define ROW(name, kind, object, member)                                                            \
    {                                                                                              \
        .key = (name), .type = ROW_##kind, .offset = offsetof(struct object, member)               \
    }
#define COUNT(name, object, member, least, most)                                                   \
    {                                                                                              \
        .key = (name), .type = ROW_COUNT, .offset = offsetof(struct object, member),               \
        .low = (least), .high = (most)                                                             \
    }
#define TEXTS(name, object, member, most)                                                          \
    {                                                                                              \
        .key = (name), .type = ROW_TEXTS, .offset = offsetof(struct object, member),               \
        .high = (most)                                                                             \
    }
#define SECTION(name, section)                                                                     \
    {                                                                                              \
        .key = (name), .type = ROW_SECTION, .rows = (section), .row_count = COUNT_OF(section)      \
    }
#define LIST(name, element, member, counter, most)                                                 \
    {                                                                                              \
        .key = (name), .type = ROW_LIST, .offset = offsetof(struct sim_config, member),            \
        .high = (most), .rows = (element), .row_count = COUNT_OF(element),                         \
        .count_offset = offsetof(struct sim_config, counter),                                      \
        .element_bytes = sizeof(((struct sim_config *)0)->member[0])                               \
    }
#define MATCH_ROWS(object)                                                                         \
    ROW("system", TEXT, object, match.system), ROW("prompt", TEXT, object, match.prompt),          \
        ROW("model", TEXT, object, match.model),                                                   \
        ROW("operation", OPERATION, object, match.operation)

static const struct row KEY_ROWS[] = {
    ROW("access_key_id", TEXT, sim_key, access_key_id),
    ROW("secret_access_key", TEXT, sim_key, secret_access_key),
    ROW("session_token", TEXT, sim_key, session_token),
    ROW("expired", FLAG, sim_key, expired),
};
static const struct row QUOTA_ROWS[] = {
    ROW("model", TEXT, sim_quota, model),
    COUNT("requests", sim_quota, requests, 0, COUNT_MAX),
    COUNT("tokens", sim_quota, tokens, 0, COUNT_MAX),
    COUNT("tokens_per_day", sim_quota, tokens_per_day, 0, COUNT_MAX),
    ROW("burst", SPAN, sim_quota, burst_ms),
    COUNT("burndown", sim_quota, burndown, 1, 100),
    ROW("windows", FLAG, sim_quota, windows),
};
static const struct row QUOTA_STEP_ROWS[] = {
    ROW("model", TEXT, sim_quota_step, model),
    ROW("at", SPAN, sim_quota_step, at_ms),
    ROW("factor", RATE, sim_quota_step, factor),
};
static const struct row COMPETITOR_ROWS[] = {
    ROW("model", TEXT, sim_competitor, model),
    ROW("from", SPAN, sim_competitor, from_ms),
    ROW("to", SPAN, sim_competitor, to_ms),
    ROW("share", RATE, sim_competitor, share),
};
static const struct row ANSWER_ROWS[] = {
    MATCH_ROWS(sim_answer),
    ROW("text", TEXT, sim_answer, text),
    TEXTS("pieces", sim_answer, pieces, SIM_PIECES_MAX),
    COUNT("input_tokens", sim_answer, input_tokens, 0, COUNT_MAX),
    COUNT("output_tokens", sim_answer, output_tokens, 0, COUNT_MAX),
    ROW("stop_reason", TEXT, sim_answer, stop_reason),
    ROW("tool", TEXT, sim_answer, tool),
    ROW("input", TEXT, sim_answer, input),
    ROW("reasoning", TEXT, sim_answer, reasoning),
    COUNT("latency_ms", sim_answer, latency_ms, 0, COUNT_MAX),
    COUNT("stream_latency_ms", sim_answer, stream_latency_ms, 0, COUNT_MAX),
};
static const struct row RULE_ROWS[] = {
    MATCH_ROWS(sim_rule),
    COUNT("nth", sim_rule, nth, 1, COUNT_MAX),
    COUNT("every", sim_rule, every, 1, COUNT_MAX),
    COUNT("times", sim_rule, times, 0, COUNT_MAX),
    ROW("rate", RATE, sim_rule, rate),
    ROW("fault", FAULT, sim_rule, effect.fault),
    ROW("latency", DELAY, sim_rule, effect.latency),
    ROW("gap", DELAY, sim_rule, effect.gap),
    COUNT("bytes", sim_rule, effect.bytes, 1, SIM_BYTES_MAX),
    COUNT("after", sim_rule, effect.after, 0, COUNT_MAX),
    ROW("skew", SIGNED_SPAN, sim_rule, effect.skew_ms),
    ROW("retry_after", SPAN, sim_rule, effect.retry_after_ms),
};
static const struct row AUTH_ROWS[] = {
    ROW("required", FLAG, sim_config, auth_required),
    ROW("region", TEXT, sim_config, region),
    ROW("clock_skew", SIGNED_SPAN, sim_config, clock_skew_ms),
    ROW("max_skew", SPAN, sim_config, skew_max_ms),
    TEXTS("bearer_tokens", sim_config, bearers, SIM_BEARERS_MAX),
    LIST("keys", KEY_ROWS, keys, key_count, SIM_KEYS_MAX),
};
static const struct row TAG_ROWS[] = {
    ROW("open", TEXT, sim_config, tag_open),
    ROW("close", TEXT, sim_config, tag_close),
};
static const struct row LEDGER_ROWS[] = {
    ROW("path", TEXT, sim_config, ledger_path),
    ROW("flush", SPAN, sim_config, ledger_flush_ms),
};
static const struct row LIMIT_ROWS[] = {
    COUNT("connections", sim_config, connections_max, 1, 200000),
    COUNT("body", sim_config, body_bytes_max, 1, SIM_BODY_MAX),
    ROW("idle", SPAN, sim_config, idle_ms),
    ROW("stall", SPAN, sim_config, stall_ms),
};
static const struct row TOP_ROWS[] = {
    ROW("address", TEXT, sim_config, address),
    COUNT("port", sim_config, port, 0, 65535),
    COUNT("seed", sim_config, seed, 0, COUNT_MAX),
    ROW("directives", FLAG, sim_config, directives),
    ROW("latency", DELAY, sim_config, latency),
    ROW("gap", DELAY, sim_config, gap),
    ROW("padding_rate", RATE, sim_config, padding_rate),
    COUNT("answer_bytes", sim_config, answer_bytes, 1, SIM_BYTES_MAX),
    TEXTS("models", sim_config, models, SIM_MODELS_MAX),
    SECTION("auth", AUTH_ROWS),
    SECTION("tag", TAG_ROWS),
    SECTION("ledger", LEDGER_ROWS),
    SECTION("limits", LIMIT_ROWS),
    ROW("faults", RATES, sim_config, fault_rates),
    LIST("quotas", QUOTA_ROWS, quotas, quota_count, SIM_QUOTAS_MAX),
    LIST("quota_steps", QUOTA_STEP_ROWS, quota_steps, quota_step_count, SIM_QUOTA_STEPS_MAX),
    LIST("competitors", COMPETITOR_ROWS, competitors, competitor_count, SIM_COMPETITORS_MAX),
    LIST("answers", ANSWER_ROWS, answers, answer_count, SIM_ANSWERS_MAX),
    LIST("rules", RULE_ROWS, rules, rule_count, SIM_RULES_MAX),
};

/* A map of the file and the object that it fills. */
struct group {
    const struct document_node *map;
    struct slice path; /* "" = the root */
    const struct row *rows;
    size_t row_count;
    void *object;
};

struct reader {
    struct sim_config *config;
    struct problems *problems;
    struct group *waiting; /* GROUPS_MAX: maps that the reader has not read yet */
    size_t count;
};

static void take_count(struct reader *reader, const struct row *row,
                       const struct document_node *node, struct slice path, int64_t *ret_count)
{
    int64_t value = 0;
    char limits[64];
    (void)snprintf(limits, sizeof limits, "%lld to %lld", (long long)row->low,
                   (long long)row->high);
    if (!slice_to_int64(node->text, &value))
        mistake_add_value(reader->problems, node, path, "a whole number");
    else if (value < row->low || value > row->high)
        mistake_add_limits(reader->problems, node, path, limits);
    else
        *ret_count = value;
}

static void take_flag(struct reader *reader, const struct document_node *node, struct slice path,
                      bool *ret_flag)
{
    static const char *const TRUE_WORDS[] = {"true", "yes"}, *const FALSE_WORDS[] = {"false", "no"};
    bool is_true = slice_is_one_of(node->text, TRUE_WORDS, COUNT_OF(TRUE_WORDS));
    if (is_true || slice_is_one_of(node->text, FALSE_WORDS, COUNT_OF(FALSE_WORDS)))
        *ret_flag = is_true;
    else
        mistake_add_flag(reader->problems, node, path);
}

static void take_span(struct reader *reader, const struct row *row,
                      const struct document_node *node, struct slice path, int64_t *ret_ms)
{
    int64_t ms = 0;
    if (span_read(node->text, row->type == ROW_SIGNED_SPAN, ret_ms))
        return;
    if (units_read_span(node->text, &ms))
        mistake_add_limits(reader->problems, node, path, "0 to 1d");
    else
        mistake_add_span(reader->problems, node, path);
}

static void take_delay(struct reader *reader, const struct document_node *node, struct slice path,
                       struct delay *ret_delay)
{
    int64_t number = 0;
    if (delay_read(node->text, ret_delay))
        return;
    if (slice_to_int64(node->text, &number))
        mistake_add_span(reader->problems, node, path);
    else
        mistake_add_value(reader->problems, node, path, DELAY_WORDS);
}

static void take_rate(struct reader *reader, const struct document_node *node, struct slice path,
                      double *ret_rate)
{
    double rate;
    if (node->kind == DOCUMENT_TEXT && number_read(node->text, &rate) && rate >= 0 && rate <= 1)
        *ret_rate = rate;
    else if (node->kind == DOCUMENT_TEXT)
        mistake_add_value(reader->problems, node, path, RATE_WORDS);
    else
        mistake_add_kind(reader->problems, node, path, RATE_WORDS);
}

static void reject_fault(struct reader *reader, struct place place, struct slice path,
                         struct slice word)
{
    struct suggest suggest;
    suggest_init(&suggest, word);
    for (size_t i = 0; i < FAULT_COUNT; i++)
        suggest_offer(&suggest, slice_of_text(FAULTS[i].word));
    if (suggest.nearest.ptr != NULL)
        problems_add(reader->problems, place, path, "unknown fault; did you mean %.*s?",
                     SLICE_ARG(suggest.nearest));
    else
        problems_add(reader->problems, place, path,
                     "unknown fault; `bedrock-sim --help` lists all");
}

static void take_fault(struct reader *reader, const struct document_node *node, struct slice path,
                       int64_t *ret_fault)
{
    enum fault fault;
    if (fault_from_word(node->text, &fault))
        *ret_fault = fault;
    else
        reject_fault(reader, node->place, path, node->text);
}

static void take_operation(struct reader *reader, const struct document_node *node,
                           struct slice path, enum operation *ret_operation)
{
    if (!operation_from_word(node->text, ret_operation))
        mistake_add_value(reader->problems, node, path,
                          "one of converse, converse-stream, invoke, "
                          "invoke-with-response-stream, count-tokens");
}

static void take_texts(struct reader *reader, const struct row *row,
                       const struct document_node *node, struct slice path,
                       struct sim_texts *ret_texts)
{
    if (node->kind != DOCUMENT_LIST) {
        mistake_add_kind(reader->problems, node, path, "a list such as [a, b]");
        return;
    }
    struct slice *list = arena_new_array(&reader->config->arena, node->count, sizeof *list);
    if ((int64_t)node->count > row->high || list == NULL) {
        problems_add(reader->problems, node->place, path, "has too many entries; at most %lld",
                     (long long)row->high);
        return;
    }
    *ret_texts = (struct sim_texts){list, node->count};
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        if (item->kind != DOCUMENT_TEXT)
            mistake_add_no_text(reader->problems, item, path, true);
        *list++ = item->text;
    }
}

static void take_rates(struct reader *reader, const struct document_node *node, struct slice path)
{
    if (node->kind != DOCUMENT_MAP) {
        mistake_add_kind(reader->problems, node, path, "a map such as {throttling: 0.05}");
        return;
    }
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        struct slice below = document_path(&reader->config->arena, path, item->key);
        enum fault fault;
        if (!fault_from_word(item->key, &fault) || fault == FAULT_NONE)
            reject_fault(reader, item->key_place, below, item->key);
        else
            take_rate(reader, item, below, &reader->config->fault_rates[fault]);
    }
}

static void clear_element(const struct row *list, void *element)
{
    memset(element, 0, list->element_bytes);
    if (list->rows == ANSWER_ROWS) {
        struct sim_answer *answer = element;
        answer->input_tokens = answer->output_tokens = SIM_UNSET;
        answer->latency_ms = answer->stream_latency_ms = SIM_UNSET;
    } else if (list->rows == RULE_ROWS) {
        struct sim_rule *rule = element;
        rule->nth = rule->every = rule->times = SIM_UNSET;
        rule->rate = 1;
        sim_effect_clear(&rule->effect);
    } else if (list->rows == QUOTA_ROWS) {
        struct sim_quota *quota = element;
        quota->burst_ms = 60000;
        quota->burndown = 1;
    } else if (list->rows == QUOTA_STEP_ROWS) {
        ((struct sim_quota_step *)element)->factor = 1;
    } else if (list->rows == COMPETITOR_ROWS) {
        ((struct sim_competitor *)element)->to_ms = INT64_MAX;
    }
}

/* Makes `path[index]`; returns the path when out of memory. */
static struct slice entry_path(struct sim_config *config, struct slice path, size_t index)
{
    char text[PROBLEM_PATH_MAX];
    struct slice entry;
    (void)snprintf(text, sizeof text, "%.*s[%zu]", SLICE_ARG(path), index);
    return sim_config_keep(config, slice_of_text(text), &entry) ? entry : path;
}

static void await(struct reader *reader, struct group group)
{
    if (reader->count < GROUPS_MAX)
        reader->waiting[reader->count++] = group;
}

static void take_list(struct reader *reader, const struct row *row,
                      const struct document_node *node, struct slice path)
{
    char *elements = (char *)reader->config + row->offset;
    size_t *count = (size_t *)(void *)((char *)reader->config + row->count_offset);
    if (node->kind != DOCUMENT_LIST) {
        mistake_add_kind(reader->problems, node, path, "a list of maps such as [{name: value}]");
        return;
    }
    if ((int64_t)node->count > row->high) {
        problems_add(reader->problems, node->place, path, "has too many entries; at most %lld",
                     (long long)row->high);
        return;
    }
    *count = 0;
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        void *element = elements + *count * row->element_bytes;
        clear_element(row, element);
        await(reader, (struct group){item, entry_path(reader->config, path, (*count)++), row->rows,
                                     row->row_count, element});
    }
}

static void take_scalar(struct reader *reader, const struct row *row,
                        const struct document_node *node, struct slice path, void *place)
{
    if (node->kind != DOCUMENT_TEXT) {
        mistake_add_no_text(reader->problems, node, path, true);
        return;
    }
    switch ((int)row->type) {
    case ROW_COUNT:
        take_count(reader, row, node, path, place);
        return;
    case ROW_FLAG:
        take_flag(reader, node, path, place);
        return;
    case ROW_SPAN:
    case ROW_SIGNED_SPAN:
        take_span(reader, row, node, path, place);
        return;
    case ROW_DELAY:
        take_delay(reader, node, path, place);
        return;
    case ROW_FAULT:
        take_fault(reader, node, path, place);
        return;
    case ROW_OPERATION:
        take_operation(reader, node, path, place);
        return;
    default:
        *(struct slice *)place = node->text;
    }
}

static void take_row(struct reader *reader, const struct row *row, const struct document_node *node,
                     struct slice path, void *object)
{
    void *place = (char *)object + row->offset;
    switch ((int)row->type) {
    case ROW_SECTION:
        await(reader, (struct group){node, path, row->rows, row->row_count, object});
        return;
    case ROW_LIST:
        take_list(reader, row, node, path);
        return;
    case ROW_RATES:
        take_rates(reader, node, path);
        return;
    case ROW_TEXTS:
        take_texts(reader, row, node, path, place);
        return;
    case ROW_RATE:
        take_rate(reader, node, path, place);
        return;
    default:
        take_scalar(reader, row, node, path, place);
    }
}

static void reject_unknown(struct reader *reader, const struct group *group,
                           const struct document_node *node, struct slice path)
{
    struct suggest suggest;
    struct buf known OWNED_BY(buf_done);
    buf_init(&known, PROBLEM_TEXT_MAX);
    suggest_init(&suggest, node->key);
    for (size_t i = 0; i < group->row_count; i++) {
        suggest_offer(&suggest, slice_of_text(group->rows[i].key));
        buf_addf(&known, "%s%s", i > 0 ? ", " : "", group->rows[i].key);
    }
    if (suggest.nearest.ptr != NULL)
        problems_add(reader->problems, node->key_place, path, "unknown setting; did you mean %.*s?",
                     SLICE_ARG(suggest.nearest));
    else
        problems_add(reader->problems, node->key_place, path, "unknown setting; there are %s",
                     buf_text(&known));
}

/* Checks members of a map that depend on each other. */
static void check_group(struct reader *reader, const struct group *group)
{
    if (group->rows == KEY_ROWS) {
        const struct sim_key *key = group->object;
        if (key->access_key_id.len == 0 || key->secret_access_key.len == 0)
            problems_add(reader->problems, group->map->place, group->path,
                         "needs access_key_id and secret_access_key; add them");
    } else if (group->rows == ANSWER_ROWS) {
        const struct sim_answer *answer = group->object;
        size_t len = 0;
        for (size_t i = 0; i < answer->pieces.count; i++)
            len += answer->pieces.list[i].len;
        if (answer->pieces.count > 0 && len != answer->text.len)
            problems_add(reader->problems, group->map->place, group->path,
                         "the pieces do not add up to the text; change one of them");
    }
}

static void take_group(struct reader *reader, const struct group *group)
{
    size_t before = problems_found(reader->problems);
    if (group->map->kind != DOCUMENT_MAP) {
        if (!document_is_null(group->map))
            mistake_add_kind(reader->problems, group->map, group->path,
                             "`name: value` lines, or {name: value}");
        return;
    }
    for (const struct document_node *node = group->map->first; node != NULL; node = node->next) {
        struct slice path = document_path(&reader->config->arena, group->path, node->key);
        const struct row *row = group->rows, *end = row + group->row_count;
        while (row < end && !slice_equal_text(node->key, row->key))
            row++;
        if (row == end)
            reject_unknown(reader, group, node, path);
        else if (document_is_repeated(group->map, node))
            problems_add(reader->problems, node->key_place, path,
                         "is there twice; keep one of them");
        else
            take_row(reader, row, node, path, group->object);
    }
    if (problems_found(reader->problems) == before)
        check_group(reader, group);
}

static void config_clear(struct sim_config *config)
{
    struct arena arena = config->arena;
    arena_reset(&arena);
    memset(config, 0, sizeof *config);
    config->arena = arena;
    config->address = SLICE("127.0.0.1");
    config->directives = true;
    config->tag_open = SLICE("[[id:");
    config->tag_close = SLICE("]]");
    config->padding_rate = 0.5;
    config->answer_bytes = SIM_UNSET;
    config->auth_required = true;
    config->keys[0].access_key_id = SLICE(SIM_ACCESS_KEY_ID);
    config->keys[0].secret_access_key = SLICE(SIM_SECRET_ACCESS_KEY);
    config->key_count = 1;
    config->skew_max_ms = 300000;
    config->ledger_flush_ms = 50;
    config->connections_max = 16384;
    config->body_bytes_max = SIM_BODY_MAX;
    config->idle_ms = 350000;
    config->stall_ms = 3600000;
}

bool sim_config_read(struct sim_config *config, struct slice text, const char *name)
{
    struct document_node *root = NULL;
    config_clear(config);
    struct reader reader = {.config = config, .problems = &config->problems};
    document_read(&config->arena, text, name, reader.problems, &root);
    reader.waiting = arena_new_array(&config->arena, GROUPS_MAX, sizeof *reader.waiting);
    if (reader.waiting == NULL)
        problems_add(reader.problems, (struct place){name, 0, 0}, SLICE(""), "out of memory");
    else if (root != NULL)
        await(&reader, (struct group){root, SLICE(""), TOP_ROWS, COUNT_OF(TOP_ROWS), config});
    for (size_t i = 0; i < reader.count; i++)
        take_group(&reader, &reader.waiting[i]);
    problems_sort(reader.problems);
    return problems_found(reader.problems) == 0;
}
