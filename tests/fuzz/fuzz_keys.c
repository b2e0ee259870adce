/* Any bytes as an answer with keys: STS's XML, and the JSON of processes and metadata services. */
#include <stdint.h>

#include "base/check.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "wire/aws/sts.h"
#include "wire/formats/xml.h"

#define ARENA_MAX ((size_t)64 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_xml(struct arena *arena, struct slice text)
{
    const struct xml_leaf *first;
    const char *why = NULL;
    size_t len = 0;
    enum err err = xml_parse(arena, text, &first, &why);
    CHECK(err == OK || err == ERR_FORMAT);
    CHECK(why != NULL && (err == OK) == (first != NULL));
    for (const struct xml_leaf *leaf = first; leaf != NULL; leaf = leaf->next) {
        CHECK(leaf->path.len > 0 && leaf->path.len <= XML_PATH_MAX);
        CHECK(utf8_valid_len(leaf->text) == leaf->text.len);
        len += leaf->text.len;
    }
    CHECK(len <= text.len);
}

static void check_keys(enum err err, const struct key_answer *keys, const char *const *why)
{
    CHECK(err == OK || (err == ERR_FORMAT && (*why)[0] != '\0'));
    CHECK(err != OK || (keys->access_key_id.len > 0 && keys->secret_access_key.len > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct slice text = slice_of(data, size);
    struct key_answer keys;
    struct sts_caller caller;
    struct sts_error error;
    const struct json *root = NULL;
    const char *why = "";
    arena_init(&arena, ARENA_MAX);
    check_xml(&arena, text);
    check_keys(sts_read_keys(&arena, text, &keys, &why), &keys, &why);
    (void)(sts_read_caller(&arena, text, &caller, &why) == OK);
    sts_read_error(text, &error);
    if (json_parse(&arena, text, &root, NULL) == OK) {
        check_keys(key_answer_read(&arena, root, "SessionToken", &keys, &why), &keys, &why);
        check_keys(key_answer_read(&arena, root, "Token", &keys, &why), &keys, &why);
    }
    arena_done(&arena);
    CHECK(memory_live() == 0);
    return 0;
}
