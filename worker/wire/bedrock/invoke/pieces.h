/* The blocks of a message that comes as a stream of deltas, for families whose blocks LangChain
 * merges by their `index`: what is sent as chunks and what is kept add up to the same. Texts are
 * kept as they were escaped in the source: fragments of JSON strings, joined, are a JSON string.
 * Private to this folder. */
#ifndef WIRE_BEDROCK_INVOKE_PIECES_H
#define WIRE_BEDROCK_INVOKE_PIECES_H

#include "wire/bedrock/invoke/parts.h"

#define PIECES_MAX 4096 /* blocks of one stream */
#define NO_INDEX   (-1)

struct streamed_block;

struct pieces {
    struct said
        *said; /* its arena has the blocks; what they say is on the heap until pieces_done */
    struct streamed_block *first, *last;
    size_t count;
};

void pieces_init(struct pieces *pieces, struct said *said);
void pieces_done(struct pieces *pieces);

/* Each adds a block with its index to the step's content, which is an open list. ERR_… as the said_
 * verbs. */

/* A block begins: all of its members, as they came, a type among them. `ret_is_call`: as
 * pieces_is_call. */
MUST_CHECK enum err pieces_begin(struct pieces *pieces, int64_t index, const struct json *block,
                                 bool *ret_is_call);
/* A part of the block's string of that name. What belongs to a block of another type stands by
 * itself; `type` NULL: the type is the block's, else tool_use. */
MUST_CHECK enum err pieces_say(struct pieces *pieces, int64_t index, const char *type,
                               const char *name, const struct json *string);
/* A citation of a text. */
MUST_CHECK enum err pieces_cite(struct pieces *pieces, int64_t index, const struct json *citation);
/* Whether the block with this index is a tool call: one that says its name and its id,
 * which a block without an index of its own is not. */
bool pieces_is_call(const struct pieces *pieces, int64_t index);
/* The content of the message, behind `opening` (a JSON string; null = none), and its tool
 * calls. */
MUST_CHECK enum err pieces_keep(struct pieces *pieces, struct slice opening,
                                struct answer *ret_answer);

#endif
