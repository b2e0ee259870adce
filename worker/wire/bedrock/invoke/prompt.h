/* A conversation as one text, with the marks of the model's vendor (prompts.def). A message's texts
 * are joined by line breaks. What the templates have no place for does not come here: the family's
 * row rejects it. Private to this folder. */
#ifndef WIRE_BEDROCK_INVOKE_PROMPT_H
#define WIRE_BEDROCK_INVOKE_PROMPT_H

#include "base/buf.h"
#include "wire/chat/request.h"

enum prompt {
#define PROMPT(id, begin, system, user, assistant, tool, ask) PROMPT_##id,
#include "wire/bedrock/invoke/prompts.def"
#undef PROMPT
};

/* Failures stick in the buf. */
void prompt_add(struct buf *text, enum prompt prompt, const struct request *request);

/* One message: some of its turn's blocks. */
struct spoken {
    const struct block *blocks;
    size_t count;
};
/* The next message of `blocks`, from `*at` on; moves `*at` behind it. False: there is none. */
bool spoken_next(const struct block *blocks, size_t count, size_t *at, struct spoken *ret_spoken);
/* Their texts, a line each; without what tools said. */
void spoken_add_text(struct buf *text, const struct spoken *spoken);
/* Whether the block can be said as text. */
bool block_is_text(const struct block *block);
/* What a block says as text, behind a line break if `*is_first` is false; clears that. A block
 * without text says nothing. */
void block_add_text(struct buf *text, const struct block *block, bool *is_first);

#endif
