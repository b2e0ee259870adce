/* A chat request (schema/request.schema.json): read from a record's value, checked as a whole, and
 * turned into one conversation that every dialect can encode. The fields stand in
 * request_fields.def and parameters.def, the blocks in blocks.def. A request borrows the record and
 * the catalog; the rest lies in the arena that its reader was given. */
#ifndef WIRE_CHAT_REQUEST_H
#define WIRE_CHAT_REQUEST_H

#include "wire/chat/block.h"
#include "wire/chat/catalog.h"
#include "wire/chat/tools.h"
#include "wire/chat/traits.h"
#include "wire/formats/json.h"
#include "wire/formats/record.h"
#include "wire/formats/why.h"

#define REQUEST_ID_MAX     128 /* characters */
#define REQUEST_LABELS_MAX 16
#define REQUEST_LABEL_MAX  256 /* bytes of a label's value */
#define REQUEST_TENANT_MAX 128
#define REQUEST_MODEL_MAX  2048
#define REQUEST_EXTRAS_MAX 256      /* members of model_kwargs, and of the additional fields */
#define REQUEST_TEXT_MAX   25000000 /* bytes of a filled template: Bedrock takes no larger body */
#define REQUEST_NO_LIMIT   INT64_MAX
/* In `dropped`, beside the bits of the parameters. */
#define REQUEST_DROPPED_EFFORT (1U << PARAMETER_COUNT)
/* Bytes that request_read holds at most while it reads a value of that length, beside what the
 * request keeps. */
#define REQUEST_SCRATCH_BYTES(value_len) ((size_t)JSON_NODES_MAX * 256 + 2 * (value_len))

/* One turn: consecutive messages of one role, merged as LangChain does. System messages are not
 * turns, unless the request's forms are free. */
struct turn {
    enum role role;
    const struct block *blocks;
    size_t count;
};

/* What the answer is to be parsed into. */
struct structured_output {
    enum structured_method {
        STRUCTURED_NONE,
        STRUCTURED_FUNCTION_CALLING,
        STRUCTURED_JSON_SCHEMA,
        STRUCTURED_PROMPT_PREFILL,
    } method;
    struct slice name;   /* JSON: as given, else the schema's title, else the method's default */
    struct slice schema; /* JSON object, as it came */
    struct slice strict; /* JSON: true or false; null = not given */
    bool include_raw, validate;
    int retry_invalid; /* 0 to 3 calls more for an answer that is not valid */
    struct slice more; /* JSON array of messages: answers that were not valid, with what was said
                          to them; null = none */
    bool must_call; /* the model thinks and cannot be forced: an answer without a call is wrong */
};

struct guardrail {
    struct slice identifier, version, trace, stream_mode; /* decoded; null = not given */
    bool last_turn_only;
};

/* Which of a target's requests are called first; never one before an earlier one of its key. */
enum request_priority { PRIORITY_NORMAL, PRIORITY_HIGH, PRIORITY_LOW };

/* In which forms the API of a request takes a conversation. */
struct request_forms {
    bool keeps_messages; /* strings of consecutive messages stay apart */
    /* Any order of roles, and blank texts: system messages are turns where they stand, and nothing
     * is put in, left out or stripped. */
    bool is_free;
    bool is_given; /* the request's own fields are the whole body: it needs no messages */
    /* A block in the form of the model's vendor, which passes as it came. NULL: it takes none. */
    bool (*is_native)(const struct json *block);
};

struct request {
    struct slice id;                 /* caller's, else ce_id, else <topic>-<partition>-<offset> */
    struct slice model_requested;    /* as the request or the default names it */
    const struct model_alias *alias; /* whose model it is; NULL = it names a model itself */
    struct slice model;              /* model id, profile id or ARN for the wire */
    struct slice region;             /* the alias's or the ARN's; null = the worker's */
    struct slice api;                /* the request's or the alias's; null = the worker chooses */
    uint32_t identity;               /* the alias's; 0 = the default */
    struct request_forms forms;
    bool stream;
    const struct block *system;
    size_t system_count;
    const struct turn *turns;
    size_t turn_count;
    size_t text_bytes; /* UTF-8 bytes of all text: an estimate of input tokens is a quarter */
    /* Raw JSON values (of TEXTS always an array), null slice = absent. 0 and false are present. */
    struct slice parameters[PARAMETER_COUNT];
    /* object: model_kwargs, less the parameters that LangChain takes out of it, and
     * additional_model_request_fields merged */
    struct slice additional_fields;
    bool has_own_fields;               /* of these the request gives some itself */
    struct slice provider, base_model; /* as the request or alias gives them; null = by the model */
    struct model_traits traits; /* what is known of the model: its provider, its peculiarities */
    const struct tool *tools;
    size_t tool_count;
    struct tool_choice tool_choice;
    struct structured_output structured;
    struct guardrail guardrail;
    struct slice cache_control;                                       /* JSON object; null = none */
    struct slice reasoning_effort, performance_latency, service_tier; /* decoded; null = none */
    struct slice output_config;                                       /* JSON object */
    uint32_t dropped; /* what was given and is left out (unsent.h): bits of enum parameter … */
    bool count_tokens;
    struct slice response_field_paths;
    struct slice request_metadata;
    struct slice metadata; /* echoed on the response */
    struct slice labels;   /* object of short strings */
    struct slice tenant;   /* "default" when none */
    enum request_priority priority;
    /* earliest of expires_at, ttl_ms, ce_expirytime; or REQUEST_NO_LIMIT */
    int64_t expires_wall_ms;
    struct slice reply_topic; /* reply_to, else header kafka_replyTopic; null = the settings' */
    int32_t reply_partition;  /* header kafka_replyPartition; -1 = none */
    bool reply_by_header;     /* not by reply_to: errors name the header */
    /* The headers ce_id, kafka_replyTopic and kafka_replyPartition are wrong. request_read rejects
     * the request unless its value gives what the header is for. */
    bool is_id_bad, is_reply_topic_bad, is_reply_partition_bad;
};

/* Fills what the headers say: id (or the default one), tenant, reply topic, time limit. So even a
 * value that is not JSON gets its answer where it belongs. ERR_MALFORMED (too many headers),
 * ERR_INVALID (ce_expirytime), ERR_NO_MEMORY. */
MUST_CHECK enum err request_from_headers(struct arena *arena, const struct record *record,
                                         struct request *ret_request, struct why *ret_why);
/* Reads the value, behind request_from_headers and with its why: a mistake of the headers stays the
 * first one. An error lists up to eight mistakes (why->others); its code and field are the first
 * one's. On error ret_request keeps what was understood (id, reply topic, tenant, metadata, model),
 * so that the error response is as useful as possible. Never reads the outside: no clock, no
 * settings but the catalog. */
MUST_CHECK enum err request_read(struct arena *arena, const struct record *record,
                                 const struct catalog *catalog, struct request *ret_request,
                                 struct why *ret_why);
/* Likewise, with a JSON array of messages behind the request's own. */
struct request_source {
    const struct record *record;
    const struct catalog *catalog;
    const struct model_alias *in_place; /* called in place of what the request names; NULL = none */
};
MUST_CHECK enum err request_read_on(struct arena *arena, const struct request_source *source,
                                    struct slice more, struct request *ret_request,
                                    struct why *ret_why);

#endif
