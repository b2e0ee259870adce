/* Reading the worker's records as a client does: what a person wants to see of a response or a
 * chunk. */
#ifndef APP_CLIENT_READING_H
#define APP_CLIENT_READING_H

#include "base/arena.h"
#include "base/buf.h"
#include "wire/formats/json.h"
#include "wire/formats/record.h"

#define READING_TEXT_MAX ((size_t)64 * 1024 * 1024)

struct reading {
    struct slice id;
    struct slice message_id; /* of the call that gave the answer: its run of chunks, too */
    bool is_ok;
    struct slice model;
    struct slice error_code, error_type, error_message; /* when not ok */
    size_t calls;                                       /* attempts */
    int64_t input_tokens, output_tokens;
    int64_t duration_ms;        /* received to answered; -1 = unknown */
    const struct json *content; /* of the message; NULL = none */
};

/* A response record's value. ERR_FORMAT when it is none. Slices lie in the arena or the value. */
MUST_CHECK enum err reading_of_response(struct arena *arena, struct slice value,
                                        struct reading *ret_reading);

struct chunk_reading {
    struct slice run;
    int64_t seq;
    bool is_last;
    const struct json *content;
};
MUST_CHECK enum err reading_of_chunk(struct arena *arena, struct slice value,
                                     struct chunk_reading *ret_reading);

/* The text of a content: a string, or the text blocks of a list; other blocks as [type]. */
void reading_add_text(struct arena *arena, const struct json *content, struct buf *ret_text);
/* Text for a terminal: without control characters but newline and tab, which could steer it. The
 * text is UTF-8. */
void reading_add_shown(struct slice text, struct buf *ret_text);
/* An integer member, or `otherwise`. */
int64_t reading_int(const struct json *object, const char *name, int64_t otherwise);
/* A text member; null = none. */
struct slice reading_text(struct arena *arena, const struct json *object, const char *name);
/* The request that a response or chunk belongs to (header ce_subject); null = none. */
struct slice reading_subject(const struct record *record);

#endif
