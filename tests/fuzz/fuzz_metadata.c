/* Any bytes as an answer of a metadata service: keys, or a reason that can be logged; no memory is
 * left. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "wire/aws/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_words(const struct document_fault *fault)
{
    CHECK(fault->words[0] != '\0' && memchr(fault->words, '\0', sizeof fault->words) != NULL);
    for (const char *at = fault->words; *at != '\0'; at++)
        CHECK(*at >= ' ' && *at <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t live = memory_live();
    struct arena arena;
    struct key_answer found;
    struct document_fault fault = {.words = ""};
    arena_init(&arena, DOCUMENT_ARENA_BYTES);
    enum err err = metadata_read(&arena, slice_of(data, size), &found, &fault);
    if (err == OK) {
        CHECK(found.access_key_id.len > 0 && found.secret_access_key.len > 0);
        CHECK(found.session_token.len > 0 && found.expires_wall_ms >= 0);
    } else if (err == ERR_FORMAT) {
        check_words(&fault);
    }
    arena_wipe(&arena);
    CHECK(memory_live() == live);
    return 0;
}
