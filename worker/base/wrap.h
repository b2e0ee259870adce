/* Wraps text for people at blanks. A code point counts as one column, which holds for scripts whose
 * characters are one column wide. The text must be valid UTF-8. */
#ifndef BASE_WRAP_H
#define BASE_WRAP_H

#include "base/buf.h"

/* Appends `text` in lines of at most `columns` columns. The first line continues at column
 * `indent`, which the caller has filled; each further line begins with `indent` blanks. Newlines
 * and blanks within a line stay; the blanks at a line break go. A word longer than a line is cut.
 */
void wrap_add(struct buf *buf, struct slice text, size_t indent, size_t columns);

#endif
