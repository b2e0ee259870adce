/* Any bytes as a usage record. What the reader takes is what a tree of the same text says, where
 * the text is JSON; and a book that takes it prints what is JSON again. */
#include <stdint.h>

#include "app/books/book.h"
#include "app/books/rows.h"
#include "app/books/table.h"
#include "base/check.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "wire/formats/json.h"

#define ARENA_MAX ((size_t)64 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(struct arena *arena, const struct json *object, const char *name,
                       struct slice found)
{
    struct slice text;
    const struct json *node = json_member(object, name);
    CHECK(utf8_valid_len(found) == found.len && found.len <= ENTRY_TEXT_BYTES);
    CHECK(json_string(arena, node, &text) ? slice_equal(text, found) : found.len == 0);
}

static void check_tree(struct arena *arena, const struct json *root, const struct entry *entry)
{
    const struct json *record = json_member(root, "data"), *usage = json_member(record, "usage");
    int64_t count = -1;
    check_text(arena, record, "tenant", entry->tenant);
    check_text(arena, record, "model", entry->model);
    check_text(arena, record, "region", entry->region);
    check_text(arena, record, "stop_reason", entry->stop_reason);
    CHECK(json_int64(json_member(usage, "input_tokens"), &count));
    CHECK(count == entry->counts[COUNT_INPUT]);
    CHECK(json_is(json_member(record, "estimated"), JSON_TRUE) == entry->is_estimated);
}

static void check_entry(struct arena *arena, struct slice value)
{
    struct entry entry;
    const char *why = "";
    const struct json *root = NULL;
    enum entry_verdict verdict = entry_read(arena, value, &entry, &why);
    CHECK((verdict == ENTRY_READ) == (why == NULL));
    if (verdict != ENTRY_READ)
        return;
    for (size_t i = 0; i < ENTRY_COUNTS; i++)
        CHECK(entry.counts[i] >= 0 && entry.counts[i] <= ENTRY_COUNT_MAX);
    CHECK(entry.amount >= 0);
    if (json_parse(arena, value, &root, NULL) == OK)
        check_tree(arena, root, &entry);
}

/* The text of a book with this record. */
static void print(const struct book *book, struct arena *arena)
{
    struct view view;
    struct buf text;
    const struct json *root = NULL;
    buf_init(&text, ARENA_MAX);
    CHECK(view_init(&view, book, VIEW_BY_COST) == OK);
    if (view.count == 1) {
        rows_add_json(&text, book, view.rows[0]);
        CHECK(json_parse(arena, buf_slice(&text), &root, NULL) == OK);
        rows_add_csv(&text, book, view.rows[0]);
        table_add(&text, &view, &(struct table_look){.columns = 80});
    }
    CHECK(text.failed == OK);
    buf_done(&text);
    view_done(&view);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct book book;
    struct book_plan plan = {.since_ms = INT64_MIN, .until_ms = INT64_MAX, .seed = 1};
    char fault[COLUMNS_FAULT_BYTES];
    struct slice value = slice_of(data, size);
    arena_init(&arena, ARENA_MAX);
    check_entry(&arena, value);
    CHECK(columns_add(&plan.columns, SLICE("tenant,day,labels,label:project,stop_reason"), fault));
    book_init(&book, &plan);
    for (int64_t i = 0; i < 2; i++) {
        const struct book_place place = {0, i, NULL};
        enum err err = book_take(&book, &place, value, 0);
        CHECK(err == OK);
    }
    print(&book, &arena);
    book_done(&book);
    arena_done(&arena);
    CHECK(memory_live() == 0);
    return 0;
}
