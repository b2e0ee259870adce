/* A slice: a pointer to bytes and their number. It owns nothing, so the owner of the bytes must
 * outlive it; code must not rely on a NUL behind it. The null slice (ptr NULL) differs from an
 * empty one, because a Kafka key may be null or empty. No function here allocates or fails. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
    const char *ptr;
    size_t len;
};

/* A slice of a string literal. */
#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})
#define SLICE_NULL     ((struct slice){NULL, 0})
/* For printf("%.*s"). */
#define SLICE_ARG(s) (int)(s).len, (s).ptr

/* The bytes [ptr, ptr + len). */
static inline struct slice slice_of(const void *ptr, size_t len)
{
    return (struct slice){(const char *)ptr, len};
}

/* The bytes of a NUL-terminated string, without the NUL; NULL gives the null slice. Not for bytes
 * from outside, which may hold a NUL or none. */
struct slice slice_of_text(const char *text);

/* The same bytes? The null slice equals only the null slice. */
bool slice_equal(struct slice a, struct slice b);
bool slice_equal_text(struct slice a, const char *text);
/* Equal to one of `count` strings? */
bool slice_is_one_of(struct slice s, const char *const *texts, size_t count);
/* As slice_equal, without regard to the case of ASCII letters. */
bool slice_equal_nocase(struct slice a, struct slice b);
bool slice_starts(struct slice s, struct slice prefix);
bool slice_ends(struct slice s, struct slice suffix);
/* The index of the first `byte`, or s.len. */
size_t slice_find(struct slice s, char byte);
/* The bytes [from, from + len), clipped to `s`. */
struct slice slice_sub(struct slice s, size_t from, size_t len);
/* Copies `s` as a NUL-terminated string, clipped to `room` > 0 bytes including the NUL. */
void slice_write(struct slice s, char *ret_text, size_t room);
/* `s` without leading and trailing blanks, tabs, CR and LF. */
struct slice slice_trim(struct slice s);
/* <0, 0 or >0: in the order of bytes, a prefix before the longer slice. */
int slice_compare(struct slice a, struct slice b);
/* Reads a whole decimal number, with a leading '-' if negative. False, and *ret_value unchanged,
 * when there is anything else ('+', blanks) or the number exceeds the range. */
bool slice_to_int64(struct slice s, int64_t *ret_value);
/* A keyed 64-bit hash (SipHash-1-3) for tables whose keys come from outside. */
uint64_t slice_hash(struct slice s, uint64_t seed);

#endif
