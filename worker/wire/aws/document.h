/* JSON documents of AWS's services and tools that hold keys or tokens: what their readers share
 * (wire/aws/metadata.h, sso.h, console_login.h). The texts are secrets; they lie in the arena or in
 * the document, whose owner wipes both. */
#ifndef WIRE_AWS_DOCUMENT_H
#define WIRE_AWS_DOCUMENT_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "wire/aws/key_answer.h"
#include "wire/formats/json.h"

/* Most bytes of memory that the reading of one document may take. */
#define DOCUMENT_ARENA_BYTES ((size_t)1024 * 1024)
#define DOCUMENT_WORDS_MAX   160

/* Why a document is not usable, without data. */
struct document_fault {
    char words[DOCUMENT_WORDS_MAX];
};

/* Parses a document whose root is an object. */
MUST_CHECK enum err document_parse(struct arena *arena, struct slice text,
                                   const struct json **ret_root, struct document_fault *ret_fault);
/* Reads members that have to be there, texts that are not empty: pairs of a name and where its
 * value goes, ended by NULL. ERR_FORMAT: ret_fault names the first that is not. */
MUST_CHECK enum err document_read_texts(struct arena *arena, const struct json *object,
                                        struct document_fault *ret_fault, ...);
/* Reads a text that may be missing: null, also when the member is not a text or is empty. False:
 * out of memory. */
MUST_CHECK bool document_read_optional(struct arena *arena, const struct json *object,
                                       const char *name, struct slice *ret_value);
/* Reads an instant of a member: RFC 3339, or with `UTC` for the `Z`, as older AWS CLIs wrote it. */
MUST_CHECK enum err document_read_instant(struct arena *arena, const struct json *object,
                                          const char *name, int64_t *ret_wall_ms,
                                          struct document_fault *ret_fault);
/* Reads a number of seconds, 1 to 10 years, as the instant that is this far from now. */
MUST_CHECK enum err document_read_seconds(const struct json *object, const char *name,
                                          int64_t now_wall_ms, int64_t *ret_wall_ms,
                                          struct document_fault *ret_fault);
/* Fills in the words. Returns ERR_FORMAT. */
enum err document_fail(struct document_fault *ret_fault, const char *format, ...) PRINTF(2, 3);
/* Appends the instant as AWS's tools write it, without decimals: `2026-11-22T10:00:00Z`. */
void document_add_instant(struct buf *buf, int64_t wall_ms);
/* Percent-encodes everything but unreserved characters (RFC 3986), for a path or a query. */
void document_add_escaped(struct buf *buf, struct slice text);
/* The code of a refusal: letters, digits, `_`, `-` and `.` at its begin, at most 64 of them, so
 * that it can be logged. */
struct slice document_code(struct slice text);

#endif
