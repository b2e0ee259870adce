/* One block of a streamed message, and what the rooms share that hear its pieces: items_text.c,
 * items_tools.c, items_image.c. Texts are kept as they were escaped in the source: fragments of
 * JSON strings, joined, are a JSON string. Only items.c and those three include this. */
#ifndef WIRE_BEDROCK_CONVERSE_ITEM_H
#define WIRE_BEDROCK_CONVERSE_ITEM_H

#include "wire/bedrock/converse/items.h"
#include "wire/bedrock/converse/parts.h"

enum item_kind { ITEM_TEXT, ITEM_REASONING, ITEM_TOOL, ITEM_RESULT, ITEM_IMAGE, ITEM_RAW };

/* What the parts of an item are, by its kind. Of a raw one: elements joined by commas; of a
 * result: likewise, the last one open while it is a text. */
enum { PART_TEXT, PART_SIGNATURE, PART_REDACTED, PART_CITATIONS, PARTS_COUNT };

struct part {
    struct buf said;
    bool is_given; /* an empty text is a text */
};

/* Pieces of bytes, each in base64 of its own, on their way to one text in base64. */
struct base64_joint {
    unsigned char held[2]; /* bytes that do not fill three yet */
    size_t count;
};

struct item {
    struct item *next;
    enum item_kind kind;
    int64_t index;
    struct part parts[PARTS_COUNT];
    union {
        struct {
            bool is_call;                /* of a tool that the client runs */
            struct slice type, name, id; /* JSON strings */
            struct slice others;         /* further members, or empty */
        } tool;
        struct {
            struct slice head; /* members that its start gave */
            size_t count;      /* elements of its content */
            bool is_text_open; /* the last one is a text that may go on */
        } result;
        struct {
            struct slice format; /* a JSON string */
            struct slice place;  /* its source in S3, as members; or its bytes are PART_TEXT */
            struct base64_joint joint;
            bool is_stopped; /* nothing can be added to its bytes */
        } image;
    };
};

/* What one event says about one block. */
struct piece {
    const struct block_event *event;
    const struct json *only;          /* the one member of what it says */
    struct buf *content, *tool_calls; /* of the chunk, open */
};

typedef enum err item_hear(struct items *items, const struct piece *piece);

struct item *item_find(const struct items *items, int64_t index);
/* A new one at the end. ERR_TOO_LARGE, ERR_NO_MEMORY. */
MUST_CHECK enum err item_add(struct items *items, enum item_kind kind, int64_t index,
                             struct item **ret_item);
/* The item that a piece of this kind goes to. NULL = none: the index belongs to a block of another
 * kind. */
MUST_CHECK enum err item_for(struct items *items, enum item_kind kind, int64_t index,
                             struct item **ret_item);
MUST_CHECK enum err item_charge(struct items *items, size_t bytes);
MUST_CHECK enum err item_add_part(struct items *items, struct part *part, struct slice text);
MUST_CHECK enum err item_keep_source(struct items *items, struct slice source,
                                     struct slice *ret_copy);
/* The inside of a JSON string. */
struct slice item_inside(const struct json *string);

/* `{"type":…` … `,"index":n}` */
void item_open_block(struct buf *content, struct slice type);
void item_close_block(struct buf *content, int64_t index);
/* `"name":"…"` of a part that was given. */
void item_add_string(struct buf *content, const char *name, const struct part *part);

/* What has no form of LangChain's. */
item_hear item_hear_raw;
void item_show_raw(struct buf *content, const struct item *item);

/* items_text.c */
item_hear item_hear_text, item_hear_citation, item_hear_reasoning;
void item_show_text(struct buf *content, const struct item *item);
void item_show_reasoning(struct buf *content, const struct item *item);

/* items_tools.c */
item_hear item_hear_tool_start, item_hear_tool_input, item_hear_result_start, item_hear_result;
void item_show_tool(struct buf *content, const struct item *item);
void item_show_result(struct buf *content, const struct item *item);
/* The call that a tool use is, valid or not. */
MUST_CHECK enum err item_add_call(const struct items *items, const struct item *item,
                                  struct message_texts *texts);

/* items_image.c */
item_hear item_hear_image_start, item_hear_image;
void item_show_image(struct buf *content, const struct item *item);
/* The last bytes, as a piece of their own; false when there are none. */
bool item_stop_image(struct item *item, struct buf *content);

#endif
