/* The reader of a request: what its rooms (values, merge, model, conversation, blocks) share. The
 * floor of this wing; request.c is its roof. */
#ifndef WIRE_CHAT_READER_H
#define WIRE_CHAT_READER_H

#include "wire/chat/request.h"

struct reader {
    struct arena *arena;   /* what the request keeps */
    struct arena *scratch; /* nodes, and what only the reading needs */
    const struct record *record;
    const struct catalog *catalog;
    struct request *request;
    struct why *why;
    /* Read apart, put together at the end. */
    const struct json *messages, *prompt;
    const struct json *model_kwargs, *additional_fields;
};

MUST_CHECK enum err reader_no_memory(struct reader *reader);
/* The decoded string in the kept arena (or borrowed); INVALID at `field` when it is none. */
MUST_CHECK enum err reader_string(struct reader *reader, const char *field,
                                  const struct json *value, struct slice *ret_text);
/* Whether the additional fields have this parameter: one that Converse leaves to the model. */
bool reader_has_own_field(const struct reader *reader, enum parameter parameter);
/* ERR_INVALID for a member that is not there to be written, with the nearest of `known`. `path` is
 * the object's. */
enum err reader_unknown_member(struct reader *reader, const char *path, struct slice name,
                               const char *const *known, size_t known_count);

#endif
