/* The reader of a request: what its rooms (values, merge, model, turns, blocks, conversation)
 * share. The floor of this wing; request.c is its roof. Rooms return an error and fill reader->why;
 * whoever can go on behind it notes it as a mistake of the request. */
#ifndef WIRE_CHAT_READER_H
#define WIRE_CHAT_READER_H

#include "wire/chat/request.h"

#define MISTAKES_SHOWN_MAX 8  /* of a request, each with its place */
#define MISTAKES_MAX       64 /* with so many the reading ends */

/* The mistakes of a request, as far as it was read. */
struct mistakes {
    struct why first;
    struct buf others; /* the second to the eighth: `; place: words` each */
    size_t count;
};

struct reader {
    struct arena *arena;   /* what the request keeps */
    struct arena *scratch; /* nodes, and what only the reading needs */
    const struct record *record;
    const struct catalog *catalog;
    const struct model_alias *in_place; /* as in struct request_source */
    struct request *request;
    struct why why; /* the present mistake; reader_note adds it to the list */
    struct mistakes mistakes;
    /* Read apart, put together at the end. */
    const struct json *messages, *prompt;
    const struct json *model_kwargs, *additional_fields;
    const struct json *more;   /* messages behind the request's own; NULL = none */
    const struct json *schema; /* of structured_output; NULL = none, or it is wrong */
};

/* Notes a mistake, reader->why, unless err is OK. false: the reading ends, because there are
 * MISTAKES_MAX or memory ran out. */
bool reader_note(struct reader *reader, enum err err);

/* Fills why; returns ERR_NO_MEMORY. */
MUST_CHECK enum err reader_no_memory(struct reader *reader);
/* The decoded string: borrowed, or in the request's arena. ERR_INVALID at `field` for another kind
 * of value, ERR_NO_MEMORY. */
MUST_CHECK enum err reader_string(struct reader *reader, const char *field,
                                  const struct json *value, struct slice *ret_text);
/* A string that is not empty. */
bool reader_is_full_string(const struct json *node);
/* Whether the additional fields have this parameter: one that Converse leaves to the model. */
bool reader_has_own_field(const struct reader *reader, enum parameter parameter);
/* ERR_INVALID for a member that the object at `path` cannot have, with the nearest of `known`. */
enum err reader_unknown_member(struct reader *reader, const char *path, struct slice name,
                               const char *const *known, size_t known_count);

/* Names that there are: `list` has `count` elements of `size` bytes that begin with their name. */
struct names {
    const void *list;
    size_t count, size;
};
/* Appends as many of them as a message has room for, and the nearest to `name`:
 * ` (aliases: claude, nova and 3 more); did you mean "claude"?`. `title` is theirs (`aliases`),
 * `none` what to say when there is none. */
void reader_add_names(struct buf *words, struct slice name, struct names names, const char *title,
                      const char *none);

#endif
