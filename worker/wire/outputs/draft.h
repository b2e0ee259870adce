/* What the encoders of this wing share; no file outside of it includes this. A draft is an output
 * in the making: its value is written into `body` first, the texts of our own headers behind it, so
 * that one growing block serves both; then draft_end adds what comes from the request (key, echoed
 * headers) and seals it. A failure sticks in the body and is asked for once, by draft_end.
 */
#ifndef WIRE_OUTPUTS_DRAFT_H
#define WIRE_OUTPUTS_DRAFT_H

#include "wire/outputs/output.h"

#define DRAFT_HEADERS_MAX 12 /* our own headers on one output */
#define DRAFT_KEPT_MAX    64 /* headers whose choice is remembered; of later ones it is made twice */

struct draft {
    const struct output_context *context;
    struct output *output;
    struct buf *body; /* of `output` */
    size_t value_len;
    bool value_is_null;
    struct draft_header {
        const char *name; /* static */
        size_t from, to;  /* in the body */
    } own[DRAFT_HEADERS_MAX];
    size_t own_count;
    bool has_traceparent; /* our own */
    uint64_t kept;        /* which of the request's first DRAFT_KEPT_MAX headers go on */
};

/* Which headers of the request go on to the output. */
typedef bool draft_keep(const struct output_context *context, struct slice name);

/* Where an output goes and what it takes over from the request. Everything but `topic` is copied;
 * the topic, too, when it is the request's. */
struct draft_address {
    struct slice topic;
    bool topic_is_foreign;
    int32_t partition;
    struct slice key;
    struct headers headers;
    draft_keep *keep; /* NULL = none of them */
};

/* `expected_bytes`: value and own headers, so that one allocation is enough; too little costs time
 * only. */
MUST_CHECK enum err draft_begin(struct draft *draft, const struct output_context *context,
                                enum output_kind kind, size_t expected_bytes);
/* What is added to the body from here on belongs to headers. */
void draft_value_ends(struct draft *draft);
/* A header whose value is added to the body between the two calls. */
void draft_header_begins(struct draft *draft, const char *name);
void draft_header_ends(struct draft *draft);
void draft_header(struct draft *draft, const char *name, struct slice value);
/* The record's span, in place of the header that the request has. */
void draft_traceparent(struct draft *draft, const struct record *record);
/* Gives the output, or frees it and returns why not. */
MUST_CHECK enum err draft_end(struct draft *draft, const struct draft_address *address,
                              struct output **ret_output);

/* The CloudEvents attributes of binary mode, behind ce_id (which the encoder writes). wall_ms 0 =
 * no ce_time. */
void draft_event_headers(struct draft *draft, const char *type, struct slice subject,
                         int64_t wall_ms);
/* Response and chunks: the settings' globs, less what belongs to one record only. */
draft_keep output_echoes;

/* Members of the JSON values. */
void output_add_instant_member(struct buf *body, const char *name, int64_t wall_ms);
/* NUL-terminated text that came from outside: cut before the first byte that is not UTF-8; "" = no
 * member. */
void output_add_foreign_member(struct buf *body, const char *name, const char *text);
/* Members given as text, `"a":1,"b":2`, with a comma before them where one is due. */
void output_add_members(struct buf *body, struct slice members);
/* `usage`, our own counts. */
void output_add_usage(struct buf *body, const struct usage_counts *counts);
/* `cost`; nothing when there is none, or it is not known. */
void output_add_cost(struct buf *body, const struct output_cost *cost);
/* `usage_metadata`, LangChain's. */
void output_add_usage_metadata(struct buf *body, const struct usage_counts *counts);
void output_add_error(struct buf *body, const struct why *why);
/* What LangChain's response_metadata says of the call and of the model. */
void output_add_call_metadata(struct buf *body, const struct attempt *attempt);
void output_add_model_metadata(struct buf *body, const struct request *request,
                               const struct attempt *attempt);

const char *output_why_type(const struct why *why); /* Bedrock's name, else our code */
/* `field: what is wrong with it`, or only the reason, and further mistakes; never empty. */
#define OUTPUT_MESSAGE_MAX (WHY_FIELD_MAX + 2 + WHY_MESSAGE_MAX + WHY_OTHERS_MAX)
void output_why_message(const struct why *why, char ret_text[OUTPUT_MESSAGE_MAX]);

#endif
