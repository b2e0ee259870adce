/* What the rooms of InvokeModel share: a family's row, the body while it is written, and an answer
 * while it is heard, whole or as a stream. Private to this folder.
 *
 *     encode   fields of the request that belong to the body as they are, then shape->write
 *     decode   the body's JSON through shape->read; counts of headers or body; guardrail's verdict
 *     stream   each chunk's JSON through shape->hear; counts of the metrics beside the last one
 *
 * Source: AWS's service model of Bedrock Runtime; LangChain's ChatBedrock for the form of the
 * message. */
#ifndef WIRE_BEDROCK_INVOKE_PARTS_H
#define WIRE_BEDROCK_INVOKE_PARTS_H

#include "wire/bedrock/dialect.h"
#include "wire/bedrock/invoke/invoke.h"
#include "wire/bedrock/invoke/prompt.h"
#include "wire/bedrock/invoke/stops.h"
#include "wire/bedrock/message.h"

#define INVOKE_METADATA_BYTES_MAX (16 * 1024) /* of the header with request_metadata */

/* What of a request a family's body has a place for; texts it always has. */
enum takes {
    TAKES_TEXT = 0,
    TAKES_TOOL_TURNS = 1U << 0, /* calls and results in messages */
    TAKES_TOOLS = 1U << 1,      /* tools and tool_choice */
    TAKES_IMAGE = 1U << 2,
    TAKES_DOCUMENT = 1U << 3,
    TAKES_VIDEO = 1U << 4,
    TAKES_AUDIO = 1U << 5,
    TAKES_S3 = 1U << 6, /* media by their S3 location */
    TAKES_CACHE = 1U << 7,
    TAKES_REASONING = 1U << 8,
    TAKES_SEARCH = 1U << 9,  /* search results */
    TAKES_NATIVE = 1U << 10, /* blocks of its vendor's form, as they come */
    TAKES_TOP_K = 1U << 11,
    TAKES_SYSTEM_TOOLS = 1U << 12, /* tools of Bedrock, by their name */
};

struct invoke_body;
struct said;

/* How the bodies and answers of a family look. */
struct shape {
    /* Whether a block is in the vendor's own form, and passes as it came. NULL: never. */
    bool (*is_native)(const struct json *block);
    /* Adds the body's members. Failures stick in the buf. */
    void (*write)(struct invoke_body *body);
    /* Before the first: said->own, and whether the content is a list. NULL: there is none, and it
     * is a string. ERR_NO_MEMORY. */
    enum err (*begin)(struct said *said);
    /* A whole answer: says it with the said_ verbs below. */
    enum err (*read)(struct said *said, const struct json *root);
    /* A chunk of a stream, likewise; said_end with the last one. */
    enum err (*hear)(struct said *said, const struct json *chunk);
    /* Content and tool calls of the message. NULL: the content is the text as a string. */
    enum err (*keep)(struct said *said, struct answer *ret_answer);
    /* Frees said->own's heap. NULL: it has none. */
    void (*done)(struct said *said);
    bool joins_messages; /* strings of consecutive messages are one text, as in Converse */
    bool counts_well;    /* the counts of a stream's chunks are better than the metrics' */
    bool is_free;        /* the conversation may have any order of roles, and blank texts */
    bool is_given;       /* the request's own fields are the whole body */
    /* What the body calls the parameters; NULL: it has none of this kind. The stop texts' name is
     * the family's stop key. */
    const char *names[PARAMETER_COUNT];
    /* The member of the body that the parameters stand in; NULL: the body itself. */
    const char *config;
    bool config_has_fields;  /* so do the request's own fields */
    uint32_t max_tokens;     /* of a body whose request names none; 0 = none */
    const char *prompt_name; /* member of the body for the whole conversation as a text, … */
    enum prompt prompt;      /* … and its marks */
};

struct invoke_row {
    struct family family; /* first: a dialect's family is its row */
    const char *provider, *models;
    const struct shape *shape;
    const char *stop_key;
    unsigned takes;
};
const struct invoke_row *invoke_row_of(const struct dialect *dialect);

/* --- the body --- */

struct invoke_body {
    struct buf *buf; /* open: `{` or `{…` */
    const struct invoke_row *row;
    const struct request *request;
    const struct json *fields; /* the request's own members of the body, which win; NULL = none */
};
/* Adds a member unless the value is null or the request's own fields have it. */
void body_add(struct invoke_body *body, const char *name, struct slice raw_value);
/* A parameter of the request, under the body's name for it. */
void body_add_parameter(struct invoke_body *body, const char *name, enum parameter parameter);
/* All parameters of the request, by the shape's names for them. */
void body_add_parameters(struct invoke_body *body);
/* Whether the worker has to write this member. */
bool body_needs(const struct invoke_body *body, const char *name);

/* --- what was said --- */

/* Counts as the body has them: input without what was read from or written to a cache. Absent ones
 * are ANSWER_COUNT_ABSENT, and leave what was known. `raw` are their members of usage.raw; null =
 * none. */
struct said_counts {
    int64_t input, output, cache_read, cache_write, cache_write_5m, cache_write_1h, reasoning;
    struct slice raw;
};
struct said_counts said_no_counts(void);

struct said_name {
    struct said_name *next;
    const char *name;
};

struct said {
    struct arena *arena;  /* of the answer */
    struct arena scratch; /* of the present text */
    const struct invoke_row *row;
    const struct request *request;
    struct why *why;      /* of the present call */
    struct buf text;      /* decoded: the message, where its content is a string */
    struct stops stops;   /* that the worker looks for, because the family cannot */
    struct answer answer; /* stop reason, counts, metadata */
    struct said_counts counts;
    struct buf raw;          /* members of usage.raw */
    size_t held, limit;      /* bytes kept, and their bound */
    void *own;               /* the shape's, in the arena */
    bool is_whole;           /* not a stream */
    bool is_list;            /* the content is a list of blocks: the shape writes them */
    bool begun, ended;       /* of a stream: a chunk was sent; nothing can follow */
    bool is_judged;          /* a guardrail gave its reasons */
    bool has_counted;        /* the present chunk said how many tokens came out */
    struct buf metadata;     /* members of response_metadata, without the stop reason */
    struct said_name *names; /* of these members */
    /* Of the present step: its content (a string's: decoded; a list's: open), tool_call_chunks
     * (open), members of its response_metadata. step.is_chunk is the shape's to set where it adds
     * to them itself. */
    struct buf content, tool_calls, chunk_metadata;
    struct stream_step step;
};

/* Text of the message, decoded. */
MUST_CHECK enum err said_text(struct said *said, struct slice text);
/* The same of a JSON string; other values say nothing. */
MUST_CHECK enum err said_string(struct said *said, const struct json *string);
/* The stop reason, if it is a string. */
MUST_CHECK enum err said_stop(struct said *said, const struct json *reason);
MUST_CHECK enum err said_usage(struct said *said, const struct said_counts *counts);
/* A member of response_metadata, under a static name; the first of its name counts. */
MUST_CHECK enum err said_metadata(struct said *said, const char *name, const struct json *value);
/* The family's end of a stream. */
void said_end(struct said *said);
/* Counts bytes that are kept elsewhere against the limit. */
MUST_CHECK enum err said_charge(struct said *said, size_t bytes);
/* ERR_BAD_ANSWER for a whole answer, ERR_BROKEN_STREAM in a stream. */
enum err said_wrong(struct said *said, const char *words);

extern const struct shape shape_anthropic;
/* texts.c */
extern const struct shape shape_titan, shape_llama3, shape_llama4, shape_mistral, shape_deepseek,
    shape_cohere, shape_custom;
/* nova.c */
extern const struct shape shape_nova;
/* chat.c */
extern const struct shape shape_openai, shape_chat;

/* The functions of the API and of its rows: headers.c, check.c, body.c, said.c. */
MUST_CHECK enum err invoke_add_headers(const struct dialect *dialect, const struct request *request,
                                       bool stream, struct call_headers *ret_headers);
struct request_forms invoke_forms(const struct family *family);
uint32_t invoke_max_tokens(const struct family *family);
bool invoke_serves(const struct family *family, const struct request *request);
MUST_CHECK enum err invoke_check(const struct family *family, const struct request *request,
                                 struct why *ret_why);
MUST_CHECK enum err invoke_encode(const struct dialect *dialect, const struct request *request,
                                  struct buf *ret_body);
MUST_CHECK enum err invoke_decode(const struct dialect *dialect, struct arena *arena,
                                  const struct heard *heard, struct answer *ret_answer,
                                  struct why *ret_why);
MUST_CHECK enum err invoke_stream_start(const struct dialect *dialect, struct arena *arena,
                                        const struct heard *heard, size_t answer_limit,
                                        struct stream **ret_stream);
MUST_CHECK enum err invoke_stream_step(const struct dialect *dialect, struct stream *stream,
                                       const struct event *event, struct stream_step *ret_step,
                                       struct why *ret_why);
MUST_CHECK enum err invoke_stream_end(const struct dialect *dialect, struct stream *stream,
                                      struct answer *ret_answer, struct why *ret_why);
void invoke_stream_heard(const struct dialect *dialect, const struct stream *stream,
                         struct usage_counts *ret_counts, size_t *ret_text_bytes);
void invoke_stream_done(const struct dialect *dialect, struct stream *stream);

#endif
