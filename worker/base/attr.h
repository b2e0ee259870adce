/* The compiler's attributes under words; the one place that knows how gcc and clang spell them. */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#define MUST_CHECK           __attribute__((warn_unused_result))
#define PRINTF(place, first) __attribute__((format(printf, place, first)))
#define NORETURN             __attribute__((noreturn))
#define UNUSED               __attribute__((unused))
/* Calls `done(&variable)` when the variable leaves its scope. */
#define OWNED_BY(done) __attribute__((cleanup(done)))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
