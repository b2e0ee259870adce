/* The problems of a settings file, collected so that a person sees all of them at once. Each has
 * its place in the file, the path of the setting, what is wrong and what to do. Callers never quote
 * the value of a property that may be a secret. The list is fixed storage: nothing here allocates
 * or fails. */
#ifndef YAML_PROBLEMS_H
#define YAML_PROBLEMS_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/slice.h"

#define PROBLEMS_MAX       100 /* further ones are counted, not kept */
#define PROBLEM_PATH_MAX   160
#define PROBLEM_TEXT_MAX   480
#define PROBLEMS_BYTES_MAX ((size_t)1024 * 1024) /* of problems_add_text */

/* A place in a file. Line 0: the value stands nowhere, it is a default. */
struct place {
    const char *file;      /* its name in messages; borrowed */
    uint32_t line, column; /* from 1 */
};

struct problem {
    struct place place;
    char path[PROBLEM_PATH_MAX]; /* "" = the file as a whole */
    char text[PROBLEM_TEXT_MAX];
};

struct problems {
    struct problem list[PROBLEMS_MAX];
    size_t count;
    size_t dropped; /* problems that are counted, not kept */
};

/* Empties the list. */
void problems_init(struct problems *problems);
/* Adds a problem; `format` says what is wrong, then what to do. Path and text are clipped, their
 * control characters become '?'. */
void problems_add(struct problems *problems, struct place place, struct slice path,
                  const char *format, ...) PRINTF(4, 5);
/* The number of problems, including those that were not kept. */
size_t problems_found(const struct problems *problems);
/* Sorts by file, line and column; problems of one place keep their order. */
void problems_sort(struct problems *problems);
/* Appends a line for each: `file:line:column: path: text`, without line and column for a default,
 * and the number of those that were not kept. */
void problems_add_text(const struct problems *problems, struct buf *buf);

#endif
