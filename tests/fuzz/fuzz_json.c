/* The JSON reader: whatever it accepts has spans inside the text and in order, strings that are
 * written and read again unchanged, and is accepted again when read from its own span. */
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "wire/formats/json.h"
#include "wire/formats/json_mend.h"

#define ARENA_LIMIT ((size_t)256 << 20)
#define VISITS_MAX  (JSON_NODES_MAX + 1)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_string(const struct json *node)
{
    struct arena arena OWNED_BY(arena_done);
    struct buf written OWNED_BY(buf_done);
    struct slice before, after;
    const struct json *again;
    arena_init(&arena, ARENA_LIMIT);
    buf_init(&written, ARENA_LIMIT);
    CHECK(json_string(&arena, node, &before));
    CHECK(utf8_valid_len(before) == before.len);
    CHECK(slice_find(before, '\0') == before.len);
    json_add_string(&written, before);
    CHECK(json_parse(&arena, buf_slice(&written), &again, NULL) == OK);
    CHECK(json_string(&arena, again, &after));
    CHECK(slice_equal(before, after));
}

static void check_scalar(const struct json *node)
{
    int64_t whole = 0;
    double number = 0;
    if (node->kind == JSON_STRING)
        check_string(node);
    bool is_whole = json_int64(node, &whole);
    bool is_double = json_double(node, &number);
    CHECK(node->kind == JSON_NUMBER || (!is_whole && !is_double));
    CHECK(!is_whole || is_double);
    /* The double nearest to a whole number may lie one rounding away from it. */
    if (is_whole)
        CHECK(number >= (double)whole - 1024 && number <= (double)whole + 1024);
}

static void check_children(const struct json *parent)
{
    const char *at = parent->source.ptr, *end = parent->source.ptr + parent->source.len;
    size_t count = 0;
    for (const struct json *node = parent->first; node != NULL; node = node->next) {
        CHECK(node->source.ptr > at);
        CHECK(node->source.len > 0);
        at = node->source.ptr + node->source.len;
        CHECK(at < end);
        CHECK((node->name.ptr != NULL) == (parent->kind == JSON_OBJECT));
        count++;
    }
    CHECK(count == parent->count);
}

/* Depth first with a stack as deep as the reader allows. */
static void check_tree(const struct json *root)
{
    const struct json *stack[JSON_LOOSE_DEPTH_MAX + 1];
    size_t depth = 0;
    stack[depth++] = root;
    for (size_t visits = 0; depth > 0; visits++) {
        const struct json *node = stack[--depth];
        CHECK(visits < VISITS_MAX);
        check_children(node);
        if (node->first == NULL)
            check_scalar(node);
        if (node->next != NULL)
            stack[depth++] = node->next;
        if (node->first != NULL) {
            CHECK(depth <= JSON_LOOSE_DEPTH_MAX);
            stack[depth++] = node->first;
        }
    }
}

/* Repaired text is valid UTF-8 inside its strings and needs no second repair, and valid JSON stays
 * unchanged. */
static void check_loosely(struct arena *arena, struct slice text, bool is_json)
{
    struct slice mended, again;
    const struct json *root = NULL;
    CHECK(json_mend(arena, text, &mended));
    CHECK(json_mend(arena, mended, &again));
    CHECK(slice_equal(mended, again));
    CHECK(!is_json || slice_equal(mended, text));
    enum err err = json_parse_loosely(arena, text, &root, NULL);
    CHECK(err == OK || (err == ERR_FORMAT && !is_json));
    if (err == OK)
        check_tree(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t live = memory_live();
    struct arena arena;
    struct json_fault fault = {0};
    const struct json *root = NULL, *again = NULL;
    arena_init(&arena, ARENA_LIMIT);
    enum err err = json_parse(&arena, slice_of(data, size), &root, &fault);
    if (err == OK) {
        CHECK(root->source.len <= size);
        check_tree(root);
        CHECK(json_parse(&arena, root->source, &again, NULL) == OK);
        CHECK(slice_equal(root->source, again->source));
    } else {
        CHECK(err == ERR_FORMAT);
        CHECK(fault.offset <= size);
        CHECK(fault.line >= 1 && fault.column >= 1);
        CHECK(fault.words != NULL);
    }
    check_loosely(&arena, slice_of(data, size), err == OK);
    arena_done(&arena);
    CHECK(memory_live() == live);
    return 0;
}
