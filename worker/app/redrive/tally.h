/* Counts dead letters by code and by what became of them, and prints the counts as tables. */
#ifndef APP_REDRIVE_TALLY_H
#define APP_REDRIVE_TALLY_H

#include "app/redrive/choice.h"
#include "base/buf.h"

#define TALLY_CODES_MAX  64 /* further codes are counted together */
#define TALLY_CODE_BYTES 64 /* of a code, with its NUL; longer ones are cut */

struct tally_code {
    char code[TALLY_CODE_BYTES];
    bool is_retryable;
    int64_t letters, sent;
};

struct tally {
    int64_t before; /* redriven by an earlier run */
    int64_t others; /* that the filters leave out */
    int64_t fates[FATE_COUNT];
    struct tally_code codes[TALLY_CODES_MAX + 1]; /* the last one: further codes */
    size_t code_count;
};

/* Counts a chosen letter. */
void tally_add(struct tally *tally, const struct dead_letter *letter, enum fate fate);
/* The letters that the filters choose. */
int64_t tally_chosen(const struct tally *tally);
/* Appends the tables, of at most 79 columns: by code, then by fate. In a dry run letters "would be"
 * redriven. */
void tally_add_text(const struct tally *tally, bool is_dry, struct buf *text);

#endif
