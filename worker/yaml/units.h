/* Values as people write them in settings: `${ENV}` put in, durations (`200ms`, `5m`), sizes
 * (`64MiB`), whole numbers. */
#ifndef YAML_UNITS_H
#define YAML_UNITS_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

/* The value of an environment variable, or NULL. */
typedef const char *environment_get(void *self, const char *name);

struct environment {
    environment_get *get;
    void *self;
};

#define UNITS_NAME_MAX 128 /* of an environment variable */

/* Appends `text` with `${NAME}` and `${NAME:-default}` put in (the default also serves when the
 * variable is empty, as in a shell) and `$$` made `$`; other dollars stay. OK; ERR_NOT_FOUND: the
 * variable is not set, ret_name names it; ERR_FORMAT: a `${` without end, within another, or with a
 * name that is none; ERR_TOO_LARGE, ERR_NO_MEMORY of the buf. */
MUST_CHECK enum err units_add_expanded(struct buf *buf, struct slice text,
                                       const struct environment *environment,
                                       char ret_name[UNITS_NAME_MAX]);
/* `1500ms`, `2s`, `1.5s`, `5m`, `1h`, `1d`, `1h30m`; `0`. A fraction of a millisecond is dropped.
 */
MUST_CHECK bool units_read_span(struct slice text, int64_t *ret_ms);
/* `0`, `512`, `512B`, `1kB`, `64KiB`, `16MiB`, `1GB`: decimal kB MB GB, binary KiB MiB GiB. */
MUST_CHECK bool units_read_size(struct slice text, int64_t *ret_bytes);
/* What was meant by a duration or a size that is none, as it is written right: `10 MiB` → `10MiB`,
 * `64M` → `64MiB`, `5min` → `5m`. false, and nothing is added: that cannot be told. */
MUST_CHECK bool units_add_meant_span(struct buf *buf, struct slice text);
MUST_CHECK bool units_add_meant_size(struct buf *buf, struct slice text);
/* The shortest form of the above: 120000 → `2m`, 67108864 → `64MiB`. */
void units_add_span(struct buf *buf, int64_t ms);
void units_add_size(struct buf *buf, int64_t bytes);

#endif
