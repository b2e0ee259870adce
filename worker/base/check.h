/* CHECK(fact): always on. A fact that does not hold is a bug of ours; the process says which fact
 * and where, and the objects at hand, and aborts. A stopped worker loses nothing (the broker holds
 * the truth), a confused one may commit a wrong offset. Never for input: foreign bytes give an enum
 * err. No data is printed: the text of the fact, numbers and states of objects. */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include <stdint.h>

#include "base/attr.h"

#define CHECK(fact) ((fact) ? (void)0 : check_failed(#fact, __FILE__, __LINE__))

/* Called once before abort(), with the text that was printed; app uses it to write the last log
 * line. */
typedef void check_hook(const char *fact, const char *file, int line);
void check_set_hook(check_hook *hook);

/* Called once, before the hook: says the objects at hand by check_say and check_say_number, a line
 * each, without data. It must change nothing and use no heap. */
typedef void check_objects(void);
void check_set_objects(check_objects *objects);
/* To standard error, by write(2). For a check_objects only. */
void check_say(const char *text);
void check_say_number(int64_t number);

NORETURN void check_failed(const char *fact, const char *file, int line);

#endif
