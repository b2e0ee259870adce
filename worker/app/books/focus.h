/* Rows of FOCUS 1.2 (FinOps Open Cost and Usage Specification) as CSV: one for each day, tenant,
 * model, region, tier, labels and class of tokens. The book's columns must be FOCUS_COLUMNS. Where
 * no call of a row has a cost, its costs are empty, not 0. */
#ifndef APP_BOOKS_FOCUS_H
#define APP_BOOKS_FOCUS_H

#include "app/books/view.h"

#define FOCUS_COLUMNS "day,tenant,model,region,service_tier,estimated,labels"

void focus_add_heading(struct buf *buf);
/* Appends the rows of a row of the view: none for classes without tokens. `account` is the billing
 * account. */
void focus_add(struct buf *buf, const struct book *book, const struct tally_row *row,
               struct slice account);

#endif
