/* What usage is summed by: columns of columns.def and labels, in the user's order. The key of a
 * record is the values of its columns, one behind the other, each with its length before it. Days,
 * hours and months are UTC, of the call's start. */
#ifndef APP_BOOKS_COLUMNS_H
#define APP_BOOKS_COLUMNS_H

#include "wire/outputs/entry.h"
#include "base/buf.h"

#define COLUMNS_MAX         8
#define COLUMNS_FAULT_BYTES 200

enum column_kind {
#define COLUMN(id, name) COLUMN_##id,
#include "app/books/columns.def"
#undef COLUMN
    COLUMN_LABEL, /* one label, by name */
};

struct column {
    enum column_kind kind;
    struct slice name;  /* as it is printed */
    struct slice label; /* of COLUMN_LABEL */
};

struct columns {
    struct column list[COLUMNS_MAX];
    size_t count;
};

/* Adds the columns of a list such as `tenant,day,label:project`, which is borrowed. False:
 * ret_fault says what is wrong with it. */
MUST_CHECK bool columns_add(struct columns *columns, struct slice text,
                            char ret_fault[COLUMNS_FAULT_BYTES]);
/* Appends the key of a record. */
void columns_add_key(const struct columns *columns, struct arena *arena, const struct entry *entry,
                     struct buf *key);
/* Takes the next value off a key. */
struct slice columns_next_value(struct slice *key);
/* Is the first column a time? Then rows are in its order. */
bool columns_begin_with_time(const struct columns *columns);

#endif
