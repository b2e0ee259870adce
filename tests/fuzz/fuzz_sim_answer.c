/* bedrock-sim's answers to any body that its checks accept: each is JSON, whole and as a stream,
 * and a stream gives as many bytes of content as the plan has. */
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "sim/answers/reply.h"
#include "sim/bodies/checks.h"
#include "wire/bedrock/eventstream.h"

#define ANSWER_MAX ((size_t)16 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct planner *planner_once(void)
{
    static struct planner planner;
    static struct sim_config *config;
    if (config == NULL) {
        config = sim_config_new();
        CHECK(config != NULL && planner_init(&planner, config) == OK);
    }
    return &planner;
}

static void check_whole(struct arena *arena, const struct plan *plan)
{
    struct buf head OWNED_BY(buf_done), tail OWNED_BY(buf_done);
    const struct json *root;
    buf_init(&head, ANSWER_MAX);
    buf_init(&tail, ANSWER_MAX);
    sim_reply_whole(&head, &tail, plan, 1);
    buf_add(&head, buf_slice(&tail));
    CHECK(head.failed == OK);
    enum err err = json_parse(arena, buf_slice(&head), &root, NULL);
    CHECK(err == OK || err == ERR_NO_MEMORY);
}

static void check_stream(struct plan *plan)
{
    struct buf bytes OWNED_BY(buf_done);
    struct reply_stream stream = {.phase = REPLY_START};
    struct event_reader reader;
    struct event event;
    buf_init(&bytes, ANSWER_MAX);
    while (bytes.failed == OK && sim_reply_frame(&bytes, plan, &stream, 1))
        continue;
    CHECK(bytes.failed == OK && sim_reply_is_given(plan, &stream));
    CHECK(stream.given == plan_bytes(plan));
    event_reader_init(&reader, ANSWER_MAX);
    CHECK(event_reader_hear(&reader, buf_slice(&bytes)) == OK);
    while (event_reader_next(&reader, &event) == OK)
        continue;
    CHECK(event_reader_is_between(&reader));
    event_reader_done(&reader);
}

static void answer(enum operation operation, struct slice model, struct slice body)
{
    struct arena arena OWNED_BY(arena_done);
    struct conversation conversation;
    struct check_request request = {operation, model, body};
    struct plan_facts facts = {
        .conversation = &conversation, .model = model, .operation = operation, .tag = SLICE_NULL};
    struct plan plan;
    char words[CHECK_TEXT_MAX];
    arena_init(&arena, (size_t)64 * 1024 * 1024);
    if (check_body(&arena, &request, &conversation, &facts.family, words) != OK ||
        plan_make(planner_once(), &facts, &arena, &plan, words) != OK)
        return;
    CHECK(plan.input_tokens >= 0 && plan.output_tokens >= 0 && plan.cache_read >= 0);
    CHECK(plan.cache_write >= 0 && plan.cache_long <= plan.cache_write);
    if (plan.fill_bytes > ANSWER_MAX / 4) /* an endless body, or a huge one */
        return;
    check_whole(&arena, &plan);
    check_stream(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const MODELS[] = {"anthropic.claude", "amazon.nova-pro", "amazon.titan-text",
                                         "meta.llama3",      "mistral.large",   "deepseek.r1",
                                         "openai.gpt-oss",   "writer.palmyra",  "cohere.command-r"};
    struct slice body = slice_of(data, size);
    answer(OPERATION_CONVERSE_STREAM, SLICE("anthropic.claude"), body);
    for (size_t i = 0; i < COUNT_OF(MODELS); i++)
        answer(OPERATION_INVOKE_STREAM, slice_of_text(MODELS[i]), body);
    answer(OPERATION_INVOKE, SLICE_NULL, body);
    return 0;
}
