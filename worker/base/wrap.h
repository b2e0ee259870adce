/* Text for people, wrapped at blanks to a width. Widths are counted in code points of valid UTF-8:
 * right for every script whose characters are one column wide. */
#ifndef BASE_WRAP_H
#define BASE_WRAP_H

#include "base/buf.h"

/* Appends `text` in lines of at most `columns`. The first line begins at column `indent`, which the
 * caller has filled already; further lines are indented by as many blanks. Newlines of the text
 * stay, and so do blanks within a line; the blanks where a line is broken go. Only a word that is
 * longer than a whole line is cut. */
void wrap_add(struct buf *buf, struct slice text, size_t indent, size_t columns);

#endif
