/* Any bytes as AWS's shared files: read, or rejected with a line number of the file. */
#include <stdint.h>

#include "base/check.h"
#include "base/memory.h"
#include "wire/aws/profiles.h"
#include "wire/aws/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_lines(struct slice text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '\n';
    return count;
}

static void check_value(const struct profiles_value *found, struct slice text)
{
    CHECK(found->line >= 1 && found->line <= count_lines(text));
    CHECK(found->value.len <= text.len);
}

static void ask(const struct profiles *profiles, enum profiles_kind kind, struct slice text)
{
    struct profiles_value found;
    if (profiles_find(profiles, kind, SLICE("a"), "x", &found)) {
        CHECK(profiles_have(profiles, kind, SLICE("a")));
        check_value(&found, text);
    }
    if (profiles_find_nested(profiles, kind, SLICE("a"), "s", "x", &found))
        check_value(&found, text);
}

static void read_file(enum profiles_file file, struct slice text)
{
    struct profiles profiles;
    struct profiles_fault fault = {0, NULL};
    profiles_init(&profiles);
    enum err err = profiles_read(&profiles, file, text, &fault);
    CHECK(err == OK || err == ERR_FORMAT || err == ERR_NO_MEMORY);
    if (err == ERR_FORMAT) {
        CHECK(fault.words != NULL);
        CHECK(fault.line >= 1 && fault.line <= count_lines(text));
    }
    ask(&profiles, PROFILES_PROFILE, text);
    ask(&profiles, PROFILES_SSO_SESSION, text);
    ask(&profiles, PROFILES_SERVICES, text);
    profiles_done(&profiles);
}

static void split(struct slice text)
{
    struct arena arena;
    struct slice words[4];
    size_t count = 0, len = 0;
    arena_init(&arena, 16 * 1024 * 1024);
    if (words_split(&arena, text, words, COUNT_OF(words), &count) == OK) {
        CHECK(count <= COUNT_OF(words));
        for (size_t i = 0; i < count; i++) {
            CHECK(words[i].ptr[words[i].len] == '\0');
            len += words[i].len;
        }
        CHECK(len <= text.len);
    }
    arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size);
    read_file(PROFILES_CONFIG, text);
    read_file(PROFILES_CREDENTIALS, text);
    split(text);
    CHECK(memory_live() == 0);
    return 0;
}
