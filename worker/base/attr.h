/* Names for the compiler attributes that the project uses: the only file that spells them for gcc
 * and clang. */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

/* The compiler warns about a call that ignores the result. */
#define MUST_CHECK __attribute__((warn_unused_result))
/* Parameter `place` (from 1) is a printf format; its arguments begin at parameter `first`, or 0 for
 * a va_list. */
#define PRINTF(place, first) __attribute__((format(printf, place, first)))
#define NORETURN             __attribute__((noreturn))
#define UNUSED               __attribute__((unused))
/* Calls `done(&variable)` when the variable leaves its scope. */
#define OWNED_BY(done) __attribute__((cleanup(done)))

/* The number of elements of an array (never of a pointer). */
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
