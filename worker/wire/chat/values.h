/* Values of a request's fields: one reader for each form that a field may have. The table of
 * request_fields.def says which field has which form. */
#ifndef WIRE_CHAT_VALUES_H
#define WIRE_CHAT_VALUES_H

#include "wire/chat/reader.h"

/* One field of the request: its row in request_fields.def. */
struct request_field {
    const char *name;
    /* Reads a value that is there and not null; on error fills why with its field. */
    enum err (*read)(struct reader *reader, const struct request_field *field,
                     const struct json *value);
    size_t target;       /* VALUE: the slice's offset in struct request; PART: in struct reader;
                            a parameter's number */
    enum json_kind kind; /* of a PART */
    size_t name_len;
};

/* Each keeps a value of its form in the request, or returns ERR_INVALID (reply_to:
 * ERR_REPLY_REFUSED too) or ERR_NO_MEMORY. */
typedef enum err request_read_field(struct reader *reader, const struct request_field *field,
                                    const struct json *value);
request_read_field request_read_id, request_read_tenant, request_read_priority, request_read_labels,
    request_read_object, request_read_reply_to, request_read_model, request_read_stream,
    request_read_expires_at, request_read_ttl_ms, request_read_api, request_read_parameter,
    request_read_text_map, request_read_text_list, request_read_part, request_read_structured;
/* Keeps the value of a parameter as its row of parameters.def allows it: whole numbers as digits
 * (1e3 becomes 1000, as Bedrock's parser wants them), one text as an array of it. `path` is the
 * value's place. ERR_INVALID, ERR_NO_MEMORY. */
MUST_CHECK enum err parameter_read(struct reader *reader, enum parameter parameter,
                                   const char *path, const struct json *value);
/* Whether a list `a|b|c` has this text. */
bool choices_have(const char *choices, struct slice text);
/* Fills why with `must be a, b or c` and what is `behind` it; ERR_INVALID. */
enum err choices_refuse(struct reader *reader, const char *path, const char *choices,
                        const char *behind);
/* 1 to `max` characters, no controls. */
bool request_is_name(struct slice text, size_t max);

#endif
