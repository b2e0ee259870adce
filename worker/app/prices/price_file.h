/* Reads a price file (config/prices.yaml) into a table of policy/price.h. Every mistake is a
 * problem with its place: unknown members, prices that are not decimals of at most six digits,
 * dates reversed, rows of one key that overlap or leave a gap, rows of which neither is more
 * specific for a model that both match. The table's version is the file's date and a hash of its
 * bytes, so that a record names the prices that it was made with. */
#ifndef APP_PRICES_PRICE_FILE_H
#define APP_PRICES_PRICE_FILE_H

#include "base/arena.h"
#include "policy/price.h"
#include "yaml/document.h"
#include "yaml/problems.h"

/* Where an arena for a file of any valid size should end. */
#define PRICE_FILE_ARENA_BYTES DOCUMENT_ARENA_BYTES

/* The tiers that rows may name. `batch` is none that the worker calls; others than the default have
 * rows of their own. Static texts. */
const char *const *price_file_tiers(size_t *ret_count);

/* Reads the text of a file. Its name, `file`, is in the problems. The arena owns the table's rows
 * and texts. True: no problem was added, and *ret_table is whole. */
MUST_CHECK bool price_file_read(struct arena *arena, struct slice text, const char *file,
                                struct problems *problems, struct price_table *ret_table);
/* A hash of a text, to compare two readings; never 0. */
uint64_t price_file_hash(struct slice text);

#endif
