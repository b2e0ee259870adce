/* A request body while it is read into a conversation: its text in one piece, the bytes of the
 * rest, the points of the cache, and the reason when the body is rejected. Shared by the readers of
 * Converse (converse, blocks, tools, fields) and of InvokeModel's families (anthropic, chat,
 * prompt).
 * Errors: ERR_REJECTED with the reason, ERR_NO_MEMORY. */
#ifndef SIM_BODIES_READING_H
#define SIM_BODIES_READING_H

#include "base/attr.h"
#include "base/err.h"
#include "sim/bodies/conversation.h"

#define CHECK_TEXT_MAX  320
#define CHECK_PLACE_MAX 96
#define DOCUMENTS_MAX   5 /* in a request */

struct family;

struct reading {
    struct arena *arena;
    struct conversation *conversation;
    struct slice model;
    const struct family *family;
    char *text; /* room for the text of all turns */
    size_t len;
    size_t turn_at; /* where the text of the current turn begins */
    size_t other_bytes;
    size_t points; /* of the cache */
    uint64_t hash; /* of what was read */
    bool has_tools;
    bool had_short; /* a point of five minutes came */
    struct asked_tool *last_tool;
    size_t images, documents;
    struct slice document_names[DOCUMENTS_MAX];
    char *reason;
};

/* Room for the text of `body`, whose JSON is never shorter than its text. False: out of memory. */
MUST_CHECK bool reading_init(struct reading *ret_reading, struct arena *arena, struct slice body,
                             struct conversation *conversation, char reason[CHECK_TEXT_MAX]);
/* Keeps the reason; returns ERR_REJECTED. */
enum err reading_refuse(struct reading *reading, const char *format, ...) PRINTF(2, 3);
/* Adds a text behind what was read; *ret_blank: it has no visible character. */
MUST_CHECK enum err reading_keep_text(struct reading *reading, const struct json *node,
                                      bool *ret_blank);
/* Adds JSON as text: the result of a tool. */
void reading_add_json(struct reading *reading, const struct json *node);
/* Counts a part of the body that is no text. */
void reading_add_other(struct reading *reading, const struct json *node);
/* A turn begins; the text that follows is the prompt until a later user turn begins. */
void reading_turn(struct reading *reading);
/* A user turn is read: its text is the prompt. */
void reading_prompt(struct reading *reading);
/* Adds a tool. ERR_REJECTED: another one has its name. */
MUST_CHECK enum err reading_add_tool(struct reading *reading, const struct json *name,
                                     const struct json *schema);
const struct asked_tool *reading_tool(const struct reading *reading, struct slice name);
/* How many bytes a base64 text encodes. */
size_t reading_base64_len(struct slice text);
/* Notes a medium of the current turn. */
void reading_add_media(struct reading *reading, const char *kind, struct slice format,
                       size_t bytes);
/* Marks a point of the cache, behind what was read. */
MUST_CHECK enum err reading_cache_point(struct reading *reading, bool is_long);
/* The texts and counts, when all is read. */
void reading_end(struct reading *reading);

/* A member that is a string, decoded; null when it is none. ERR_NO_MEMORY. */
MUST_CHECK enum err reading_string(struct reading *reading, const struct json *object,
                                   const char *name, struct slice *ret_text);

#endif
