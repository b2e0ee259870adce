#include "app/demo/demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define LINE_ARENA_MAX ((size_t)64 * 1024 * 1024)
#define TEXT_MAX       ((size_t)64 * 1024)

bool demo_tally_init(struct demo_tally *tally, size_t expected)
{
    memset(tally, 0, sizeof *tally);
    tally->expected = expected;
    tally->requests = memory_new(expected * sizeof tally->requests[0]);
    tally->usage_room = expected * 4 + 1000;
    tally->usage = memory_new(tally->usage_room * sizeof tally->usage[0]);
    for (size_t i = 0; i < DEMO_CONVERSATIONS; i++) {
        buf_init(&tally->conversations[i].text, TEXT_MAX);
        buf_init(&tally->conversations[i].tokens, TEXT_MAX);
    }
    return tally->requests != NULL && tally->usage != NULL;
}

void demo_tally_done(struct demo_tally *tally)
{
    for (size_t i = 0; i < DEMO_CONVERSATIONS; i++) {
        buf_done(&tally->conversations[i].text);
        buf_done(&tally->conversations[i].tokens);
    }
    memory_free(tally->requests);
    memory_free(tally->usage);
}

static void take_trouble(struct demo_tally *tally, const struct record *record, const char *words)
{
    if (tally->trouble[0] == '\0')
        (void)snprintf(tally->trouble, sizeof tally->trouble, "%.*s-%d@%lld: %s",
                       SLICE_ARG(record->topic), (int)record->partition, (long long)record->offset,
                       words);
}

/* The row of a model, new if need be. Models that do not fit share the last row. */
static struct demo_model *model_row(struct demo_tally *tally, struct slice name)
{
    for (size_t i = 0; i < tally->model_count; i++) {
        if (slice_equal_text(name, tally->models[i].name))
            return &tally->models[i];
    }
    if (tally->model_count == DEMO_MODELS_MAX)
        return &tally->models[DEMO_MODELS_MAX - 1];
    struct demo_model *row = &tally->models[tally->model_count++];
    slice_write(name, row->name, sizeof row->name);
    return row;
}

static void count_cause(struct demo_tally *tally, struct slice name)
{
    size_t i = 0;
    while (i < tally->cause_count && !slice_equal_text(name, tally->causes[i].name))
        i++;
    if (i == DEMO_CAUSES_MAX)
        i--;
    if (i == tally->cause_count) {
        tally->cause_count++;
        slice_write(name, tally->causes[i].name, sizeof tally->causes[i].name);
    }
    tally->causes[i].count++;
}

/* Counts the calls of a request by model, and why calls were followed by another. */
static void add_attempts(struct demo_tally *tally, struct arena *arena, struct slice value)
{
    const struct json *root = NULL;
    if (json_parse(arena, value, &root, NULL) != OK)
        return;
    const struct json *attempts = json_member(root, "attempts");
    for (const struct json *node = attempts != NULL ? attempts->first : NULL; node != NULL;
         node = node->next) {
        model_row(tally, reading_text(arena, node, "model"))->calls++;
        if (node->next == NULL)
            continue;
        tally->retries++;
        count_cause(tally, reading_text(arena, node, "error"));
    }
}

/* Appends what a person wants to see of an answer: the parsed value, or the text and the calls. */
static void add_answer(struct arena *arena, struct slice value, const struct json *content,
                       struct buf *ret_text)
{
    const struct json *root = NULL;
    if (json_parse(arena, value, &root, NULL) != OK)
        return;
    const struct json *parsed = json_member(root, "parsed");
    const struct json *calls = json_member(json_member(root, "message"), "tool_calls");
    if (parsed != NULL) {
        buf_add(ret_text, parsed->source);
        return;
    }
    if (!json_is(calls, JSON_ARRAY) || calls->count == 0) {
        reading_add_text(arena, content, ret_text);
        return;
    }
    for (const struct json *call = calls->first; call != NULL; call = call->next) {
        const struct json *args = json_member(call, "args");
        buf_addf(ret_text, "%s%.*s ", call == calls->first ? "" : "\n",
                 SLICE_ARG(reading_text(arena, call, "name")));
        buf_add(ret_text, args != NULL ? args->source : SLICE(""));
    }
}

static void add_response(struct demo_tally *tally, struct arena *arena, const struct record *record)
{
    struct reading reading;
    if (reading_of_response(arena, record->value, &reading) != OK) {
        take_trouble(tally, record, "not a response record");
        return;
    }
    size_t index = demo_index(reading.id);
    if (index >= tally->expected) {
        tally->foreign++;
        return;
    }
    struct demo_request *request = &tally->requests[index];
    if (request->answers++ > 0)
        return;
    request->is_ok = reading.is_ok;
    tally->answered++;
    tally->failed += !reading.is_ok;
    if (!reading.is_ok && tally->trouble[0] == '\0')
        (void)snprintf(tally->trouble, sizeof tally->trouble, "demo-%zu failed: %.*s: %.*s", index,
                       SLICE_ARG(reading.error_code), SLICE_ARG(reading.error_message));
    add_attempts(tally, arena, record->value);
    model_row(tally, reading.model)->requests++;
    if (index >= DEMO_CONVERSATIONS)
        return;
    struct demo_found *found = &tally->conversations[index];
    slice_write(reading.model, found->model, sizeof found->model);
    found->input_tokens = reading.input_tokens;
    found->output_tokens = reading.output_tokens;
    found->duration_ms = reading.duration_ms;
    found->calls = reading.calls;
    add_answer(arena, record->value, reading.content, &found->text);
}

/* Adds a chunk of a conversation. The run whose first chunk came last counts. */
static void add_chunk(struct demo_tally *tally, struct arena *arena, const struct record *record)
{
    struct chunk_reading chunk;
    tally->chunks++;
    size_t index = demo_index(reading_subject(record));
    if (index >= DEMO_CONVERSATIONS)
        return;
    if (reading_of_chunk(arena, record->value, &chunk) != OK) {
        take_trouble(tally, record, "not a chunk record");
        return;
    }
    struct demo_found *found = &tally->conversations[index];
    if (chunk.seq == 0) {
        slice_write(chunk.run, found->run, sizeof found->run);
        buf_reset(&found->tokens);
    }
    if (!slice_equal_text(chunk.run, found->run))
        return;
    reading_add_text(arena, chunk.content, &found->tokens);
    buf_add_byte(&found->tokens, '|');
}

static void add_usage(struct demo_tally *tally, struct arena *arena, const struct record *record)
{
    const struct json *root = NULL;
    bool is_json = json_parse(arena, record->value, &root, NULL) == OK;
    const struct json *data = is_json ? json_member(root, "data") : NULL;
    const struct json *counts = json_member(data, "usage");
    if (counts == NULL || tally->usage_count == tally->usage_room) {
        take_trouble(tally, record, "not a usage record, or too many");
        return;
    }
    struct demo_usage *usage = &tally->usage[tally->usage_count++];
    slice_write(reading_text(arena, data, "call"), usage->call, sizeof usage->call);
    slice_write(reading_text(arena, data, "bedrock_request_id"), usage->bedrock_request_id,
                sizeof usage->bedrock_request_id);
    usage->is_estimated = json_is(json_member(data, "estimated"), JSON_TRUE);
    usage->input_tokens = reading_int(counts, "input_tokens", 0);
    usage->output_tokens = reading_int(counts, "output_tokens", 0);
    struct demo_model *row = model_row(tally, reading_text(arena, data, "model"));
    row->input_tokens += usage->input_tokens;
    row->output_tokens += usage->output_tokens;
    tally->input_tokens += usage->input_tokens;
    tally->output_tokens += usage->output_tokens;
}

void demo_tally_add(struct demo_tally *tally, const struct settings *settings,
                    const struct record *record)
{
    struct arena arena OWNED_BY(arena_done);
    arena_init(&arena, LINE_ARENA_MAX);
    if (slice_equal(record->topic, settings->topics_responses))
        add_response(tally, &arena, record);
    else if (slice_equal(record->topic, settings->topics_chunks))
        add_chunk(tally, &arena, record);
    else if (slice_equal(record->topic, settings->topics_usage))
        add_usage(tally, &arena, record);
    else
        tally->letters++;
}

/* ---- the verification ---- */

static int compare_usage(const void *left, const void *right)
{
    const struct demo_usage *a = left, *b = right;
    return strcmp(a->bedrock_request_id, b->bedrock_request_id);
}

static int compare_calls(const void *left, const void *right)
{
    const struct demo_usage *a = left, *b = right;
    return strcmp(a->call, b->call);
}

/* Sums of the same calls, by the ledger and by the usage topic. */
struct sums {
    int64_t billed, exact, estimated;
    int64_t ledger_input, ledger_output, usage_input, usage_output;
    int64_t missing, different;
};

/* Counts a line of the ledger: the end of a call that was billed. */
static void compare_line(struct demo_tally *tally, struct arena *arena, struct slice line,
                         struct sums *sums)
{
    const struct json *root = NULL;
    if (json_parse(arena, line, &root, NULL) != OK ||
        !json_equal_text(json_member(root, "event"), "end") ||
        !json_is(json_member(root, "billed"), JSON_TRUE))
        return;
    struct demo_usage wanted = {.is_matched = false};
    slice_write(reading_text(arena, root, "request_id"), wanted.bedrock_request_id,
                sizeof wanted.bedrock_request_id);
    struct demo_usage *usage =
        bsearch(&wanted, tally->usage, tally->usage_count, sizeof tally->usage[0], compare_usage);
    sums->billed++;
    if (usage == NULL || usage->is_matched) {
        sums->missing++;
        return;
    }
    usage->is_matched = true;
    if (usage->is_estimated) {
        sums->estimated++;
        return;
    }
    int64_t input = reading_int(root, "input_tokens", -1);
    int64_t output = reading_int(root, "output_tokens", -1);
    sums->exact++;
    sums->ledger_input += input;
    sums->ledger_output += output;
    sums->usage_input += usage->input_tokens;
    sums->usage_output += usage->output_tokens;
    sums->different += input != usage->input_tokens || output != usage->output_tokens;
}

static void compare_ledger(struct demo_tally *tally, struct slice ledger, struct sums *sums)
{
    while (ledger.len > 0) {
        struct arena arena OWNED_BY(arena_done);
        arena_init(&arena, LINE_ARENA_MAX);
        size_t len = slice_find(ledger, '\n');
        compare_line(tally, &arena, slice_sub(ledger, 0, len), sums);
        ledger = slice_sub(ledger, len + 1, ledger.len);
    }
}

static void verify_answers(const struct demo_tally *tally, struct buf *ret_faults)
{
    size_t missing = 0, doubled = 0;
    for (size_t i = 0; i < tally->expected; i++) {
        missing += tally->requests[i].answers == 0;
        doubled += tally->requests[i].answers > 1;
    }
    if (missing > 0)
        buf_addf(ret_faults, "%zu requests have no answer\n", missing);
    if (doubled > 0)
        buf_addf(ret_faults, "%zu requests were answered more than once\n", doubled);
    if (tally->failed > 0)
        buf_addf(ret_faults, "%zu requests ended in an error (the first: %s)\n", tally->failed,
                 tally->trouble);
    else if (tally->trouble[0] != '\0')
        buf_addf(ret_faults, "%s\n", tally->trouble);
    if (tally->foreign > 0)
        buf_addf(ret_faults, "%zu answers belong to no request\n", tally->foreign);
    for (size_t i = 0; i < DEMO_CONVERSATIONS; i++) {
        const struct demo_conversation *conversation = demo_conversation(i);
        const struct demo_found *found = &tally->conversations[i];
        if (!slice_equal_text(buf_slice(&found->text), conversation->answer))
            buf_addf(ret_faults, "conversation %zu has another answer than it should\n", i + 1);
        if (found->input_tokens != conversation->input_tokens ||
            found->output_tokens != conversation->output_tokens)
            buf_addf(ret_faults, "conversation %zu has other token counts than it should\n", i + 1);
        if (conversation->tokens != NULL &&
            !slice_equal_text(buf_slice(&found->tokens), conversation->tokens))
            buf_addf(ret_faults, "conversation %zu has another stream than it should\n", i + 1);
    }
}

/* Writes a count such as "2,345 calls". */
static void add_counted(struct buf *text, int64_t count, const char *noun)
{
    char digits[SCREEN_COUNT_BYTES];
    buf_addf(text, "%s %s%s", screen_count(count, digits), noun, count == 1 ? "" : "s");
}

static void add_facts(const struct demo_tally *tally, const struct sums *sums,
                      struct buf *ret_facts)
{
    char exact[SCREEN_COUNT_BYTES], output[SCREEN_COUNT_BYTES];
    add_counted(ret_facts, (int64_t)tally->expected, "request");
    buf_add_text(ret_facts, ", ");
    add_counted(ret_facts, (int64_t)tally->answered, "answer");
    buf_add_text(ret_facts, ": one for each\n");
    add_counted(ret_facts, sums->billed, "billed call");
    buf_add_text(ret_facts, ", ");
    add_counted(ret_facts, (int64_t)tally->usage_count, "usage record");
    buf_addf(ret_facts, ": %s equal the local Bedrock's ledger (",
             screen_count(sums->exact, exact));
    add_counted(ret_facts, sums->usage_input, "token");
    buf_addf(ret_facts, " in, %s out)", screen_count(sums->usage_output, output));
    if (sums->estimated > 0)
        buf_addf(ret_facts, ", %lld estimate%s of cut streams", (long long)sums->estimated,
                 sums->estimated == 1 ? "" : "s");
    buf_add_text(ret_facts, "\n");
}

void demo_tally_verify(struct demo_tally *tally, struct slice ledger, struct buf *ret_facts,
                       struct buf *ret_faults)
{
    struct sums sums = {0};
    verify_answers(tally, ret_faults);
    qsort(tally->usage, tally->usage_count, sizeof tally->usage[0], compare_calls);
    for (size_t i = 1; i < tally->usage_count; i++) {
        if (compare_calls(&tally->usage[i - 1], &tally->usage[i]) == 0)
            buf_addf(ret_faults, "call %s has two usage records\n", tally->usage[i].call);
    }
    qsort(tally->usage, tally->usage_count, sizeof tally->usage[0], compare_usage);
    compare_ledger(tally, ledger, &sums);
    if (sums.billed == 0)
        buf_add_text(ret_faults, "the local Bedrock's ledger is empty\n");
    if (sums.missing > 0)
        buf_addf(ret_faults, "%lld billed calls have no usage record\n", (long long)sums.missing);
    if (sums.different > 0)
        buf_addf(ret_faults, "%lld usage records differ from the ledger\n",
                 (long long)sums.different);
    int64_t unbilled = (int64_t)tally->usage_count - sums.billed + sums.missing;
    if (unbilled > 0)
        buf_addf(ret_faults, "%lld usage records are of calls that were not billed\n",
                 (long long)unbilled);
    add_facts(tally, &sums, ret_facts);
}
