/* What the rooms that read blocks share: a block on its way, and their readers. Private to
 * blocks.c, which finds the reader by blocks.def, and to the rooms that have the readers
 * (blocks_text.c, blocks_reasoning.c). */
#ifndef WIRE_CHAT_BLOCKS_PARTS_H
#define WIRE_CHAT_BLOCKS_PARTS_H

#include "wire/chat/blocks.h"

#define BLANK_TEXT SLICE(".") /* LangChain's stand-in: Bedrock refuses blank texts */

/* One block on its way; path is its own. */
struct piece {
    struct turns *turns;
    struct reader *reader;
    enum role role;
    const struct json *node;
    const char *path;
    enum block_kind kind; /* by its row of blocks.def, once that is found */
};

/* Fills why for the block, or for its member; returns `err`. */
enum err piece_refuse(const struct piece *piece, const char *member, enum err err,
                      const char *words);
/* Adds a block of the piece's kind in Converse's form. */
void piece_add_converse(const struct piece *piece, struct slice json);

/* Adds a string: blocks_add_text. */
MUST_CHECK enum err blocks_add_string(struct turns *turns, enum role role, enum text_place place,
                                      const struct json *node, const char *path);
/* A text in Converse's form, which is `text`. */
MUST_CHECK enum err blocks_add_converse_text(const struct piece *piece, const struct json *text);

/* Each reads the block of a type. ERR_INVALID, ERR_UNSUPPORTED_FIELD, ERR_REQUEST_TOO_LARGE,
 * ERR_TEMPLATE_VARIABLES, ERR_NO_MEMORY. */
typedef enum err blocks_add(const struct piece *piece);
blocks_add blocks_add_langchain_text, blocks_add_reasoning;

#endif
