/* A chat request (records.md, "Request"): read from a record's value against the catalog, checked
 * whole, and turned into one conversation that every dialect can encode. Everything borrows the
 * record or lies in the arena. */
#ifndef WIRE_CHAT_REQUEST_H
#define WIRE_CHAT_REQUEST_H

#include "wire/chat/block.h"
#include "wire/chat/catalog.h"
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
/* Bytes that request_read may hold while it reads a value of that length, beside what the request
 * keeps. */
#define REQUEST_SCRATCH_BYTES(value_len) ((size_t)JSON_NODES_MAX * 256 + 2 * (value_len))

/* One turn: consecutive messages of one role merged (langchain.md). System messages are not turns.
 */
struct turn {
    enum role role;
    const struct block *blocks;
    size_t count;
};

struct request {
    struct slice id;              /* caller's, else ce_id, else <topic>-<partition>-<offset> */
    struct slice model_requested; /* as the request or the default names it */
    struct slice model;           /* model id, profile id or ARN for the wire */
    struct slice region;          /* the alias's or the ARN's; null = the worker's */
    struct slice api;             /* the request's or the alias's; null = the worker chooses */
    bool stream;
    const struct block *system;
    size_t system_count;
    const struct turn *turns;
    size_t turn_count;
    size_t text_bytes; /* UTF-8 bytes of all text: input tokens are estimated as a quarter of it */
    /* Raw JSON values (of TEXTS always an array), null slice = absent. 0 and false are present. */
    struct slice parameters[PARAMETER_COUNT];
    /* object: model_kwargs, less the parameters that LangChain takes out of it, and
     * additional_model_request_fields merged */
    struct slice additional_fields;
    struct slice response_field_paths;
    struct slice request_metadata;
    struct slice metadata; /* echoed on the response */
    struct slice labels;   /* object of short strings */
    struct slice tenant;   /* "default" when none */
    /* earliest of expires_at, ttl_ms, ce_expirytime; or REQUEST_NO_LIMIT */
    int64_t expires_wall_ms;
    struct slice reply_topic; /* reply_to, else header kafka_replyTopic; null = the settings' */
    int32_t reply_partition;  /* header kafka_replyPartition; -1 = none */
    bool reply_by_header;     /* not by reply_to: what is refused of it is named so */
    /* The headers ce_id, kafka_replyTopic, kafka_replyPartition: wrong ones are refused by
     * request_read, where the value does not say itself what they are for. */
    bool is_id_bad, is_reply_topic_bad, is_reply_partition_bad;
};

/* Fills what can be known of any record before its value is read: id (default), tenant, reply topic
 * from the headers, time limits. So that even a value that is no JSON gets its answer where it
 * belongs. */
MUST_CHECK enum err request_from_headers(struct arena *arena, const struct record *record,
                                         struct request *ret_request, struct why *ret_why);
/* Reads the value; call request_from_headers first, with the same why: what it found wrong stays
 * the reason that is told, and the value is read all the same. On error ret_request keeps what was
 * understood (id, reply topic, tenant, metadata when they were readable), so that the error
 * response is as useful as possible. */
MUST_CHECK enum err request_read(struct arena *arena, const struct record *record,
                                 const struct catalog *catalog, struct request *ret_request,
                                 struct why *ret_why);

#endif
