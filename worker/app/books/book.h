/* The books of one reading of the usage topic: each call once, in exact sums. A book takes the
 * topic's records in any order, skips what is no usage record, leaves out doubles (known.h) and
 * records that another one replaces, and sums the others whose call began in its window. Memory is
 * bounded: about KNOWN_BYTES_MAX, TALLY_BYTES_MAX and BOOK_LOST_MAX together. */
#ifndef APP_BOOKS_BOOK_H
#define APP_BOOKS_BOOK_H

#include "app/books/columns.h"
#include "app/books/ids.h"
#include "app/books/known.h"
#include "app/books/tally.h"

#define BOOK_LOST_MAX     100000 /* records of lost calls that may still be replaced */
#define BOOK_REPLACED_MAX 400000 /* ids that replacing records name */
#define BOOK_PLACES_MAX   3      /* that are named of each kind of skipped record */

enum book_skip { SKIP_FOREIGN, SKIP_VERSION, SKIP_DAMAGED, BOOK_SKIPS };

struct book_place {
    int32_t partition;
    int64_t offset;
    const char *why; /* static */
};

/* Records that were skipped, and where the first ones are. */
struct book_skipped {
    int64_t count;
    struct book_place places[BOOK_PLACES_MAX];
};

/* What a user of the book may do with a record before it is summed: give it another cost. */
typedef void book_price(void *self, struct entry *entry);
/* Hears of each record that was summed. OK, or what ends the reading. */
typedef enum err book_heard(void *self, const struct entry *entry);

struct book_plan {
    struct columns columns;
    int64_t since_ms, until_ms; /* calls that began in [since, until) */
    struct slice currency;      /* null = the first that comes */
    book_price *price;          /* NULL = costs are as recorded */
    book_heard *heard;          /* NULL = nobody */
    void *pricer, *hearer;      /* `self` of each */
    uint64_t seed;
};

struct book_lost;

struct book {
    struct book_plan plan;
    char currency[4]; /* of the sums; "" = no cost came */
    struct tally tally;
    struct known known;
    struct ids replaced; /* to 0, or 1 + the place in `lost` of what was summed for the id */
    struct book_lost *lost;
    size_t lost_count, lost_room;
    struct arena arena; /* of the record at hand */
    struct buf key;
    struct book_skipped skipped[BOOK_SKIPS];
    int64_t read, counted, doubles, replaced_count, outside;
    int64_t unchecked;         /* lost calls that could not be remembered */
    int64_t in_other_currency; /* calls whose cost is in another one */
    int64_t first_ms, last_ms; /* begin of the first and the last call that was summed */
};

/* Begins an empty book; `plan` is copied, its texts are borrowed. */
void book_init(struct book *book, const struct book_plan *plan);
void book_done(struct book *book);
/* Takes a record. `now_ms`: how far the reading has come in time. ERR_TOO_LARGE: the columns make
 * too many rows. ERR_NO_MEMORY, and what `heard` returns. */
MUST_CHECK enum err book_take(struct book *book, const struct book_place *place, struct slice value,
                              int64_t now_ms);

#endif
