/* Values as people write them in settings: environment variables (`${NAME}`), durations (`200ms`,
 * `5m`) and sizes (`64MiB`). The readers reject everything else; only a buf can fail for lack of
 * memory. */
#ifndef YAML_UNITS_H
#define YAML_UNITS_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

/* Returns the value of an environment variable, or NULL when it is not set. */
typedef const char *environment_get(void *self, const char *name);

/* Appends the content of a file, without a newline at its end. ERR_IO: it cannot be read.
 * ERR_NOT_ALLOWED: it is over UNITS_FILE_BYTES_MAX. */
typedef enum err environment_add_file(void *self, const char *file, struct buf *buf);

/* Where variables come from; tests have their own. */
struct environment {
    environment_get *get;
    environment_add_file *add_file; /* NULL: NAME_FILE means nothing */
    void *self;
};

#define UNITS_NAME_MAX       128 /* of an environment variable, with its NUL */
#define UNITS_FILE_BYTES_MAX ((size_t)64 * 1024)

/* Appends `text`, with `${NAME}` and `${NAME:-default}` replaced and `$$` turned into `$`; other
 * dollars stay. As in a shell, the default applies when the variable is not set or empty.
 * ERR_NOT_FOUND: the variable ret_name is not set. If NAME is not set or empty, and NAME_FILE
 * is, the value is the content of the file that NAME_FILE names. ERR_INVALID: both are set.
 * ERR_IO, ERR_NOT_ALLOWED: of environment_add_file. ERR_FORMAT: a `${` without its end, within
 * another, or with an invalid name. ERR_TOO_LARGE, ERR_NO_MEMORY: the buf failed. */
MUST_CHECK enum err units_add_expanded(struct buf *buf, struct slice text,
                                       const struct environment *environment,
                                       char ret_name[UNITS_NAME_MAX]);
/* Reads a duration into milliseconds: `0`, or numbers with the units d, h, m, s, ms, largest first,
 * such as `1500ms`, `1.5s`, `1h30m`. Cuts fractions of a millisecond. False when `text` is none. */
MUST_CHECK bool units_read_span(struct slice text, int64_t *ret_ms);
/* Reads a size into bytes: a whole number, alone or with B, kB, MB, GB (powers of 1000), KiB, MiB
 * or GiB (powers of 1024). False when `text` is none. */
MUST_CHECK bool units_read_size(struct slice text, int64_t *ret_bytes);
/* Guess the duration or size that an invalid text means, and append its right spelling: `10 MiB` →
 * `10MiB`, `64M` → `64MiB`, `5min` → `5m`. False, and nothing is appended, when there is no guess.
 */
MUST_CHECK bool units_add_meant_span(struct buf *buf, struct slice text);
MUST_CHECK bool units_add_meant_size(struct buf *buf, struct slice text);
/* Append a value in its largest whole unit: 120000 → `2m`, 67108864 → `64MiB`. */
void units_add_span(struct buf *buf, int64_t ms);
void units_add_size(struct buf *buf, int64_t bytes);

#endif
