/* JSON, strictly (RFC 8259 + UTF-8): one scan of our own over the source text, and cJSON behind it
 * for the values of strings with escapes and of numbers. The scan refuses what cJSON would accept
 * or blur: invalid UTF-8, nesting deeper than the limit, duplicate members, `\u0000`, lone
 * surrogates, trailing bytes, numbers that are not JSON. The nodes are spans of the source, so that
 * what belongs to the user or to Bedrock can be passed on byte for byte. Nodes live in the caller's
 * arena and borrow the source text; nothing is freed singly. No recursion. */
#ifndef WIRE_FORMATS_JSON_H
#define WIRE_FORMATS_JSON_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define JSON_DEPTH_MAX       64     /* nesting of arrays and objects */
#define JSON_LOOSE_DEPTH_MAX 256    /* json_parse_loosely */
#define JSON_NODES_MAX       200000 /* values in one text */

enum json_kind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

struct json {
    enum json_kind kind;
    struct slice source;      /* the value's own text, quotes and brackets included */
    struct slice name;        /* of a member: decoded; null in arrays and at the root */
    const struct json *first; /* first element or member, in source order */
    const struct json *next;  /* next sibling */
    size_t count;             /* elements or members */
};

/* Where and why a text was refused. */
struct json_fault {
    size_t offset;       /* byte, from 0 */
    size_t line, column; /* from 1; column in bytes */
    bool is_json;        /* as far as it was read; refused for a duplicate, nesting, \u0000 … */
    const char *words;   /* "duplicate member", … static text without data */
};

/* OK, ERR_FORMAT (ret_fault filled unless NULL) or ERR_NO_MEMORY. */
MUST_CHECK enum err json_parse(struct arena *arena, struct slice text, const struct json **ret_root,
                               struct json_fault *ret_fault);

/* For an answer that was paid for: where json_parse does not accept the text, reads a mended copy
 * of it (wire/formats/json_mend.h), in which members may stand twice (json_member finds the first)
 * and nest up to JSON_LOOSE_DEPTH_MAX. The spans are those of the copy. Errors as json_parse. */
MUST_CHECK enum err json_parse_loosely(struct arena *arena, struct slice text,
                                       const struct json **ret_root, struct json_fault *ret_fault);

/* The member, or NULL; NULL also when `object` is NULL or no object. */
const struct json *json_member(const struct json *object, const char *name);
const struct json *json_member_of(const struct json *object, struct slice name);
bool json_is(const struct json *node, enum json_kind kind); /* false for NULL */
/* The decoded string; without escapes it borrows the source, else the arena. false: no string, or
 * out of memory. */
MUST_CHECK bool json_string(struct arena *arena, const struct json *node, struct slice *ret_text);
/* a string with exactly this value */
bool json_equal_text(const struct json *node, const char *text);
/* A number that is a whole int64 (`3`, `3.0`, `3e2`), else false. */
MUST_CHECK bool json_int64(const struct json *node, int64_t *ret_value);
/* A number that a finite double holds, else false (1e999). */
MUST_CHECK bool json_double(const struct json *node, double *ret_value);

/* Writers. `text` must be valid UTF-8; quotes, backslash and controls are escaped, everything else
 * kept as it is. */
void json_add_string(struct buf *buf, struct slice text);
/* A comma, unless the buf ends in `{` or `[` or is empty. */
void json_add_comma(struct buf *buf);
/* The next ones with that comma before them. `"name":` … */
void json_add_name(struct buf *buf, const char *name);
void json_add_copy(struct buf *buf, const struct json *member); /* as it was written */
/* raw JSON; null slice: nothing */
void json_add_member(struct buf *buf, const char *name, struct slice raw_value);
/* null slice: nothing */
void json_add_text_member(struct buf *buf, const char *name, struct slice text);
void json_add_int_member(struct buf *buf, const char *name, int64_t value);
void json_add_bool_member(struct buf *buf, const char *name, bool value);

#endif
