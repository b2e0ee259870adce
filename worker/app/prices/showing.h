/* Says which row of a price file applies to a call, and of the other rows for its model why they do
 * not. */
#ifndef APP_PRICES_SHOWING_H
#define APP_PRICES_SHOWING_H

#include "base/buf.h"
#include "policy/price.h"

/* Appends the lines; returns whether a row applies. `file` is the price file's name. */
bool price_show(struct buf *buf, const struct price_table *table, const char *file,
                const struct price_query *query);

#endif
