/* Globs: `*` any bytes, `?` one byte, everything else itself. No classes, no escapes: the patterns
 * are lists of topic and header names. Linear in time (no backtracking beyond the last star). */
#ifndef BASE_GLOB_H
#define BASE_GLOB_H

#include "base/slice.h"

bool glob_match(struct slice pattern, struct slice text, bool ignore_case);

#endif
