/* Claude: the parts of its shape. Private to anthropic*.c. Source: AWS, "Anthropic Claude Messages
 * API"; LangChain's ChatBedrock for what comes in which order, and for the form of the message. */
#ifndef WIRE_BEDROCK_INVOKE_ANTHROPIC_H
#define WIRE_BEDROCK_INVOKE_ANTHROPIC_H

#include "wire/bedrock/invoke/parts.h"
#include "wire/bedrock/invoke/pieces.h"

/* anthropic_blocks.c: adds the content of a message: these blocks, an array. `cache` (JSON, null =
 * none) goes to the last of them. */
void anthropic_add_content(struct buf *buf, const struct block *blocks, size_t count,
                           enum role role, struct slice cache);
/* Adds `tools` and `tool_choice`, as far as they are given. */
void anthropic_add_tools(struct invoke_body *body);

/* An answer on its way (said->own): a whole one is read in anthropic_answer.c, a stream in
 * anthropic_stream.c. */
struct anthropic {
    struct message_texts texts; /* of a whole one: the list, and the calls */
    struct pieces pieces;       /* of a stream that is a list */
    struct slice opening;       /* JSON: what a stream of strings said before it became a list */
};

/* Whether the message's content is a list by what the request asks for: documents with citations;
 * and in a stream, whose first chunk comes before its first block, tools and thinking too.
 * ERR_NO_MEMORY. */
MUST_CHECK enum err anthropic_wants_list(const struct request *request, bool is_stream,
                                         bool *ret_wants);
/* Counts of a `usage` object, which stands under this name in usage.raw. */
MUST_CHECK enum err anthropic_read_usage(struct said *said, const char *name,
                                         const struct json *usage);
/* A text completion, whole or a chunk of one: what the first models say. */
MUST_CHECK enum err anthropic_read_completion(struct said *said, const struct json *root);

/* The shape's functions. */
MUST_CHECK enum err anthropic_begin(struct said *said);
MUST_CHECK enum err anthropic_read(struct said *said, const struct json *root);
MUST_CHECK enum err anthropic_hear(struct said *said, const struct json *chunk);
MUST_CHECK enum err anthropic_keep(struct said *said, struct answer *ret_answer);
void anthropic_done(struct said *said);

#endif
