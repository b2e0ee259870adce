/* `usage --reconcile FILE`: reads AWS's Cost and Usage Report (CSV) or Bedrock's invocation logs
 * (JSON lines), whichever it is, before the topic is read, and prints how they compare with it. */
#ifndef APP_COMMANDS_USAGE_RECONCILE_H
#define APP_COMMANDS_USAGE_RECONCILE_H

#include "app/books/book.h"
#include "app/books/invocations.h"
#include "app/books/reconcile.h"
#include "app/commands/usage_output.h"

enum reconcile_kind { RECONCILE_NOTHING, RECONCILE_BILL, RECONCILE_LOG };

struct usage_reconcile {
    const char *file; /* as the user named it; "-" = standard input */
    enum reconcile_kind kind;
    struct reconcile bill;
    struct invocations log;
};

/* Of a zeroed struct. Reads the file, and makes the plan's columns, window and hearer for it:
 * without a window, the time that the file has. False: standard error says why, with the line. */
MUST_CHECK bool usage_reconcile_read(struct usage_reconcile *reconcile, const char *file,
                                     struct book_plan *plan);
void usage_reconcile_done(struct usage_reconcile *reconcile);
/* Prints the comparison with the book. ERR_NO_MEMORY, ERR_TOO_LARGE. */
MUST_CHECK enum err usage_reconcile_print(struct usage_reconcile *reconcile,
                                          struct usage_output *output, const struct book *book);

#endif
