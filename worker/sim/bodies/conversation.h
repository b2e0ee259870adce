/* What a request asks for, whatever its API and its family: the simulator's own form, which the
 * readers of bodies fill and the plan of the answer uses. Slices and nodes lie in the arena of the
 * body. */
#ifndef SIM_BODIES_CONVERSATION_H
#define SIM_BODIES_CONVERSATION_H

#include <stdint.h>

#include "wire/formats/json.h"

#define CACHE_POINTS_MAX 4
#define MEDIA_SHOWN_MAX  8 /* of the last turn, in the answer */

/* A tool that the model may call. */
struct asked_tool {
    struct slice name;
    const struct json *schema; /* of its input; NULL = a tool of the service */
    struct asked_tool *next;
};

enum asked_choice { CHOICE_AUTO, CHOICE_ANY, CHOICE_NAMED, CHOICE_NONE };

/* A picture, a document, a video or a sound of the last turn. */
struct asked_media {
    const char *kind;
    struct slice format;
    size_t bytes; /* 0 = it lies in S3 */
};

/* A point up to which the prompt may be cached. */
struct asked_mark {
    uint64_t hash; /* of everything before it */
    size_t bytes;  /* before it */
    bool is_long;  /* kept for an hour in place of five minutes */
};

struct asked_guardrail {
    struct slice id, version; /* null = none */
    bool trace;
};

struct conversation {
    struct slice system;     /* all system text */
    struct slice prompt;     /* the text of the last user turn */
    struct slice prefill;    /* the text of the last turn, if it is the assistant's */
    struct slice all;        /* system text and all turns' text */
    size_t input_bytes;      /* of `all` and of other blocks; the input tokens are a quarter */
    int64_t max_tokens;      /* -1 = absent */
    const struct json *stop; /* one text or a list of texts, or NULL */
    const struct asked_tool *tools;
    enum asked_choice choice;
    struct slice choice_name;         /* of CHOICE_NAMED */
    const struct json *output_schema; /* of an answer that must be JSON, or NULL */
    bool thinks;                      /* asks for reasoning */
    bool cites;                       /* a document with citations switched on */
    bool has_results;                 /* the last turn answers tool calls */
    struct asked_media media[MEDIA_SHOWN_MAX];
    size_t media_count;
    struct asked_mark marks[CACHE_POINTS_MAX];
    size_t mark_count;
    struct asked_guardrail guardrail;
    struct slice tier, latency;     /* as asked for; null = not */
    bool wants_stop, wants_details; /* the response fields /stop_sequence and /usage */
};

#endif
