/* Compares the books with AWS's Cost and Usage Report: tokens and costs by day, region, tier, model
 * and class of tokens. The report is CSV with the headings of either version
 * (`lineItem/UsageType`, `line_item_usage_type`), and only sums of it are held. Names of models are
 * compared by their words (usage_type.h). */
#ifndef APP_BOOKS_RECONCILE_H
#define APP_BOOKS_RECONCILE_H

#include "app/books/csv.h"
#include "app/books/usage_type.h"
#include "app/books/view.h"

/* The book's columns. */
#define RECONCILE_COLUMNS     "day,model,region,service_tier"
#define RECONCILE_FAULT_BYTES 300
#define RECONCILE_BYTES_MAX   ((size_t)32 * 1024 * 1024)

/* The columns of a report, in the order of the list in reconcile.c. */
#define BILL_COLUMNS 9

/* One sum on both sides. */
struct reconcile_line {
    struct slice day, region, tier;
    struct slice model;      /* as the records name it; null = only AWS has it */
    struct slice usage_type; /* as AWS names it; null = only the records have it */
    bool is_global;
    enum usage_class class;
    int64_t tokens, aws_tokens, aws_millionths; /* of a token, beside aws_tokens */
    struct money_sum cost, aws_cost;
    bool has_cost; /* all calls have one */
};

struct reconcile {
    struct tally lines;          /* `more` of a row is a struct reconcile_line */
    size_t places[BILL_COLUMNS]; /* in the report's heading; SIZE_MAX = it is not there */
    size_t fields;               /* of the heading; 0 = it did not come */
    struct buf key;
    int64_t rows, token_rows, other_rows; /* of the report; for tokens; other charges and credits */
    int64_t since_ms, until_ms;           /* days of the report that count */
    int64_t first_day_ms, last_day_ms;    /* that it has; INT64_MAX and INT64_MIN = none */
    char fault[RECONCILE_FAULT_BYTES];
};

void reconcile_init(struct reconcile *reconcile, int64_t since_ms, int64_t until_ms, uint64_t seed);
void reconcile_done(struct reconcile *reconcile);
/* Takes a row of the report, the heading first. ERR_FORMAT: `fault` says what is wrong with it.
 * ERR_TOO_LARGE: too many sums. */
MUST_CHECK enum err reconcile_take_row(struct reconcile *reconcile, const struct csv *csv);
/* Takes a row of the books. ERR_TOO_LARGE. */
MUST_CHECK enum err reconcile_take_sums(struct reconcile *reconcile, const struct tally_row *row);
/* The lines in order of day, region, tier, model and class; the caller frees the list by
 * memory_free. NULL: out of memory. */
MUST_CHECK const struct reconcile_line **reconcile_lines(const struct reconcile *reconcile,
                                                         size_t *ret_count);
/* What AWS counted, in whole tokens. */
int64_t reconcile_aws_tokens(const struct reconcile_line *line);

#endif
