/* Reads the worker's records as a client does, and extracts what a person wants to see of a
 * response or a chunk. The slices of a reading lie in the arena or in the record's value. */
#ifndef APP_CLIENT_READING_H
#define APP_CLIENT_READING_H

#include "base/arena.h"
#include "base/buf.h"
#include "wire/formats/json.h"
#include "wire/formats/record.h"

#define READING_TEXT_MAX ((size_t)64 * 1024 * 1024)

/* A response. */
struct reading {
    struct slice id;
    struct slice message_id; /* of the call that gave the answer; also its run of chunks */
    bool is_ok;
    struct slice model;
    struct slice error_code, error_type, error_message; /* when not ok */
    size_t calls;
    int64_t input_tokens, output_tokens;
    int64_t duration_ms;        /* from receiving the request to the answer; -1 = unknown */
    const struct json *content; /* of the message; NULL = none */
};

/* Reads the value of a response record. ERR_FORMAT: it is none. ERR_NO_MEMORY. */
MUST_CHECK enum err reading_of_response(struct arena *arena, struct slice value,
                                        struct reading *ret_reading);

/* A chunk of a stream. */
struct chunk_reading {
    struct slice run;
    int64_t seq; /* from 0 in the run */
    bool is_last;
    const struct json *content;
};
/* Reads the value of a chunk record. ERR_FORMAT: it is none. ERR_NO_MEMORY. */
MUST_CHECK enum err reading_of_chunk(struct arena *arena, struct slice value,
                                     struct chunk_reading *ret_reading);

/* Appends the text of a content: a string, or a list's text blocks, with [type] for other blocks.
 */
void reading_add_text(struct arena *arena, const struct json *content, struct buf *ret_text);
/* Appends UTF-8 text without the control characters that could control a terminal; newline and tab
 * stay. */
void reading_add_shown(struct slice text, struct buf *ret_text);
/* An integer member of an object; `otherwise` when it has none. */
int64_t reading_int(const struct json *object, const char *name, int64_t otherwise);
/* A text member of an object; null = it has none. */
struct slice reading_text(struct arena *arena, const struct json *object, const char *name);
/* The id of the request that a response or chunk belongs to (header ce_subject); null = none. */
struct slice reading_subject(const struct record *record);

#endif
