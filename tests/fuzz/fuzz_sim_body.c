/* Bodies sent to bedrock-sim: JSON, shape, conversation, and the directives in its prompt. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "sim/checks.h"
#include "sim/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena OWNED_BY(arena_done);
    struct conversation conversation;
    struct directive directive;
    char words[CHECK_TEXT_MAX];
    char order[DIRECTIVE_TEXT_MAX];
    arena_init(&arena, 64 * 1024 * 1024);
    enum err err = check_converse(&arena, slice_of(data, size), &conversation, words);
    CHECK(err == OK || err == ERR_REJECTED || err == ERR_NO_MEMORY);
    if (err == ERR_REJECTED)
        CHECK(strnlen(words, sizeof words) < sizeof words && words[0] != '\0');
    if (err != OK)
        return 0;
    CHECK(conversation.prompt.len <= conversation.all.len && conversation.all.len <= size);
    for (uint64_t nth = 0; nth < 3; nth++) {
        err = directive_find(conversation.prompt, nth, &directive, order);
        CHECK(err == OK || err == ERR_INVALID);
    }
    (void)tag_find(conversation.all, SLICE("[[id:"), SLICE("]]"));
    return 0;
}
