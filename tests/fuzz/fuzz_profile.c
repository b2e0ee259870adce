/* Any bytes as an AWS shared file: answered, or rejected with a line number of the file. */
#include <stdint.h>

#include "base/check.h"
#include "base/memory.h"
#include "wire/bedrock/profile.h"

#define VALUE_LIMIT 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_lines(struct slice text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '\n';
    return count;
}

/* Whether the text is valid does not depend on the property asked for. */
static enum err ask(struct slice text, struct slice parent, struct slice name)
{
    static const struct slice SECTION = {"a", 1};
    enum err broken = OK;
    for (int kind = 0; kind < 6; kind++) {
        struct buf value OWNED_BY(buf_done);
        struct profile_fault fault = {0, NULL};
        const struct profile_question question = {
            .file = (enum profile_file)(kind % 2),
            .section = (enum profile_section)(kind / 2),
            .section_name = SECTION,
            .parent = parent,
            .name = name,
        };
        buf_init(&value, VALUE_LIMIT);
        enum err err = profile_ask(text, &question, &value, &fault);
        CHECK(err == OK || err == ERR_NOT_FOUND || err == ERR_FORMAT || err == ERR_TOO_LARGE);
        if (err == ERR_FORMAT) {
            CHECK(fault.words != NULL);
            CHECK(fault.line >= 1);
            CHECK(fault.line <= count_lines(text));
        }
        CHECK(err == OK || err == ERR_TOO_LARGE || value.len == 0);
        if (kind == 0)
            broken = err == ERR_FORMAT ? ERR_FORMAT : OK;
        else
            CHECK((err == ERR_FORMAT) == (broken == ERR_FORMAT));
    }
    return broken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size);
    enum err alone = ask(text, SLICE_NULL, SLICE_NULL);
    CHECK(ask(text, SLICE_NULL, SLICE("x")) == alone);
    CHECK(ask(text, SLICE("s"), SLICE("x")) == alone);
    CHECK(memory_live() == 0);
    return 0;
}
