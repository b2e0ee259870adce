/* What Bedrock said, in the form the output records need, and the token counts of a call. Built
 * whole by a dialect from one body, or step by step from a stream. Slices lie in the answer's
 * arena, given by the caller. */
#ifndef WIRE_CHAT_ANSWER_H
#define WIRE_CHAT_ANSWER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"

/* How the outside calls an API of Bedrock Runtime. */
struct api_name {
    const char *api;         /* requests, settings and records: `api` */
    const char *provider;    /* LangChain: `model_provider`; by it LangChain knows how to read an
                                answer that is put back */
    const char *stop_reason; /* its member of response_metadata */
    bool tells_base_model; /* `model_name` is the base model's, where the request gives one, and an
                              application inference profile is told beside it */
    bool sends_refused;    /* LangChain sends parameters that the model refuses, and so do we */
};

#define ANSWER_COUNT_ABSENT (-1)

/* Token counts, convention `langchain`: input includes cache reads and writes. */
struct usage_counts {
    int64_t input_tokens, output_tokens, total_tokens;
    int64_t cache_read_tokens, cache_write_tokens;
    int64_t cache_write_5m_tokens; /* 0 or less: not given */
    int64_t cache_write_1h_tokens; /* ANSWER_COUNT_ABSENT when not given; likewise the next */
    int64_t reasoning_tokens;
    bool known;       /* Bedrock gave counts */
    bool is_detailed; /* LangChain says this API's cache counts even if they are 0, and of writes
                         only their sum */
    struct slice raw; /* its own object, byte for byte; null = none */
};

struct answer {
    struct slice content;    /* JSON: a string, or an array of blocks (records.md, langchain.md) */
    struct slice tool_calls; /* JSON array */
    struct slice invalid_tool_calls; /* JSON array */
    struct slice stop_reason;        /* decoded text, as Bedrock spells it; null = none */
    /* members for response_metadata, as Bedrock wrote them: `"metrics":{…},…`; may be empty.
     * Without stopReason and the worker's own (ResponseMetadata, model_name, model_provider) */
    struct slice metadata;
    /* Members of additional_kwargs, which response_metadata repeats; null = none. They say the stop
     * reason, too. */
    struct slice additional_kwargs;
    struct slice service_tier; /* decoded; null = not said */
    /* Of structured_output (wire/chat/parsed.h): JSON, and a text; null = none */
    struct slice parsed, parsing_error;
    bool is_invalid; /* no value was found, or it is not valid */
    /* UTF-8 bytes of text, reasoning and tool inputs: output tokens are estimated as a quarter of
     * it */
    size_t text_bytes;
    struct usage_counts usage;
};

/* Copies the answer with all of its texts. False when the arena or the heap is exhausted. */
MUST_CHECK bool answer_copy(struct arena *arena, const struct answer *answer,
                            struct answer *ret_copy);

/* What one event of a stream means to the outside. */
struct stream_step {
    bool is_chunk;                 /* a chunk is to be sent */
    struct slice content;          /* its `content`: JSON. Borrowed until the next step */
    struct slice tool_call_chunks; /* JSON array or null */
    struct slice metadata;         /* members for response_metadata, or null */
    bool has_usage;                /* usage_metadata belongs on this chunk (stream->usage) */
    bool is_last;                  /* nothing can follow: the end of a whole stream */
};

#endif
