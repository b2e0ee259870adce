/* What the rooms that read blocks share: a block on its way, and their readers. Private to
 * blocks.c, which finds the reader by blocks.def, and to the rooms that have the readers
 * (blocks_text, blocks_cited, blocks_reasoning, blocks_calls, blocks_results, blocks_cache,
 * blocks_guard, blocks_media with blocks_source and blocks_names). */
#ifndef WIRE_CHAT_BLOCKS_PARTS_H
#define WIRE_CHAT_BLOCKS_PARTS_H

#include "wire/chat/blocks.h"

struct piece;

/* Reads the content of a block that has some, as blocks_add_content does. */
typedef enum err blocks_read_content(struct turns *turns, enum role role,
                                     const struct json *content, const char *path);
/* Reads the Converse form of a kind, whose one member is `inner`, as far as it can be read; it
 * passes on as it came. Errors: blocks_add. */
typedef enum err blocks_add_inner(const struct piece *piece, const struct json *inner);

/* One block on its way; path is its own. */
struct piece {
    struct turns *turns;
    struct reader *reader;
    enum role role;
    const struct json *node;
    const char *path;
    enum block_kind kind; /* by its row of blocks.def, once that is found */
    /* Of blocks.c, which is the roof of these rooms. */
    blocks_read_content *read_content;
    blocks_add_inner *add_inner; /* by the piece's kind */
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
/* ERR_INVALID where the block has Anthropic's source of base64, and that is flawed. */
MUST_CHECK enum err blocks_check_source(const struct piece *piece);
/* ERR_INVALID for a member of the block that is none of these. */
MUST_CHECK enum err blocks_check_members(const struct piece *piece, const char *const *members,
                                         size_t count);

/* The source of a string that is not empty. ERR_INVALID. */
MUST_CHECK enum err piece_name(const struct piece *piece, const char *member,
                               struct slice *ret_source);

/* The input of a call, written as an object, as a text that holds one, or as nothing. A text that a
 * model did not write to its end counts as far as it goes; what is no object becomes {}.
 * ERR_REQUEST_TOO_LARGE at `path`, ERR_NO_MEMORY. */
MUST_CHECK enum err blocks_call_input(struct reader *reader, const struct json *input,
                                      const char *path, struct slice *ret_input);
/* The result of a call: a tool's message, or a block. */
struct tool_result {
    struct slice id; /* JSON */
    bool is_error, is_message;
    struct slice cache; /* JSON */
};
/* Adds it with its content (NULL = none), and behind it what cannot stand in it. */
MUST_CHECK enum err blocks_add_result(const struct piece *piece, const struct tool_result *result,
                                      const struct json *content, const char *path);

/* Each reads the block of a type. ERR_INVALID, ERR_REQUEST_TOO_LARGE, ERR_TEMPLATE_VARIABLES,
 * ERR_NO_MEMORY. */
typedef enum err blocks_add(const struct piece *piece);
blocks_add blocks_add_langchain_text, blocks_add_non_standard;
blocks_add blocks_add_reasoning, blocks_add_thinking, blocks_add_redacted_thinking,
    blocks_add_standard_reasoning;
blocks_add blocks_add_tool_use, blocks_add_tool_call, blocks_add_invalid_tool_call;
blocks_add blocks_add_tool_result, blocks_add_json;
blocks_add blocks_add_media, blocks_add_media_url, blocks_add_input_audio;
blocks_add blocks_add_guard, blocks_add_search_result, blocks_add_cache_point;

blocks_add_inner blocks_add_converse_text, blocks_add_converse_media, blocks_add_converse_guard;
blocks_add_inner blocks_add_converse_use, blocks_add_converse_result, blocks_add_converse_json;
blocks_add_inner blocks_add_converse_reasoning;

#endif
