/* Any status, head and body as an error: classified, with a message that is valid text. Two bytes
 * of status, then head, NUL, body. */
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "wire/bedrock/fault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t room)
{
    size_t len = strnlen(text, room);
    CHECK(len < room);
    CHECK(utf8_valid_len(slice_of(text, len)) == len);
    for (size_t i = 0; i < len; i++)
        CHECK((unsigned char)text[i] >= ' ');
}

static void check(enum err err, const struct why *why)
{
    CHECK(err != OK);
    CHECK(why->err == err);
    CHECK(why->message[0] != '\0');
    CHECK(why->field[0] == '\0');
    check_text(why->type, sizeof why->type);
    check_text(why->message, sizeof why->message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct why why;
    struct slice rest = slice_of(data + 2, size - 2);
    size_t end = slice_find(rest, '\0');
    struct slice head = slice_sub(rest, 0, end);
    struct slice body = slice_sub(rest, end + 1, rest.len);
    check(fault_of_answer(data[0] << 8 | data[1], head, body, &why), &why);
    const struct event event = {
        .kind = (enum event_kind)(data[0] % 4),
        .type = data[1] % 4 == 0 ? SLICE_NULL : head,
        .message = data[1] % 4 == 1 ? SLICE_NULL : head,
        .payload = body,
    };
    check(fault_of_event(&event, &why), &why);
    CHECK(memory_live() == 0);
    return 0;
}
