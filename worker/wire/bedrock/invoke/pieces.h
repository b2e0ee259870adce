/* The blocks of a message that comes as a stream of deltas, for families whose blocks LangChain
 * merges by their `index`: what is sent as chunks and what is kept add up to the same. Texts are
 * kept as they were escaped in the source: fragments of JSON strings, joined, are a JSON string.
 * Private to this folder. */
#ifndef WIRE_BEDROCK_INVOKE_PIECES_H
#define WIRE_BEDROCK_INVOKE_PIECES_H

#include "wire/bedrock/invoke/parts.h"

#define PIECES_MAX 4096 /* blocks of one stream */

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

/* A block begins: all of its members, as they came. */
MUST_CHECK enum err pieces_begin(struct pieces *pieces, int64_t index, const struct json *block);
/* A part of the block's string of that name. What belongs to a block of another type stands by
 * itself; `type` NULL: the type is the block's, else tool_use. */
MUST_CHECK enum err pieces_say(struct pieces *pieces, int64_t index, const char *type,
                               const char *name, const struct json *string);
/* A citation of a text. */
MUST_CHECK enum err pieces_cite(struct pieces *pieces, int64_t index, const struct json *citation);
/* The type of the block with this index: JSON; null = there is none. */
struct slice pieces_type(const struct pieces *pieces, int64_t index);
/* The content of the message, behind `opening` (a JSON string; null = none), and the tool calls
 * of its blocks of type tool_use. */
MUST_CHECK enum err pieces_keep(struct pieces *pieces, struct slice opening,
                                struct answer *ret_answer);

#endif
