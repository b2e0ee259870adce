/* The blocks of a message that comes as a stream: each start or delta is kept and sent as the
 * `content` (and tool_call_chunks) of a chunk, so that what is kept and what was sent add up to
 * the same by LangChain's rules. Private to this folder: item.h has the kinds, items_*.c hear them.
 */
#ifndef WIRE_BEDROCK_CONVERSE_ITEMS_H
#define WIRE_BEDROCK_CONVERSE_ITEMS_H

#include "wire/chat/answer.h"
#include "wire/bedrock/dialect.h"
#include "wire/formats/json.h"

#define STREAM_BLOCKS_MAX 4096
#define ITEMS_FRAME_BYTES 512 /* of one chunk: names and brackets around what was said */

#define ITEMS_NO_INDEX (-1)

struct item;

struct items {
    struct arena *arena; /* holds the items; what they say is on the heap until items_done */
    struct item *first, *last;
    size_t count;       /* at most STREAM_BLOCKS_MAX */
    size_t held, limit; /* bytes kept, and their bound */
    size_t text_bytes;  /* UTF-8 bytes of text, reasoning and tool inputs heard */
};

/* One contentBlockStart or contentBlockDelta. */
struct block_event {
    int64_t index;
    bool is_start;           /* else a delta */
    const struct json *said; /* its value */
};

void items_init(struct items *items, struct arena *arena, size_t limit);
void items_done(struct items *items);
/* Adds to the two arrays, which are open: `[` or `[…`; nothing, where nothing was said.
 * ERR_TOO_LARGE, ERR_NO_MEMORY. */
MUST_CHECK enum err items_hear(struct items *items, const struct block_event *event,
                               struct buf *content, struct buf *tool_calls);
/* The end of a block: what a chunk says about it, if chunks have had a block with this index. */
void items_stop(struct items *items, int64_t index, struct buf *content);
/* The end of all blocks that had none of their own. */
void items_stop_all(struct items *items, struct buf *content);
/* Counts bytes that are kept elsewhere against the limit. */
MUST_CHECK enum err items_charge(struct items *items, size_t bytes);
/* The message's content and tool calls, in the arena. */
MUST_CHECK enum err items_keep(struct items *items, struct answer *ret_answer);

#endif
