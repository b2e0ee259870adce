/* What `bedrock-worker usage` prints: the sums on standard output, progress and what was skipped on
 * standard error. */
#ifndef APP_COMMANDS_USAGE_OUTPUT_H
#define APP_COMMANDS_USAGE_OUTPUT_H

#include "app/books/book.h"
#include "app/client/screen.h"

enum usage_format { USAGE_TABLE, USAGE_CSV, USAGE_JSON, USAGE_FOCUS };
#define USAGE_FORMATS "table, csv, json and focus"

struct usage_output {
    struct slice topic;
    struct slice account; /* of USAGE_FOCUS */
    enum usage_format format;
    struct screen out, err;
    int64_t begun_ms;
};

/* Whether `name` names a format. */
MUST_CHECK bool usage_format_read(const char *name, enum usage_format *ret_format);
/* Borrows the topic's name. */
void usage_output_init(struct usage_output *output, struct slice topic, enum usage_format format);
/* Shows on a terminal how far the reading has come, in offsets. */
void usage_show_progress(struct usage_output *output, const struct book *book, int64_t done,
                         int64_t all);
/* Prints the sums, and what was skipped. ERR_NO_MEMORY. */
MUST_CHECK enum err usage_print(struct usage_output *output, const struct book *book);
/* Prints the table over the one before, on a terminal, or below it. ERR_NO_MEMORY. */
MUST_CHECK enum err usage_print_again(struct usage_output *output, const struct book *book);

/* Says on standard error what was skipped and left out. */
void usage_print_notices(struct usage_output *output, const struct book *book);

#endif
