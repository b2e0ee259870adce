/* CHECK(fact) is always on. A fact that does not hold is a bug of the worker: the process prints
 * the fact and its place to standard error and aborts. Aborting is safe, because everything that
 * counts is in Kafka; to go on in an unknown state could commit a wrong offset. Use CHECK for the
 * program's own facts only: input from outside gives an enum err. The lines that are
 * printed (the fact, then the objects at hand) hold no data. */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include <stdint.h>

#include "base/attr.h"

#define CHECK(fact) ((fact) ? (void)0 : check_failed(#fact, __FILE__, __LINE__))

/* Runs once before abort(), in the thread whose check failed. The app writes the last log line with
 * it. */
typedef void check_hook(const char *fact, const char *file, int line);
/* Sets the hook of the process; NULL removes it. */
void check_set_hook(check_hook *hook);

/* Called once, before the hook: prints the objects at hand by check_print and check_print_number, a
 * line each, without data. It must change nothing and use no heap. */
typedef void check_objects(void);
void check_set_objects(check_objects *objects);
/* To standard error, by write(2). For a check_objects only. */
void check_print(const char *text);
void check_print_number(int64_t number);

/* Prints the fact, runs the hook and aborts. CHECK calls it. */
NORETURN void check_failed(const char *fact, const char *file, int line);

#endif
