/* What the settings say about models and templates: plain lists that app fills once and that
 * requests are read against. Everything is borrowed from the settings. */
#ifndef WIRE_CHAT_CATALOG_H
#define WIRE_CHAT_CATALOG_H

#include "wire/chat/answer.h"
#include "wire/chat/parameters.h"
#include "wire/chat/traits.h"
#include "wire/formats/why.h"

struct request;

#define MODEL_FALLBACKS_MAX 15

struct model_alias {
    struct slice name;   /* what requests say */
    struct slice id;     /* model id, inference profile id or ARN */
    struct slice region; /* null = the worker's */
    uint32_t identity;   /* as whom it is called, by number; 0 = the default */
    struct slice api;    /* of the catalog's; null or `auto` = the worker chooses */
    /* Parameters of requests that leave them out; raw JSON values, null = none. */
    struct slice defaults[PARAMETER_COUNT];
    /* Likewise the other fields that may have a default (presets.h), read as a request; NULL =
     * none. */
    const struct request *presets;
    /* Parameters that are never sent: bits of enum parameter. has_drop without any: all are. */
    bool has_drop;
    uint32_t drop;
    /* Aliases that may be called in its place, best first, by their places in the catalog: those
     * that it names, each with its own behind it. Neither the alias itself nor one twice. */
    const uint32_t *fallbacks;
    size_t fallback_count;     /* at most MODEL_FALLBACKS_MAX */
    int64_t fallback_after_ms; /* a request that must expect a longer wait moves */
};

struct template_message {
    struct slice role; /* system, human or user, ai or assistant */
    struct slice text; /* with {placeholders} */
};

struct template_named {
    struct slice name;
    const struct template_message *messages;
    size_t count;
};

struct request;

struct catalog {
    /* The dialects' (wire/bedrock/dialects.h). NULL: the first API, and it takes everything.
     * choose: the API for a request that leaves it to the worker, and the forms in which that API
     * takes a conversation.
     * check: whether the API and the model's family have a place for all of the request; else the
     * field at fault. */
    void (*choose)(struct request *request);
    enum err (*check)(const struct request *request, struct why *ret_why);
    const struct api_name *const *apis; /* that a request may name beside `auto` */
    size_t api_count;
    struct slice default_model; /* alias or id; empty = none */
    const struct model_alias *aliases;
    size_t alias_count;
    const struct template_named *templates;
    size_t template_count;
    struct traits_memo *memo; /* NULL = none; changes while requests are read */
};

#endif
