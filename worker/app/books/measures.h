/* The counts of a row in their order (measures.def). */
#ifndef APP_BOOKS_MEASURES_H
#define APP_BOOKS_MEASURES_H

#include "app/books/tally.h"

enum measure_show { SHOW_ALWAYS, SHOW_ROOM, SHOW_RARELY };

struct measure {
    const char *name, *heading;
    size_t offset; /* in struct sums, of an int64_t */
    enum measure_show show;
};

#define MEASURES_MAX 16

/* The list, and its length. */
const struct measure *measures(size_t *ret_count);
int64_t measure_of(const struct measure *measure, const struct sums *sums);

#endif
