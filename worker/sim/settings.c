#include "sim/settings.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/memory.h"

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
    ROW_SECTION,
    ROW_LIST /* of objects; read by read_top */
};

/* One setting: where it goes (from the start of its object) and what it may be. */
struct row {
    const char *key;
    enum row_type type;
    size_t offset;
    double min, max; /* counts; texts: `max` entries of a list */
    const struct row *section;
    size_t section_rows;
};

#define AT(type, member) offsetof(struct type, member)
#define ROW(key, row_type, object, member, min, max)                                               \
    {                                                                                              \
        key, row_type, AT(object, member), min, max, NULL, 0                                       \
    }
#define SECTION(key, rows)                                                                         \
    {                                                                                              \
        key, ROW_SECTION, 0, 0, 0, rows, COUNT_OF(rows)                                            \
    }
#define COUNT_MAX 9e15
#define MATCH_ROWS(object)                                                                         \
    ROW("system", ROW_TEXT, object, match.system, 0, 0),                                           \
        ROW("prompt", ROW_TEXT, object, match.prompt, 0, 0),                                       \
        ROW("model", ROW_TEXT, object, match.model, 0, 0),                                         \
        ROW("operation", ROW_OPERATION, object, match.operation, 0, 0)

static const struct row AUTH_ROWS[] = {
    ROW("required", ROW_FLAG, sim_config, auth_required, 0, 0),
    ROW("region", ROW_TEXT, sim_config, region, 0, 0),
    ROW("clock_skew", ROW_SIGNED_SPAN, sim_config, clock_skew_ms, 0, 0),
    ROW("max_skew", ROW_SPAN, sim_config, skew_max_ms, 0, 0),
    ROW("bearer_tokens", ROW_TEXTS, sim_config, bearers, 0, SIM_BEARERS_MAX),
    ROW("keys", ROW_LIST, sim_config, keys, 0, 0),
};
static const struct row TAG_ROWS[] = {
    ROW("open", ROW_TEXT, sim_config, tag_open, 0, 0),
    ROW("close", ROW_TEXT, sim_config, tag_close, 0, 0),
};
static const struct row LEDGER_ROWS[] = {
    ROW("path", ROW_TEXT, sim_config, ledger_path, 0, 0),
    ROW("flush", ROW_SPAN, sim_config, ledger_flush_ms, 0, 0),
};
static const struct row LIMIT_ROWS[] = {
    ROW("connections", ROW_COUNT, sim_config, connections_max, 1, 200000),
    ROW("body", ROW_COUNT, sim_config, body_bytes_max, 1, SIM_BODY_MAX),
    ROW("idle", ROW_SPAN, sim_config, idle_ms, 0, 0),
    ROW("stall", ROW_SPAN, sim_config, stall_ms, 0, 0),
};
static const struct row TOP_ROWS[] = {
    ROW("address", ROW_TEXT, sim_config, address, 0, 0),
    ROW("port", ROW_COUNT, sim_config, port, 0, 65535),
    ROW("seed", ROW_COUNT, sim_config, seed, 0, COUNT_MAX),
    ROW("directives", ROW_FLAG, sim_config, directives, 0, 0),
    ROW("latency", ROW_DELAY, sim_config, latency, 0, 0),
    ROW("gap", ROW_DELAY, sim_config, gap, 0, 0),
    ROW("padding_rate", ROW_RATE, sim_config, padding_rate, 0, 0),
    ROW("answer_bytes", ROW_COUNT, sim_config, answer_bytes, 1, SIM_BYTES_MAX),
    ROW("models", ROW_TEXTS, sim_config, models, 0, SIM_MODELS_MAX),
    SECTION("auth", AUTH_ROWS),
    SECTION("tag", TAG_ROWS),
    SECTION("ledger", LEDGER_ROWS),
    SECTION("limits", LIMIT_ROWS),
};
static const struct row KEY_ROWS[] = {
    ROW("access_key_id", ROW_TEXT, sim_key, access_key_id, 0, 0),
    ROW("secret_access_key", ROW_TEXT, sim_key, secret_access_key, 0, 0),
    ROW("session_token", ROW_TEXT, sim_key, session_token, 0, 0),
    ROW("expired", ROW_FLAG, sim_key, expired, 0, 0),
};
static const struct row QUOTA_ROWS[] = {
    ROW("model", ROW_TEXT, sim_quota, model, 0, 0),
    ROW("requests", ROW_COUNT, sim_quota, requests, 0, COUNT_MAX),
    ROW("tokens", ROW_COUNT, sim_quota, tokens, 0, COUNT_MAX),
    ROW("burst", ROW_SPAN, sim_quota, burst_ms, 0, 0),
};
static const struct row ANSWER_ROWS[] = {
    MATCH_ROWS(sim_answer),
    ROW("text", ROW_TEXT, sim_answer, text, 0, 0),
    ROW("pieces", ROW_TEXTS, sim_answer, pieces, 0, SIM_PIECES_MAX),
    ROW("input_tokens", ROW_COUNT, sim_answer, input_tokens, 0, COUNT_MAX),
    ROW("output_tokens", ROW_COUNT, sim_answer, output_tokens, 0, COUNT_MAX),
    ROW("stop_reason", ROW_TEXT, sim_answer, stop_reason, 0, 0),
    ROW("latency_ms", ROW_COUNT, sim_answer, latency_ms, 0, COUNT_MAX),
    ROW("stream_latency_ms", ROW_COUNT, sim_answer, stream_latency_ms, 0, COUNT_MAX),
};
static const struct row RULE_ROWS[] = {
    MATCH_ROWS(sim_rule),
    ROW("nth", ROW_COUNT, sim_rule, nth, 1, COUNT_MAX),
    ROW("every", ROW_COUNT, sim_rule, every, 1, COUNT_MAX),
    ROW("times", ROW_COUNT, sim_rule, times, 0, COUNT_MAX),
    ROW("rate", ROW_RATE, sim_rule, rate, 0, 0),
    ROW("fault", ROW_FAULT, sim_rule, effect.fault, 0, 0),
    ROW("latency", ROW_DELAY, sim_rule, effect.latency, 0, 0),
    ROW("gap", ROW_DELAY, sim_rule, effect.gap, 0, 0),
    ROW("bytes", ROW_COUNT, sim_rule, effect.bytes, 1, SIM_BYTES_MAX),
    ROW("after", ROW_COUNT, sim_rule, effect.after, 0, COUNT_MAX),
    ROW("skew", ROW_SIGNED_SPAN, sim_rule, effect.skew_ms, 0, 0),
    ROW("retry_after", ROW_SPAN, sim_rule, effect.retry_after_ms, 0, 0),
};

/* Lists of objects at the top. */
struct list_row {
    const char *key;
    const struct row *rows;
    size_t row_count;
    size_t offset, count_offset; /* of the array and its counter in sim_config */
    size_t element_bytes, elements_max;
};
#define LIST(key, rows, member, counter, max)                                                      \
    {                                                                                              \
        key, rows, COUNT_OF(rows), AT(sim_config, member), AT(sim_config, counter),                \
            sizeof(((struct sim_config *)0)->member[0]), max                                       \
    }
static const struct list_row KEYS_LIST = LIST("keys", KEY_ROWS, keys, key_count, SIM_KEYS_MAX);
static const struct list_row LIST_ROWS[] = {
    LIST("quotas", QUOTA_ROWS, quotas, quota_count, SIM_QUOTAS_MAX),
    LIST("answers", ANSWER_ROWS, answers, answer_count, SIM_ANSWERS_MAX),
    LIST("rules", RULE_ROWS, rules, rule_count, SIM_RULES_MAX),
};

struct reading {
    struct sim_config *config;
    yaml_document_t *document;
    const char *name;
    char *problem;
};

static enum err refuse(struct reading *reading, const yaml_node_t *node, const char *words,
                       const char *key)
{
    (void)snprintf(reading->problem, SIM_PROBLEM_MAX, "%s:%zu:%zu: %s%s%.64s%s", reading->name,
                   node->start_mark.line + 1, node->start_mark.column + 1, words,
                   key[0] != '\0' ? " `" : "", key, key[0] != '\0' ? "`" : "");
    return ERR_INVALID;
}

static struct slice scalar_text(const yaml_node_t *node)
{
    return slice_of(node->data.scalar.value, node->data.scalar.length);
}

static enum err keep(struct reading *reading, struct slice text, struct slice *ret_text)
{
    return sim_config_keep(reading->config, text, ret_text) ? OK : ERR_NO_MEMORY;
}

static bool read_flag(struct slice text, bool *ret_flag)
{
    *ret_flag = slice_equal_text(text, "true") || slice_equal_text(text, "yes");
    return *ret_flag || slice_equal_text(text, "false") || slice_equal_text(text, "no");
}

static bool read_operation(struct slice text, enum operation *ret_operation)
{
    if (slice_equal_text(text, "converse"))
        *ret_operation = OPERATION_CONVERSE;
    else if (slice_equal_text(text, "converse-stream"))
        *ret_operation = OPERATION_CONVERSE_STREAM;
    else
        return false;
    return true;
}

static bool read_fault(struct slice text, int64_t *ret_fault)
{
    enum fault fault;
    bool known = fault_from_word(text, &fault);
    if (known)
        *ret_fault = fault;
    return known;
}

static enum err read_texts(struct reading *reading, const struct row *row, const yaml_node_t *node,
                           struct sim_texts *ret_texts)
{
    if (node->type != YAML_SEQUENCE_NODE)
        return refuse(reading, node, "a list of texts is wanted for", row->key);
    size_t count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    if ((double)count > row->max)
        return refuse(reading, node, "too many entries in", row->key);
    struct slice *list = arena_new_array(&reading->config->arena, count, sizeof *list);
    if (list == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const yaml_node_t *item =
            yaml_document_get_node(reading->document, node->data.sequence.items.start[i]);
        if (item->type != YAML_SCALAR_NODE)
            return refuse(reading, item, "a text is wanted in", row->key);
        enum err err = keep(reading, scalar_text(item), &list[i]);
        if (err != OK)
            return err;
    }
    *ret_texts = (struct sim_texts){list, count};
    return OK;
}

static enum err read_count(struct reading *reading, const struct row *row, const yaml_node_t *node,
                           int64_t *ret_count)
{
    int64_t value;
    if (!slice_to_int64(scalar_text(node), &value))
        return refuse(reading, node, "a whole number is wanted for", row->key);
    if ((double)value < row->min || (double)value > row->max)
        return refuse(reading, node, "outside its limits:", row->key);
    *ret_count = value;
    return OK;
}

static enum err read_scalar(struct reading *reading, const struct row *row, const yaml_node_t *node,
                            void *place)
{
    struct slice text = scalar_text(node);
    double *rate = place;
    switch (row->type) {
    case ROW_TEXT:
        return keep(reading, text, place);
    case ROW_COUNT:
        return read_count(reading, row, node, place);
    case ROW_FLAG:
        return read_flag(text, place)
                   ? OK
                   : refuse(reading, node, "true or false is wanted for", row->key);
    case ROW_SPAN:
    case ROW_SIGNED_SPAN:
        return span_read(text, row->type == ROW_SIGNED_SPAN, place)
                   ? OK
                   : refuse(reading, node, "a duration (200ms, 5m) is wanted for", row->key);
    case ROW_RATE:
        return number_read(text, rate) && *rate >= 0 && *rate <= 1
                   ? OK
                   : refuse(reading, node, "a rate from 0 to 1 is wanted for", row->key);
    case ROW_DELAY:
        return delay_read(text, place)
                   ? OK
                   : refuse(reading, node,
                            "200ms, uniform(1ms, 2ms) or lognormal(1s, 0.5) is wanted for",
                            row->key);
    case ROW_FAULT:
        return read_fault(text, place) ? OK
                                       : refuse(reading, node, "no such fault; see --help:", "");
    case ROW_OPERATION:
        return read_operation(text, place)
                   ? OK
                   : refuse(reading, node, "converse or converse-stream is wanted for", row->key);
    case ROW_TEXTS:
    case ROW_SECTION:
    case ROW_LIST:
    default:
        return refuse(reading, node, "not a single value:", row->key);
    }
}

static const struct row *row_find(const struct row *rows, size_t count, struct slice key)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal_text(key, rows[i].key))
            return &rows[i];
    return NULL;
}

/* The key of a pair as text, and its row among `rows`; a row is taken once. */
static enum err pair_row(struct reading *reading, const yaml_node_t *key, const struct row *rows,
                         size_t count, const struct row **ret_row)
{
    char name[64];
    if (key->type != YAML_SCALAR_NODE)
        return refuse(reading, key, "a key must be a word", "");
    (void)snprintf(name, sizeof name, "%.*s",
                   (int)(key->data.scalar.length < 63 ? key->data.scalar.length : 63),
                   (const char *)key->data.scalar.value);
    *ret_row = row_find(rows, count, scalar_text(key));
    return *ret_row != NULL ? OK : refuse(reading, key, "unknown key", name);
}

/* A mapping of scalars and lists of texts. */
static enum err read_flat(struct reading *reading, const yaml_node_t *node, const struct row *rows,
                          size_t row_count, void *object)
{
    uint64_t seen = 0;
    if (node->type != YAML_MAPPING_NODE)
        return refuse(reading, node, "keys and values are wanted here", "");
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(reading->document, pair->key);
        const yaml_node_t *value = yaml_document_get_node(reading->document, pair->value);
        const struct row *row;
        enum err err = pair_row(reading, key, rows, row_count, &row);
        if (err != OK)
            return err;
        /* The analyzer does not see that pair_row found one. */
        uint64_t bit = UINT64_C(1) << (row - rows); // NOLINT(clang-analyzer-core.*)
        if ((seen & bit) != 0)
            return refuse(reading, key, "given twice:", row->key);
        seen |= bit;
        void *place = (char *)object + row->offset;
        if (row->type == ROW_LIST)
            continue;
        if (row->type == ROW_TEXTS)
            err = read_texts(reading, row, value, place);
        else if (value->type != YAML_SCALAR_NODE)
            err = refuse(reading, value, "a single value is wanted for", row->key);
        else
            err = read_scalar(reading, row, value, place);
        if (err != OK)
            return err;
    }
    return OK;
}

static void element_clear(const struct list_row *list, void *element)
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
        ((struct sim_quota *)element)->burst_ms = 60000;
    }
}

static enum err read_list(struct reading *reading, const struct list_row *list,
                          const yaml_node_t *node)
{
    char *elements = (char *)reading->config + list->offset;
    size_t *count = (size_t *)(void *)((char *)reading->config + list->count_offset);
    if (node->type != YAML_SEQUENCE_NODE)
        return refuse(reading, node, "a list is wanted for", list->key);
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        const yaml_node_t *entry = yaml_document_get_node(reading->document, *item);
        if (*count == list->elements_max)
            return refuse(reading, entry, "too many entries in", list->key);
        void *element = elements + *count * list->element_bytes;
        element_clear(list, element);
        enum err err = read_flat(reading, entry, list->rows, list->row_count, element);
        if (err != OK)
            return err;
        (*count)++;
    }
    return OK;
}

static enum err read_rates(struct reading *reading, const yaml_node_t *node)
{
    if (node->type != YAML_MAPPING_NODE)
        return refuse(reading, node, "faults and their rates are wanted for", "faults");
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(reading->document, pair->key);
        const yaml_node_t *value = yaml_document_get_node(reading->document, pair->value);
        enum fault fault;
        if (key->type != YAML_SCALAR_NODE || !fault_from_word(scalar_text(key), &fault) ||
            fault == FAULT_NONE)
            return refuse(reading, key, "no such fault; see --help", "");
        double rate;
        if (value->type != YAML_SCALAR_NODE || !number_read(scalar_text(value), &rate) ||
            rate < 0 || rate > 1)
            return refuse(reading, value, "a rate from 0 to 1 is wanted for", FAULTS[fault].word);
        reading->config->fault_rates[fault] = rate;
    }
    return OK;
}

/* The list of objects that a section may hold: auth.keys. */
static enum err read_section_list(struct reading *reading, const yaml_node_t *section)
{
    if (section->type != YAML_MAPPING_NODE)
        return OK; /* read_flat refuses it */
    for (yaml_node_pair_t *pair = section->data.mapping.pairs.start;
         pair < section->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(reading->document, pair->key);
        const yaml_node_t *value = yaml_document_get_node(reading->document, pair->value);
        if (key->type == YAML_SCALAR_NODE && slice_equal_text(scalar_text(key), KEYS_LIST.key))
            return read_list(reading, &KEYS_LIST, value);
    }
    return OK;
}

/* One pair of the root. */
static enum err read_top(struct reading *reading, const yaml_node_t *key, const yaml_node_t *value)
{
    const struct row *row;
    if (key->type == YAML_SCALAR_NODE && slice_equal_text(scalar_text(key), "faults"))
        return read_rates(reading, value);
    for (size_t i = 0; key->type == YAML_SCALAR_NODE && i < COUNT_OF(LIST_ROWS); i++)
        if (slice_equal_text(scalar_text(key), LIST_ROWS[i].key))
            return read_list(reading, &LIST_ROWS[i], value);
    enum err err = pair_row(reading, key, TOP_ROWS, COUNT_OF(TOP_ROWS), &row);
    if (err != OK)
        return err;
    if (row->section == AUTH_ROWS)
        err = read_section_list(reading, value);
    if (err != OK)
        return err;
    if (row->type == ROW_SECTION)
        return read_flat(reading, value, row->section, row->section_rows, reading->config);
    void *place = (char *)reading->config + row->offset;
    if (row->type == ROW_TEXTS)
        return read_texts(reading, row, value, place);
    if (value->type != YAML_SCALAR_NODE)
        return refuse(reading, value, "a single value is wanted for", row->key);
    return read_scalar(reading, row, value, place);
}

static enum err check_keys(struct reading *reading, const yaml_node_t *root)
{
    const struct sim_config *config = reading->config;
    for (size_t i = 0; i < config->key_count; i++)
        if (config->keys[i].access_key_id.len == 0 || config->keys[i].secret_access_key.len == 0)
            return refuse(reading, root, "an entry without access_key_id or secret_access_key in",
                          "auth.keys");
    for (size_t i = 0; i < config->answer_count; i++) {
        const struct sim_answer *answer = &config->answers[i];
        size_t len = 0;
        for (size_t piece = 0; piece < answer->pieces.count; piece++)
            len += answer->pieces.list[piece].len;
        if (answer->pieces.count > 0 && len != answer->text.len)
            return refuse(reading, root, "an answer whose pieces do not add up to its text in",
                          "answers");
    }
    return OK;
}

static enum err read_document(struct reading *reading)
{
    const yaml_node_t *root = yaml_document_get_root_node(reading->document);
    if (root == NULL) /* an empty file is a valid one */
        return OK;
    if (root->type != YAML_MAPPING_NODE)
        return refuse(reading, root, "keys and values are wanted here", "");
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top; pair++) {
        enum err err = read_top(reading, yaml_document_get_node(reading->document, pair->key),
                                yaml_document_get_node(reading->document, pair->value));
        if (err != OK)
            return err;
    }
    return check_keys(reading, root);
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
    config->skew_max_ms = 300000;
    config->ledger_flush_ms = 50;
    config->connections_max = 16384;
    config->body_bytes_max = SIM_BODY_MAX;
    config->idle_ms = 350000;
    config->stall_ms = 3600000;
}

enum err sim_config_read(struct sim_config *config, struct slice text, const char *name,
                         char ret_problem[SIM_PROBLEM_MAX])
{
    yaml_parser_t parser;
    yaml_document_t document;
    ret_problem[0] = '\0';
    config_clear(config);
    if (yaml_parser_initialize(&parser) == 0)
        return ERR_NO_MEMORY;
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.ptr, text.len);
    enum err err;
    if (yaml_parser_load(&parser, &document) == 0) {
        (void)snprintf(ret_problem, SIM_PROBLEM_MAX, "%s:%zu:%zu: no YAML: %s", name,
                       parser.problem_mark.line + 1, parser.problem_mark.column + 1,
                       parser.problem != NULL ? parser.problem : "out of memory");
        err = ERR_INVALID;
    } else {
        struct reading reading = {config, &document, name, ret_problem};
        err = read_document(&reading);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return err;
}
