/* What is wrong with the settings, all of it at once: a list of problems, each at a place of a
 * file, with the path of the setting and what to do. Texts never quote values of properties that
 * may be secrets. */
#ifndef YAML_PROBLEMS_H
#define YAML_PROBLEMS_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/slice.h"

#define PROBLEMS_MAX       100 /* more are counted, not kept */
#define PROBLEM_PATH_MAX   160
#define PROBLEM_WORDS_MAX  480
#define PROBLEMS_BYTES_MAX ((size_t)1024 * 1024) /* of all of them as text */

/* Where something was said. line 0: nowhere, it is a default. */
struct place {
    const char *file;      /* borrowed: the name that messages use */
    uint32_t line, column; /* from 1 */
};

struct problem {
    struct place place;
    char path[PROBLEM_PATH_MAX]; /* "" = the file as a whole */
    char words[PROBLEM_WORDS_MAX];
};

struct problems {
    struct problem list[PROBLEMS_MAX];
    size_t count;
    size_t dropped;
};

void problems_init(struct problems *problems);
/* `format` gives what is wrong; what to do. Clipped; control characters become '?'. */
void problems_add(struct problems *problems, struct place place, struct slice path,
                  const char *format, ...) PRINTF(4, 5);
/* How many there are, those that were not kept included. */
size_t problems_found(const struct problems *problems);
/* By file, line and column; problems of one place stay in the order of finding. */
void problems_sort(struct problems *problems);
/* One line each: `file:line:column: path: words`; a default's problem has its file alone. */
void problems_add_text(const struct problems *problems, struct buf *buf);

#endif
