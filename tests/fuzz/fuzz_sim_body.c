/* Bodies sent to bedrock-sim, of each operation and family: JSON, shape, conversation, the
 * directives in its prompt, and the inputs of its tools. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "sim/bodies/checks.h"
#include "sim/plan.h"
#include "sim/sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_body(struct check_request request)
{
    struct arena arena OWNED_BY(arena_done);
    struct conversation conversation;
    struct directive directive;
    const struct family *family;
    char words[CHECK_TEXT_MAX];
    char order[DIRECTIVE_TEXT_MAX];
    arena_init(&arena, 64 * 1024 * 1024);
    enum err err = check_body(&arena, &request, &conversation, &family, words);
    CHECK(err == OK || err == ERR_REJECTED || err == ERR_NO_MEMORY);
    if (err == ERR_REJECTED)
        CHECK(strnlen(words, sizeof words) < sizeof words && words[0] != '\0');
    if (err != OK)
        return;
    CHECK(conversation.prompt.len <= conversation.all.len &&
          conversation.all.len <= request.body.len);
    for (uint64_t nth = 0; nth < 3; nth++) {
        err = directive_find(conversation.prompt, nth, &directive, order);
        CHECK(err == OK || err == ERR_INVALID);
    }
    (void)tag_find(conversation.all, SLICE("[[id:"), SLICE("]]"));
    for (const struct asked_tool *tool = conversation.tools; tool != NULL; tool = tool->next) {
        struct buf value OWNED_BY(buf_done);
        buf_init(&value, 65536);
        if (tool->schema != NULL)
            sample_add(&value, &arena, tool->schema);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const MODELS[] = {"anthropic.claude", "amazon.nova-pro", "amazon.titan-text",
                                         "meta.llama3",      "mistral.large",   "deepseek.r1",
                                         "openai.gpt-oss",   "cohere.command-r"};
    struct slice body = slice_of(data, size);
    for (int operation = OPERATION_ANY + 1; operation < OPERATION_COUNT; operation++)
        read_body((struct check_request){(enum operation)operation, SLICE_NULL, body});
    for (size_t i = 0; i < COUNT_OF(MODELS); i++)
        read_body((struct check_request){OPERATION_INVOKE, slice_of_text(MODELS[i]), body});
    return 0;
}
