/* Any bytes as somebody's list of prices: what is made of it, if anything, is a right price file,
 * unless the list itself has a row that the file cannot tell from another. */
#include <stdint.h>
#include <stdlib.h>

#include "app/prices/imports.h"
#include "app/prices/price_file.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads the rows as they are written: each is well-formed and has the same prices. */
static void read_back(const struct import *import)
{
    static struct problems problems;
    struct arena arena;
    struct price_table table;
    for (size_t i = 0; i < import->count && i < 50; i++) {
        struct buf page OWNED_BY(buf_done);
        buf_init(&page, 1 << 16);
        buf_addf(&page, "date: 2026-08-06\ncurrency: %s\nprices:\n  - ", import->currency);
        price_row_add(&page, &import->rows[i]);
        buf_add_byte(&page, '\n');
        arena_init(&arena, PRICE_FILE_ARENA_BYTES);
        problems_init(&problems);
        CHECK(price_file_read(&arena, buf_slice(&page), "p", &problems, &table));
        CHECK(table.count == 1 && price_same_key(&table.rows[0], &import->rows[i]));
        for (size_t k = 0; k < PRICE_CLASSES; k++)
            CHECK(table.rows[0].price[k] == import->rows[i].price[k]);
        arena_done(&arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct import_name names[] = {
        {{"Claude4.6Sonnet", 15}, {"anthropic.claude-sonnet-4-6*", 28}}, {{"x", 1}, {"y", 1}}};
    struct arena arena;
    struct json_fault fault;
    struct buf notes OWNED_BY(buf_done), unnamed OWNED_BY(buf_done);
    buf_init(&notes, IMPORT_NOTES_MAX);
    buf_init(&unnamed, IMPORT_NOTES_MAX);
    arena_init(&arena, (size_t)64 << 20);
    struct import import = {
        .arena = &arena, .names = names, .name_count = 2, .notes = &notes, .unnamed = &unnamed};
    enum err err = import_read(&import, slice_of(data, size), &fault);
    CHECK(err == OK || err == ERR_FORMAT || err == ERR_TOO_LARGE || err == ERR_NO_MEMORY);
    if (err == OK)
        read_back(&import);
    for (size_t i = 0; i < unnamed.len; i++)
        CHECK(unnamed.ptr[i] == '\n' || (unnamed.ptr[i] >= ' ' && unnamed.ptr[i] <= '~'));
    arena_done(&arena);
    return 0;
}
