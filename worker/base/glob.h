/* Globs for topic and header names: `*` matches any bytes, `?` one byte, every other byte itself;
 * there are no classes and no escapes. Matching backtracks to the last star only, so it takes at
 * most pattern.len * text.len steps. */
#ifndef BASE_GLOB_H
#define BASE_GLOB_H

#include "base/slice.h"

/* Does the whole `text` match? `ignore_case` concerns ASCII letters. */
bool glob_match(struct slice pattern, struct slice text, bool ignore_case);
/* Does `pattern` match every text that `other` matches? False where only a closer look at both
 * could tell, as for `*?` and `?*`. */
bool glob_covers(struct slice pattern, struct slice other, bool ignore_case);

#define GLOB_COMPARED_MAX 256 /* bytes of a pattern that may be compared with another (CHECKed) */

/* Is there a text that both patterns match, with regard to case? At most a.len * b.len steps. */
bool glob_overlaps(struct slice a, struct slice b);

#endif
