/* What a chunk of a stream costs the wire, without any input or output: text deltas of Converse go
 * through the dialect, and each becomes the record of a chunk. tests/bench/instructions.py counts
 * the instructions that this program executes.
 *
 *   bare_stream CHUNKS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "wire/bedrock/converse/converse.h"
#include "wire/outputs/output.h"

#define WALL_MS 1795000000000LL

struct bench {
    struct request request;
    struct record record;
    struct output_context context;
    struct attempt attempt;
    struct stream *stream;
    struct chunk_run run;
};

static void bench_init(struct bench *bench)
{
    *bench = (struct bench){
        .request = {.id = SLICE("req-0001"), .tenant = SLICE("default")},
        .record = {.topic = SLICE("bedrock.requests"), .key = SLICE("customer")},
        .context = {.source = SLICE("/bedrock-worker/bench"),
                    .chunks_topic = SLICE("bedrock.chunks"),
                    .output_bytes_max = 1 << 20},
        .attempt = {.number = 1,
                    .model = SLICE("anthropic.claude-3-haiku-20240307-v1:0"),
                    .api = &api_converse.name},
    };
    memcpy(bench->attempt.call.text, "01234567-89ab-7def-8123-456789abcdef", UUID_TEXT_LEN);
}

static void hear(struct bench *bench, const char *type, const char *payload, int64_t seq)
{
    const struct event event = {
        .kind = EVENT_KIND_EVENT, .type = slice_of_text(type), .payload = slice_of_text(payload)};
    struct stream_step step;
    struct usage_counts counts;
    struct why why;
    size_t text_bytes;
    CHECK(dialect_stream_step(&dialect_converse, bench->stream, &event, &step, &why) == OK);
    CHECK(step.is_chunk);
    dialect_stream_heard(&dialect_converse, bench->stream, &counts, &text_bytes);
    struct chunk_facts facts = {.run = &bench->run,
                                .record = &bench->record,
                                .request = &bench->request,
                                .attempt = &bench->attempt,
                                .seq = seq,
                                .step = &step,
                                .usage = &counts,
                                .partition = -1,
                                .wall_ms = WALL_MS};
    struct output *output = NULL;
    CHECK(output_chunk(&bench->context, &facts, &output) == OK);
    output_free(output);
}

int main(int argc, char **argv)
{
    struct arena arena;
    struct bench bench;
    struct answer answer;
    struct why why;
    int64_t seq = 0;
    long chunks = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
    if (chunks <= 0) {
        fputs("usage: bare_stream CHUNKS\n", stderr);
        return 2;
    }
    bench_init(&bench);
    arena_init(&arena, (size_t)64 << 20);
    CHECK(dialect_stream_start(&dialect_converse, &arena, &(struct heard){.status = 200},
                               (size_t)32 << 20, &bench.stream) == OK);
    CHECK(output_chunk_run(&bench.context, &arena, &bench.record, &bench.request, &bench.run) ==
          OK);
    hear(&bench, "messageStart", "{\"role\":\"assistant\"}", seq++);
    for (; seq <= chunks; seq++)
        hear(&bench, "contentBlockDelta",
             "{\"contentBlockIndex\":0,\"delta\":{\"text\":\" a ledger\"},\"p\":\"abcdefghijkl\"}",
             seq);
    hear(&bench, "messageStop", "{\"stopReason\":\"end_turn\"}", seq++);
    hear(&bench, "metadata",
         "{\"usage\":{\"inputTokens\":2,\"outputTokens\":2},\"metrics\":{\"latencyMs\":5}}", seq);
    CHECK(dialect_stream_end(&dialect_converse, bench.stream, &answer, &why) == OK);
    printf("%zu bytes of text\n", answer.text_bytes);
    dialect_stream_done(&dialect_converse, bench.stream);
    arena_done(&arena);
    return 0;
}
