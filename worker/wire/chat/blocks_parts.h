/* What the rooms that read blocks share: a block on its way, and their readers. Private to
 * blocks.c, which finds the reader by blocks.def, and to the rooms that have the readers
 * (blocks_text.c, blocks_media.c …). */
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

/* Fills a template's variables in; the turns have some. Errors: blocks_add_text. */
MUST_CHECK enum err blocks_fill(struct turns *turns, struct slice text, const char *path,
                                struct slice *ret_text);
/* Adds a string: blocks_add_text. */
MUST_CHECK enum err blocks_add_string(struct turns *turns, enum role role, enum text_place place,
                                      const struct json *node, const char *path);

/* Whether a text goes back with these citations (NULL: none), and adds it with them. */
bool blocks_can_cite(const struct piece *piece, const struct json *citations);
MUST_CHECK enum err blocks_add_cited(const struct piece *piece, struct slice text,
                                     const struct json *citations);
/* The block's cache_control; null = it has none. ERR_INVALID. */
MUST_CHECK enum err blocks_read_cache(const struct piece *piece, struct slice *ret_cache);
/* ERR_INVALID for a member of the block that is none of these. */
MUST_CHECK enum err blocks_check_members(const struct piece *piece, const char *const *members,
                                         size_t count);

/* Each reads the block of a type. ERR_INVALID, ERR_UNSUPPORTED_FIELD, ERR_REQUEST_TOO_LARGE,
 * ERR_TEMPLATE_VARIABLES, ERR_NO_MEMORY. */
typedef enum err blocks_add(const struct piece *piece);
blocks_add blocks_add_langchain_text, blocks_add_reasoning;
blocks_add blocks_add_media, blocks_add_media_url, blocks_add_input_audio;
blocks_add blocks_add_guard, blocks_add_search_result, blocks_add_cache_point;

/* Each reads the Converse form of a kind, whose one member is `inner`, as far as it can be read; it
 * passes on as it came. Errors likewise. */
typedef enum err blocks_add_inner(const struct piece *piece, const struct json *inner);
blocks_add_inner blocks_add_converse_text, blocks_add_converse_media, blocks_add_converse_guard;

#endif
