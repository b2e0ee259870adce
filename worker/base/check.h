/* CHECK(fact): always on. A fact that does not hold is a bug of ours; the process says which fact
 * and where, and aborts. A stopped worker loses nothing (the broker holds the truth), a confused
 * one may commit a wrong offset. Never for input: foreign bytes give an enum err. The text of the
 * fact is all that is printed: no data. */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include "base/attr.h"

#define CHECK(fact) ((fact) ? (void)0 : check_failed(#fact, __FILE__, __LINE__))

/* Called once before abort(), with the text that was printed; app uses it to write the last log
 * line. */
typedef void check_hook(const char *fact, const char *file, int line);
void check_set_hook(check_hook *hook);

NORETURN void check_failed(const char *fact, const char *file, int line);

#endif
