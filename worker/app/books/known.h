/* The ids that were counted already, so that a record that comes twice counts once. An id is a UUID
 * of version 7; it is kept whole, without what its place says: ids are in sets by the minute of
 * their own time. All sets together have a limit; over it the oldest minute is forgotten, and if it
 * is younger than KNOWN_SPAN_MS, its ids count as lost: a double of them would count twice. */
#ifndef APP_BOOKS_KNOWN_H
#define APP_BOOKS_KNOWN_H

#include "wire/outputs/entry.h"
#include "base/err.h"

#define KNOWN_SPAN_MS   INT64_C(86400000) /* how far apart doubles of one id come at most */
#define KNOWN_BYTES_MAX ((size_t)128 * 1024 * 1024)

struct known_minute;

struct known {
    struct known_minute *minutes; /* by minute, ascending */
    size_t count, room;
    size_t held, limit; /* bytes */
    uint64_t seed;
    int64_t lost; /* ids that were forgotten too early */
};

/* `seed` is for the hash of the sets. */
void known_init(struct known *known, size_t limit, uint64_t seed);
void known_done(struct known *known);
/* Remembers an id. `now_ms`: how far the reading has come in time. *ret_is_new: it was not there.
 * ERR_NO_MEMORY: it is not remembered. */
MUST_CHECK enum err known_add(struct known *known, const struct entry_id *id, int64_t now_ms,
                              bool *ret_is_new);

#endif
