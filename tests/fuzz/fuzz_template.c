/* First line: a template; the rest: its variables as JSON. The check and the filling agree on which
 * templates are invalid, and a text without braces stays unchanged. */
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/memory.h"
#include "wire/chat/template.h"

#define ARENA_LIMIT ((size_t)16 << 20)
#define TEXT_LIMIT  ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_fill(struct arena *arena, struct slice text, const struct json *variables)
{
    struct template_use use = {.variables = variables};
    struct why why;
    struct buf filled OWNED_BY(buf_done);
    const char *words = NULL;
    size_t column = 0;
    buf_init(&filled, TEXT_LIMIT);
    bool is_good = template_check(text, &column, &words) == OK;
    CHECK(is_good || (words != NULL && column >= 1 && column <= text.len));
    enum err err = template_fill(arena, text, &use, "field", &filled, &why);
    CHECK(is_good || err != OK);
    CHECK(err == OK || why.err == err);
    CHECK(err == OK || err == ERR_INVALID || err == ERR_TEMPLATE_VARIABLES ||
          err == ERR_REQUEST_TOO_LARGE);
    bool is_plain = slice_find(text, '{') == text.len && slice_find(text, '}') == text.len;
    if (is_plain && text.len > 0)
        CHECK(slice_equal(text, buf_slice(&filled)));
    if (err == OK && template_all_used(&use, &why) != OK)
        CHECK(variables->count > 0 && why.message[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t live = memory_live();
    struct slice input = slice_of(data, size);
    struct slice text = slice_sub(input, 0, slice_find(input, '\n'));
    const struct json *variables = NULL;
    struct arena arena;
    arena_init(&arena, ARENA_LIMIT);
    if (text.len > TEXT_LIMIT)
        text.len = TEXT_LIMIT;
    if (json_parse(&arena, slice_sub(input, text.len + 1, SIZE_MAX), &variables, NULL) != OK)
        variables = NULL;
    check_fill(&arena, text, variables);
    arena_done(&arena);
    CHECK(memory_live() == live);
    return 0;
}
