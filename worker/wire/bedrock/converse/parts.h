/* What the rooms of the Converse dialect share: counts, metadata and the pieces of an AIMessage
 * that a whole answer and a stream have in common. Private to this folder. Source: AWS's service
 * model of Bedrock Runtime (Converse, ConverseStream) and LangChain's ChatBedrockConverse for the
 * form of the blocks. */
#ifndef WIRE_BEDROCK_CONVERSE_PARTS_H
#define WIRE_BEDROCK_CONVERSE_PARTS_H

#include "wire/bedrock/dialect.h"
#include "wire/bedrock/message.h"
#include "wire/formats/json.h"

/* Members of an answer or event that may go to response_metadata. */
#define CONVERSE_MEMBERS_MAX 64

/* Bedrock's `usage`; `known` stays false when the counts make no sense. `raw` is copied into the
 * arena. */
MUST_CHECK enum err converse_usage(struct arena *arena, const struct json *usage,
                                   struct usage_counts *ret_counts);
/* Reasoning tokens that Claude reports in additionalModelResponseFields if it is asked for /usage.
 */
void converse_reasoning_tokens(const struct json *additional, struct usage_counts *ret_counts);

/* Appends `"name":value` for the members of `object` that belong to response_metadata: not null,
 * not the answer's own parts (output, usage), not padding (p), not what the worker says itself, and
 * not in `given` (an object or NULL). A comma goes before unless the buf is empty. */
MUST_CHECK enum err converse_add_metadata(struct buf *metadata, const struct json *object,
                                          const struct json *given);

/* The one member of an object that is a union; NULL when it is none. */
const struct json *converse_only_member(const struct json *node);
/* Bytes of a decoded string, near enough for an estimate: an escape counts as one to four. 0 when
 * it is none. */
size_t converse_text_bytes(const struct json *string);

/* Adds guardrailConfig, performanceConfig, serviceTier and outputConfig, as far as they are given
 * (encode_options.c). */
void converse_add_options(struct buf *body, const struct request *request);

/* Where the request's cache_control puts cache points; nowhere without it. As in LangChain: at most
 * four are in a request with its own, places that have one are left out: encode_cache.c. */
struct converse_points {
    bool system, last, tools, before_last; /* the end of system, the last turn … */
};
struct converse_points converse_points_of(const struct request *request);
/* A cache point that lives as long as this cache_control says. */
void converse_add_point(struct buf *body, const struct request *request, struct slice control);
/* Whether the body has tools; without them it has no blocks of calls and results. */
bool converse_has_tools(const struct request *request);
/* Adds toolConfig, if there is something for it (encode_tools.c). */
void converse_add_tools(struct buf *body, const struct request *request,
                        const struct converse_points *points);

/* Adds messages, system and toolConfig, for a body that has them beside members of its own. */
void converse_add_conversation(struct buf *body, const struct request *request);

/* A picture, document, video or sound that is not in Converse's form: encode_media.c. */
void converse_add_media(struct buf *body, const struct block *block);

/* What a whole answer is read with. */
struct converse_whole {
    const struct heard *heard;
    struct arena *arena;   /* of the answer */
    struct arena *scratch; /* of the body's values */
};
/* All that the body says. ERR_BAD_ANSWER, ERR_RESPONSE_TOO_LARGE, ERR_NO_MEMORY. */
MUST_CHECK enum err converse_read(const struct converse_whole *whole, const struct json *root,
                                  struct answer *ret_answer, struct why *ret_why);

/* The row's functions: encode.c, decode.c, stream.c. */
MUST_CHECK enum err converse_encode(const struct dialect *dialect, const struct request *request,
                                    struct buf *ret_body);
void converse_add_counted(const struct dialect *dialect, const struct request *request,
                          struct buf *ret_body);
MUST_CHECK enum err converse_decode(const struct dialect *dialect, struct arena *arena,
                                    const struct heard *heard, struct answer *ret_answer,
                                    struct why *ret_why);
MUST_CHECK enum err converse_stream_start(const struct dialect *dialect, struct arena *arena,
                                          const struct heard *heard, size_t answer_limit,
                                          struct stream **ret_stream);
MUST_CHECK enum err converse_stream_step(const struct dialect *dialect, struct stream *stream,
                                         const struct event *event, struct stream_step *ret_step,
                                         struct why *ret_why);
MUST_CHECK enum err converse_stream_end(const struct dialect *dialect, struct stream *stream,
                                        struct answer *ret_answer, struct why *ret_why);
void converse_stream_heard(const struct dialect *dialect, const struct stream *stream,
                           struct usage_counts *ret_counts, size_t *ret_text_bytes);
void converse_stream_done(const struct dialect *dialect, struct stream *stream);

#endif
