/* What a request may have that its family, or InvokeModel as a whole, has no place for: rejected by
 * name, and never left out. The error says which families take it. */
#include <string.h>

#include "wire/bedrock/invoke/parts.h"

#define NAMES_BYTES_MAX WHY_MESSAGE_MAX

/* What errors say of the families. */
static const struct {
    const char *name, *provider;
    unsigned takes;
} families[] = {
#define FAMILY(id, name, provider, models, shape, stop_key, takes) {name, provider, takes},
#include "wire/bedrock/invoke/families.def"
#undef FAMILY
};

/* `a, b` of the families that have one of `takes`. Those of one name follow each other. */
static void add_names(struct buf *words, unsigned takes)
{
    const char *last = "";
    for (size_t i = 0; i < COUNT_OF(families); i++) {
        if ((families[i].takes & takes) == 0 || strcmp(families[i].name, last) == 0)
            continue;
        buf_addf(words, "%s%s", words->len > 0 ? ", " : "", families[i].name);
        last = families[i].name;
    }
}

static void add_providers(struct buf *words)
{
    const char *last = "", *separator = "";
    for (size_t i = 0; i < COUNT_OF(families); i++) {
        if (strcmp(families[i].provider, last) == 0)
            continue;
        buf_addf(words, "%s%s", separator, families[i].provider);
        last = families[i].provider;
        separator = ", ";
    }
}

/* --- no family --- */

static enum err no_family(const struct request *request, struct why *ret_why)
{
    struct buf words OWNED_BY(buf_done);
    struct slice provider = request->traits.provider;
    const char *field = request->provider.ptr != NULL ? "provider" : "model";
    buf_init(&words, NAMES_BYTES_MAX);
    if (provider.len == 0)
        buf_add_text(&words, "does not say whose model it is, and InvokeModel has to know; give "
                             "provider, or base_model: ");
    else
        buf_addf(&words,
                 "has no family of InvokeModel (\"%.*s\"); use api converse, or give provider or "
                 "base_model: ",
                 SLICE_ARG(slice_sub(provider, 0, 64)));
    add_providers(&words);
    return why_set(ret_why, ERR_INVALID, field, "%s", buf_text(&words));
}

/* --- fields --- */

static enum err refuse(const struct invoke_row *row, const char *field, unsigned takes,
                       struct why *ret_why)
{
    struct buf words OWNED_BY(buf_done);
    buf_init(&words, NAMES_BYTES_MAX);
    add_names(&words, takes);
    return why_set(ret_why, ERR_UNSUPPORTED_FIELD, field,
                   "%s does not take it with InvokeModel; it goes %s%s%swith api converse",
                   row->family.name, words.len > 0 ? "to " : "", buf_text(&words),
                   words.len > 0 ? ", or " : "");
}

/* What only Converse has a place for, whatever the family. */
static const char *converses_own(const struct request *request)
{
    if (request->structured.method == STRUCTURED_JSON_SCHEMA ||
        request->structured.method == STRUCTURED_PROMPT_PREFILL)
        return "structured_output.method";
    if (request->response_field_paths.ptr != NULL)
        return "additional_model_response_field_paths";
    if (request->output_config.ptr != NULL)
        return "output_config";
    return request->guardrail.last_turn_only ? "guardrail.last_turn_only" : NULL;
}

static bool has_tool(const struct request *request, enum tool_kind kind)
{
    for (size_t i = 0; i < request->tool_count; i++)
        if (request->tools[i].kind == kind)
            return true;
    return false;
}

static bool has_cached_tool(const struct request *request)
{
    for (size_t i = 0; i < request->tool_count; i++)
        if (request->tools[i].cache.ptr != NULL)
            return true;
    return false;
}

/* A field that the family has no place for; NULL = none. */
static const char *familys_lack(const struct invoke_row *row, const struct request *request,
                                unsigned *ret_takes)
{
    const struct {
        const char *field;
        bool is_given;
        unsigned takes;
    } fields[] = {
        {"structured_output", request->structured.method != STRUCTURED_NONE, TAKES_TOOLS},
        {"tools", request->tool_count > 0, TAKES_TOOLS},
        {"tools", has_tool(request, TOOL_CACHE_POINT) || has_cached_tool(request), TAKES_CACHE},
        {"tools", has_tool(request, TOOL_SYSTEM), TAKES_SYSTEM_TOOLS},
        {"tool_choice", request->tool_choice.kind != TOOL_CHOICE_ABSENT, TAKES_TOOLS},
        {"cache_control", request->cache_control.ptr != NULL, TAKES_CACHE},
        {"top_k", request->parameters[PARAMETER_TOP_K].ptr != NULL, TAKES_TOP_K},
    };
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        *ret_takes = fields[i].takes;
        if (fields[i].is_given && (row->takes & fields[i].takes) == 0)
            return fields[i].field;
    }
    return NULL;
}

/* The whole body is the request's: parameters and messages have no place in it. */
static enum err check_given(const struct request *request, struct why *ret_why)
{
    if (request->additional_fields.ptr == NULL)
        return why_set(ret_why, ERR_INVALID, "model_kwargs",
                       "missing: with provider custom it is the whole body of the call");
    for (enum parameter i = 0; i < PARAMETER_COUNT; i++)
        if (request->parameters[i].ptr != NULL)
            return why_set(ret_why, ERR_UNSUPPORTED_FIELD, parameter_rows[i].name,
                           "with provider custom the request writes the whole body: give it in "
                           "additional_model_request_fields, by the model's name for it");
    return OK;
}

/* The worker itself looks for a family's stop texts, which costs time for each of them. */
static enum err check_stops(const struct invoke_row *row, const struct request *request,
                            struct why *ret_why)
{
    struct arena scratch OWNED_BY(arena_done);
    struct slice texts = request->parameters[PARAMETER_STOP];
    const struct json *list = NULL;
    arena_init(&scratch, DIALECT_SCRATCH_BYTES(texts.len));
    if (row->stop_key != NULL || texts.ptr == NULL)
        return OK;
    enum err err = json_parse(&scratch, texts, &list, NULL);
    if (err != OK)
        return why_set(ret_why, err, NULL, "%s", "");
    if (list->count > STOPS_MAX)
        return why_set(ret_why, ERR_INVALID, "stop",
                       "%s has no stop texts of its own, and the worker looks for %d at most",
                       row->family.name, STOPS_MAX);
    return OK;
}

/* --- blocks --- */

static const struct {
    enum block_kind kind;
    unsigned takes; /* 0 = no family does */
    const char *words;
} kinds[] = {
    {BLOCK_IMAGE, TAKES_IMAGE, "an image"},
    {BLOCK_DOCUMENT, TAKES_DOCUMENT, "a document"},
    {BLOCK_VIDEO, TAKES_VIDEO, "a video"},
    {BLOCK_AUDIO, TAKES_AUDIO, "audio"},
    {BLOCK_TOOL_USE, TAKES_TOOL_TURNS, "a tool call"},
    {BLOCK_TOOL_RESULT, TAKES_TOOL_TURNS, "a tool result"},
    {BLOCK_CACHE_POINT, TAKES_CACHE, "a cache point"},
    {BLOCK_REASONING, TAKES_REASONING, "reasoning"},
    {BLOCK_SEARCH_RESULT, TAKES_SEARCH, "a search result"},
    {BLOCK_GUARD, 0, "guard content"},
    {BLOCK_RAW, TAKES_NATIVE, "a block in an unknown form"},
};

static enum err refuse_block(const struct invoke_row *row, size_t kind, struct why *ret_why)
{
    struct buf words OWNED_BY(buf_done);
    buf_init(&words, NAMES_BYTES_MAX);
    if (kinds[kind].takes != 0)
        add_names(&words, kinds[kind].takes);
    return why_set(ret_why, ERR_UNSUPPORTED_FIELD, "messages",
                   "%s does not take %s with InvokeModel; it goes %s%s%swith api converse",
                   row->family.name, kinds[kind].words, words.len > 0 ? "to " : "",
                   buf_text(&words), words.len > 0 ? ", or " : "");
}

static const char *words_of(enum block_kind kind)
{
    size_t i = 0;
    while (i + 1 < COUNT_OF(kinds) && kinds[i].kind != kind)
        i++;
    return kinds[i].words;
}

static bool is_media(const struct block *block)
{
    return block->kind == BLOCK_IMAGE || block->kind == BLOCK_DOCUMENT ||
           block->kind == BLOCK_VIDEO || block->kind == BLOCK_AUDIO;
}

/* An answer's block that only Converse knows, and a family whose own form is another. */
static bool is_foreign(const struct invoke_row *row, const struct block *block)
{
    return block->kind == BLOCK_RAW && block->is_converse && row->shape->is_native != NULL;
}

/* Whether the block is of this kind, or has what it is for. */
static bool has_kind(const struct block *block, enum block_kind kind)
{
    return block->kind == kind || (kind == BLOCK_CACHE_POINT && block->cache.ptr != NULL);
}

static enum err check_block(const struct invoke_row *row, const struct block *block,
                            struct why *ret_why)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (has_kind(block, kinds[i].kind) &&
            ((row->takes & kinds[i].takes) == 0 || is_foreign(row, block)))
            return refuse_block(row, i, ret_why);
    if (is_media(block) && block->media.uri.ptr == NULL && block->media.bytes.ptr == NULL &&
        !row->shape->joins_messages)
        return why_set(ret_why, ERR_INVALID, "messages",
                       "has %s without bytes, and %s takes only these with InvokeModel",
                       words_of(block->kind), row->family.name);
    if (is_media(block) && block->media.uri.ptr != NULL && (row->takes & TAKES_S3) == 0)
        return why_set(ret_why, ERR_UNSUPPORTED_FIELD, "messages",
                       "%s takes no S3 location with InvokeModel; send the bytes, or use "
                       "Converse",
                       row->family.name);
    return OK;
}

/* Blocks of a list, and those inside of tool results. */
static enum err check_blocks(const struct invoke_row *row, const struct block *blocks, size_t count,
                             struct why *ret_why)
{
    enum err err = OK;
    for (size_t i = 0; err == OK && i < count; i++) {
        const struct block *block = &blocks[i];
        err = check_block(row, block, ret_why);
        for (size_t j = 0; err == OK && block->kind == BLOCK_TOOL_RESULT && j < block->result.count;
             j++)
            err = check_block(row, &block->result.parts[j], ret_why);
    }
    return err;
}

/* --- headers --- */

static void free_text(struct call_headers *headers)
{
    buf_done(&headers->text);
}

/* What is the body's with Converse is a header here, and no server takes a header of any length. */
static enum err check_headers(const struct request *request, struct why *ret_why)
{
    struct call_headers headers OWNED_BY(free_text) = {.count = 0};
    if (request->request_metadata.ptr == NULL)
        return OK;
    enum err err = invoke_add_headers(NULL, request, request->stream, &headers);
    if (err == ERR_TOO_LARGE)
        return why_set(ret_why, ERR_INVALID, "request_metadata",
                       "is too long: with InvokeModel it is a header of at most %d bytes of ASCII",
                       INVOKE_METADATA_BYTES_MAX);
    return err == OK ? OK : why_set(ret_why, err, NULL, "%s", "");
}

/* --- the whole --- */

enum err invoke_check(const struct family *family, const struct request *request,
                      struct why *ret_why)
{
    const struct invoke_row *row = (const struct invoke_row *)(const void *)family;
    unsigned takes;
    if (!invoke_serves(family, request))
        return no_family(request, ret_why);
    const char *field = converses_own(request);
    if (field != NULL)
        return why_set(ret_why, ERR_UNSUPPORTED_FIELD, field,
                       "InvokeModel has no place for it; api converse does");
    field = familys_lack(row, request, &takes);
    if (field != NULL)
        return refuse(row, field, takes, ret_why);
    enum err err = check_headers(request, ret_why);
    if (err != OK)
        return err;
    err = row->shape->is_given ? check_given(request, ret_why) : check_stops(row, request, ret_why);
    if (err == OK)
        err = check_blocks(row, request->system, request->system_count, ret_why);
    for (size_t i = 0; err == OK && i < request->turn_count; i++)
        err = check_blocks(row, request->turns[i].blocks, request->turns[i].count, ret_why);
    return err;
}
