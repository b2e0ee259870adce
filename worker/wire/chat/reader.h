/* What the rooms that read a request share: the reader, and one function per kind of field. Private
 * to this wing. */
#ifndef WIRE_CHAT_READER_H
#define WIRE_CHAT_READER_H

#include "wire/chat/request.h"
#include "wire/chat/template.h"

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

/* One field of the request: its row in request_fields.def. */
struct request_field {
    const char *name;
    /* Reads a value that is there and not null; fills why with its field on error. NULL = of the
     * contract, but not done by this version. */
    enum err (*read)(struct reader *reader, const struct request_field *field,
                     const struct json *value);
    size_t target; /* offset of the slice in struct request; SIZE_MAX = the reader knows */
};

MUST_CHECK enum err reader_no_memory(struct reader *reader);
/* The decoded string in the kept arena (or borrowed); INVALID at `field` when it is none. */
MUST_CHECK enum err reader_string(struct reader *reader, const char *field,
                                  const struct json *value, struct slice *ret_text);
/* ERR_INVALID for a member that is not there to be written, with the nearest of `known`. `path` is
 * the object's. */
enum err reader_unknown_member(struct reader *reader, const char *path, struct slice name,
                               const char *const *known, size_t known_count);

/* values.c: the readers of request_fields.def. */
typedef enum err request_read_field(struct reader *reader, const struct request_field *field,
                                    const struct json *value);
request_read_field request_read_id, request_read_tenant, request_read_labels, request_read_object,
    request_read_reply_to, request_read_model, request_read_stream, request_read_expires_at,
    request_read_ttl_ms, request_read_api, request_read_amount, request_read_share,
    request_read_count, request_read_positive, request_read_stop, request_read_text_map,
    request_read_text_list, request_read_part;
/* 1 to `max` characters, no controls. */
bool request_is_name(struct slice text, size_t max);
/* Takes LangChain's parameters out of model_kwargs, merges the rest with the additional fields. */
MUST_CHECK enum err request_merge_fields(struct reader *reader);

/* model.c: alias, id or ARN; and the alias's defaults for what the request leaves out. */
MUST_CHECK enum err request_resolve_model(struct reader *reader);

/* conversation.c: `messages` or `prompt` to system and turns. */
MUST_CHECK enum err request_read_conversation(struct reader *reader);

/* A conversation while it is read. The arrays lie in the scratch arena, with room for all there can
 * be. */
struct conversation {
    struct reader *reader;
    struct template_use *use; /* NULL = the texts are no templates */
    /* One array: what the turns say from its begin, what the system says from its end, last one
     * first. */
    struct block *blocks;
    size_t system_count, said_count, room;
    struct turn *turns; /* their blocks are in `blocks` */
    size_t turn_count, turn_room;
    bool was_text; /* the last message's content was a string, and its role … */
    enum role last_role;
};

/* Where a text stands. Strings that are blank count only where nothing else is said in the turn
 * (is_blank), and those of messages that follow each other become one text (goes_on), as LangChain
 * has it. A blank text block is the caller's own, and becomes the stand-in. */
enum text_place { TEXT_MESSAGE, TEXT_ELEMENT, TEXT_BLOCK };

/* blocks.c: the content of one message (a string or an array) to blocks. `path` is the content's.
 */
MUST_CHECK enum err conversation_add_content(struct conversation *conversation, enum role role,
                                             const struct json *content, const char *path);
/* Text as the templates and the rules about blank text make it. */
MUST_CHECK enum err conversation_add_text(struct conversation *conversation, enum role role,
                                          enum text_place place, struct slice text,
                                          const char *path);
/* In conversation.c: appends to the system blocks, or to the turn of that role. */
void conversation_add_block(struct conversation *conversation, enum role role,
                            const struct block *block);

#endif
