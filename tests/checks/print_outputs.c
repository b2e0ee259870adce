/* Writes what the real encoders make of a few conversations into a folder, in the form in which the
 * auditor of tests/kafka keeps records, so that the checks beside this file need no broker:
 *     print_outputs FOLDER      makes responses.jsonl, chunks.jsonl, usage.jsonl, letters.jsonl
 * Answers go through the real dialect: what Bedrock says in, what clients read out. */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "unit/output_kit.h"
#include "wire/formats/json.h"

static FILE *files[OUTPUT_CHUNK + 1];
static int offsets[OUTPUT_CHUNK + 1];

struct said {
    const char *event;
    const char *payload;
};

/* The page's stream (langchain.md, S9). */
#define DELTA(text)                                                                                \
    {                                                                                              \
        "contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"" text "\"}}"         \
    }
static const struct said page_stream[] = {
    {"messageStart", "{\"role\":\"assistant\"}"},
    DELTA("Vo"),
    DELTA("ici"),
    DELTA(" la"),
    DELTA(" tra"),
    DELTA("duction"),
    DELTA(" en"),
    DELTA(" français"),
    DELTA(" :"),
    DELTA("\\n\\nJ"),
    DELTA("'"),
    DELTA("a"),
    DELTA("ime"),
    DELTA(" la"),
    DELTA(" programm"),
    DELTA("ation"),
    DELTA("."),
    {"contentBlockStop", "{\"contentBlockIndex\":0}"},
    {"messageStop", "{\"stopReason\":\"end_turn\"}"},
    {"metadata", "{\"usage\":{\"inputTokens\":29,\"outputTokens\":21,\"totalTokens\":50},"
                 "\"metrics\":{\"latencyMs\":713}}"},
};

/* Reasoning, text and a tool call, with cached tokens: everything that adds up in its own way. */
static const struct said rich_stream[] = {
    {"messageStart", "{\"role\":\"assistant\",\"p\":\"abc\"}"},
    {"contentBlockDelta",
     "{\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"text\":\"The user \"}}}"},
    {"contentBlockDelta",
     "{\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"text\":\"is kind.\"}}}"},
    {"contentBlockDelta",
     "{\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"signature\":\"c2ln\"}}}"},
    {"contentBlockStop", "{\"contentBlockIndex\":0}"},
    {"contentBlockDelta", "{\"contentBlockIndex\":1,\"delta\":{\"text\":\"I look \"}}"},
    {"contentBlockDelta",
     "{\"contentBlockIndex\":1,\"delta\":{\"text\":\"it up. \\ud83d\\ude00\"}}"},
    {"contentBlockStop", "{\"contentBlockIndex\":1}"},
    {"contentBlockStart", "{\"contentBlockIndex\":2,\"start\":{\"toolUse\":{\"toolUseId\":\"t1\","
                          "\"name\":\"weather\"}}}"},
    {"contentBlockDelta",
     "{\"contentBlockIndex\":2,\"delta\":{\"toolUse\":{\"input\":\"{\\\"city\\\": \"}}}"},
    {"contentBlockDelta",
     "{\"contentBlockIndex\":2,\"delta\":{\"toolUse\":{\"input\":\"\\\"Paris\\\"}\"}}}"},
    {"contentBlockStop", "{\"contentBlockIndex\":2}"},
    {"messageStop", "{\"stopReason\":\"tool_use\"}"},
    {"metadata",
     "{\"usage\":{\"inputTokens\":9,\"outputTokens\":30,\"totalTokens\":139,"
     "\"cacheReadInputTokens\":60,\"cacheWriteInputTokens\":40},\"metrics\":{\"latencyMs\":901}}"},
};

static const char page_answer[] =
    "{\"metrics\":{\"latencyMs\":672},\"output\":{\"message\":{\"role\":\"assistant\",\"content\":["
    "{\"text\":\"" KIT_TEXT "\"}]}},\"stopReason\":\"end_turn\",\"usage\":{\"inputTokens\":29,"
    "\"outputTokens\":21,\"totalTokens\":50}}";

static const char rich_answer[] =
    "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"text\":\"I look it up.\"},"
    "{\"toolUse\":{\"toolUseId\":\"t1\",\"name\":\"weather\",\"input\":{\"city\":\"Paris\","
    "\"days\":1.0}}},"
    "{\"newKind\":{\"kept\":[1,2]}}]}},\"stopReason\":\"tool_use\",\"metrics\":{\"latencyMs\":5},"
    "\"additionalModelResponseFields\":{\"stop_sequence\":null},\"serviceTier\":{\"type\":"
    "\"default\"},"
    "\"usage\":{\"inputTokens\":9,\"outputTokens\":30,\"totalTokens\":139,\"cacheReadInputTokens\":"
    "60,"
    "\"cacheWriteInputTokens\":40,\"cacheDetails\":[{\"ttl\":\"1h\",\"inputTokens\":15},"
    "{\"ttl\":\"5m\",\"inputTokens\":25}]}}";

static void print_base64(FILE *file, struct slice bytes)
{
    static const char LETTERS[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (bytes.ptr == NULL) {
        fputs("null", file);
        return;
    }
    fputc('"', file);
    for (size_t i = 0; i < bytes.len; i += 3) {
        uint32_t word = 0;
        for (size_t j = 0; j < 3; j++)
            word = word << 8 | (i + j < bytes.len ? (unsigned char)bytes.ptr[i + j] : 0);
        for (size_t j = 0; j < 4; j++)
            fputc(i + j <= bytes.len ? LETTERS[word >> (18 - 6 * j) & 63] : '=', file);
    }
    fputc('"', file);
}

static void print_text(FILE *file, struct slice text)
{
    struct buf json;
    buf_init(&json, 1 << 24);
    json_add_string(&json, text);
    CHECK(json.failed == OK);
    fwrite(json.ptr, 1, json.len, file);
    buf_done(&json);
}

static void print_output(enum err err, struct output *output)
{
    CHECK(err == OK);
    FILE *file = files[output->kind];
    fputs("{\"topic\":", file);
    print_text(file, output->topic);
    fprintf(file, ",\"partition\":%d,\"offset\":%d,\"key\":",
            output->partition < 0 ? 0 : output->partition, offsets[output->kind]++);
    print_base64(file, output->key);
    fputs(",\"headers\":[", file);
    for (size_t i = 0; i < output->header_count; i++) {
        fputs(i == 0 ? "[" : ",[", file);
        print_text(file, output->headers[i].name);
        fputc(',', file);
        print_base64(file, output->headers[i].value);
        fputc(']', file);
    }
    fputs("],\"value\":", file);
    if (output->value.ptr == NULL)
        fputs("null", file);
    else
        print_text(file, output->value);
    fputs("}\n", file);
    output_free(output);
}

/* Every call of the kit has a unique name. */
static void new_call(struct output_kit *kit)
{
    static int calls;
    char digits[13];
    calls++;
    snprintf(digits, sizeof digits, "%012d", 100 + calls);
    memcpy(kit->attempts[1].call.text + UUID_TEXT_LEN - 12, digits, 12);
    kit->record.offset = 100 + calls;
}

static void print_chunk(const struct output_kit *kit)
{
    struct output *output = NULL;
    enum err err = output_chunk(&kit->context, &kit->chunk, &output);
    print_output(err, output);
}

static void print_answer(struct output_kit *kit, const struct answer *answer)
{
    struct output *output = NULL;
    kit->answer = *answer;
    kit->usage.counts = answer->usage;
    struct output_cost cost = {.cost = KIT_COST};
    output_cost_write(&cost);
    kit->response.cost = kit->usage.cost = &cost;
    enum err err = output_response(&kit->context, &kit->response, &output);
    print_output(err, output);
    err = output_usage(&kit->context, &kit->usage, &output);
    print_output(err, output);
    kit->response.cost = kit->usage.cost = NULL;
}

static void print_decoded(struct output_kit *kit, const char *body)
{
    struct arena arena;
    struct answer answer;
    arena_init(&arena, 1 << 24);
    new_call(kit);
    CHECK(dialect_decode(&dialect_converse, &arena,
                         &(struct heard){.status = 200, .body = slice_of_text(body)}, &answer,
                         &kit->why) == OK);
    print_answer(kit, &answer);
    arena_done(&arena);
}

/* With a `count` below the stream's, the stream is cut and the request ends in an error. */
static void print_stream(struct output_kit *kit, const struct said *said, size_t count,
                         bool is_whole)
{
    struct arena arena;
    struct stream *stream;
    struct answer answer;
    arena_init(&arena, 1 << 24);
    new_call(kit);
    CHECK(dialect_stream_start(&dialect_converse, &arena, &(struct heard){.status = 200}, 1 << 20,
                               &stream) == OK);
    kit->chunk.seq = 0;
    for (size_t i = 0; i < count; i++) {
        struct event event = {.kind = EVENT_KIND_EVENT,
                              .type = slice_of_text(said[i].event),
                              .payload = slice_of_text(said[i].payload)};
        struct usage_counts counts = {.known = false};
        size_t text_bytes;
        CHECK(dialect_stream_step(&dialect_converse, stream, &event, &kit->step, &kit->why) == OK);
        dialect_stream_heard(&dialect_converse, stream, &counts, &text_bytes);
        kit->chunk.usage = &counts;
        if (kit->step.is_chunk) {
            print_chunk(kit);
            kit->chunk.seq++;
        }
    }
    enum err err = dialect_stream_end(&dialect_converse, stream, &answer, &kit->why);
    CHECK(is_whole == (err == OK));
    if (is_whole)
        print_answer(kit, &answer);
    dialect_stream_done(&dialect_converse, stream);
    arena_done(&arena);
}

static void print_failure(struct output_kit *kit)
{
    struct output *output = NULL;
    kit_fail(kit);
    kit->chunk.step = NULL;
    kit->chunk.why = &kit->why;
    print_chunk(kit);
    enum err err = output_response(&kit->context, &kit->response, &output);
    print_output(err, output);
    kit->usage.final = false;
    kit->usage.estimated_reason = "stream_cut";
    kit->usage.counts.raw = SLICE_NULL;
    err = output_usage(&kit->context, &kit->usage, &output);
    print_output(err, output);
    err = output_letter(&kit->context, &kit->record, &kit->why, 2, true, &output);
    print_output(err, output);
    kit->record.key = kit->record.value = SLICE_NULL;
    kit->why = (struct why){.err = ERR_MALFORMED};
    err = output_letter(&kit->context, &kit->record, &kit->why, 0, true, &output);
    print_output(err, output);
    err = output_letter(&kit->context, &kit->record, &kit->why, 0, false, &output);
    print_output(err, output);
    new_call(kit);
    kit->response.attempt_count = 0;
    kit->request.model = kit->request.metadata = SLICE_NULL;
    err = output_response(&kit->context, &kit->response, &output);
    print_output(err, output);
}

int main(int argc, char **argv)
{
    static const char *const NAMES[] = {"responses", "usage", "letters", "chunks"};
    struct output_kit kit;
    if (argc != 2) {
        fputs("usage: print_outputs FOLDER\n", stderr);
        return 2;
    }
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s.jsonl", argv[1], NAMES[i]);
        files[i] = fopen(path, "w");
        if (files[i] == NULL) {
            perror(path);
            return 1;
        }
    }
    kit_init(&kit);
    print_decoded(&kit, page_answer);
    print_decoded(&kit, rich_answer);
    kit.request.stream = true;
    kit.attempts[1].first_token_ms = 300;
    print_stream(&kit, page_stream, COUNT_OF(page_stream), true);
    print_stream(&kit, rich_stream, COUNT_OF(rich_stream), true);
    print_stream(&kit, page_stream, 5, false);
    print_failure(&kit);
    for (size_t i = 0; i < COUNT_OF(NAMES); i++)
        if (fclose(files[i]) != 0)
            return 1;
    return 0;
}
