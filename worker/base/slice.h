/* A slice: borrowed bytes with a length, never NUL-terminated, never owned. A null slice (ptr NULL)
 * differs from an empty one: a Kafka key may be null or empty. The owner of the bytes must outlive
 * the slice. */
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

static inline struct slice slice_of(const void *ptr, size_t len)
{
    return (struct slice){(const char *)ptr, len};
}

/* Of a NUL-terminated string of our own; never of foreign bytes. NULL gives the null slice. */
struct slice slice_of_text(const char *text);

bool slice_equal(struct slice a, struct slice b); /* null equals null only */
bool slice_equal_text(struct slice a, const char *text);
bool slice_is_one_of(struct slice s, const char *const *texts, size_t count);
bool slice_equal_nocase(struct slice a, struct slice b); /* ASCII letters only */
bool slice_starts(struct slice s, struct slice prefix);
bool slice_ends(struct slice s, struct slice suffix);
/* Index of the first `byte`, or s.len. */
size_t slice_find(struct slice s, char byte);
/* Bytes [from, from + len), clipped to s. */
struct slice slice_sub(struct slice s, size_t from, size_t len);
/* NUL-terminated, clipped to `room` bytes with the NUL. */
void slice_write(struct slice s, char *ret_text, size_t room);
/* Without leading and trailing space, tab, CR, LF. */
struct slice slice_trim(struct slice s);
/* <0, 0, >0 as memcmp, then length. */
int slice_compare(struct slice a, struct slice b);
/* A whole decimal number in range, else false and *ret_value untouched. A leading '-' is allowed,
 * '+' and spaces not. */
bool slice_to_int64(struct slice s, int64_t *ret_value);
/* A keyed 64-bit hash (SipHash-1-3) for tables that hold foreign keys. */
uint64_t slice_hash(struct slice s, uint64_t seed);

#endif
