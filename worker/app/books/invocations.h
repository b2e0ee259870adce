/* Compares the books with Bedrock's invocation logs (JSON lines): each call by Bedrock's request
 * id. The log is read first; then the book's records are heard. */
#ifndef APP_BOOKS_INVOCATIONS_H
#define APP_BOOKS_INVOCATIONS_H

#include "wire/outputs/entry.h"
#include "app/books/ids.h"
#include "base/err.h"

#define INVOCATIONS_MAX       1000000
#define INVOCATIONS_NAMED_MAX 1000 /* of each side */

/* How a call stands on both sides. */
enum invocation_side {
    SIDE_DIFFERS, /* on both, with other counts */
    SIDE_ONLY_LOG,
    SIDE_ONLY_BOOK, /* within the time of the log */
    INVOCATION_SIDES,
};

struct invocation {
    struct entry_id id;
    int64_t input, output; /* in the log; input with cached tokens */
    bool is_heard;
};

struct invocation_named {
    struct entry_id id;
    int64_t input, output, book_input, book_output; /* -1 = not on this side */
};

struct invocations {
    struct ids ids; /* 1 + the place in `list` */
    struct invocation *list;
    size_t count, room;
    int64_t first_ms, last_ms; /* of the log */
    int64_t rejected;          /* calls in the log that ended in an error, without counts */
    int64_t lines, equal, without_id;
    int64_t counts[INVOCATION_SIDES];
    struct invocation_named named[INVOCATION_SIDES][INVOCATIONS_NAMED_MAX];
    const char *why; /* static: what is wrong with a line */
};

void invocations_init(struct invocations *invocations, uint64_t seed);
void invocations_done(struct invocations *invocations);
/* Takes a line of the log. ERR_FORMAT: `why`. ERR_TOO_LARGE: more than INVOCATIONS_MAX calls.
 * ERR_NO_MEMORY. */
MUST_CHECK enum err invocations_take_line(struct invocations *invocations, struct slice line);
/* Hears a record of the books: a book_heard. `self` is a struct invocations. */
enum err invocations_hear(void *self, const struct entry *entry);
/* After all records: finds what only the log has. */
void invocations_end(struct invocations *invocations);

#endif
