/* What a request asks for, who sends it, and what it gets: decided before any answer is sent. */
#include "sim/parts.h"

#include <stdio.h>
#include <string.h>

#include "base/glob.h"

#define CHECK_ARENA_BYTES_MAX (256 * 1024 * 1024)
#define PREFIX                "/model/"

static int hex_digit(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

/* Decodes percent escapes; false when one is invalid, or out of memory. */
static bool decode_label(struct arena *arena, struct slice label, struct slice *ret_text)
{
    char *text = arena_new(arena, label.len);
    size_t len = 0;
    if (text == NULL)
        return false;
    for (size_t i = 0; i < label.len; i++) {
        if (label.ptr[i] != '%') {
            text[len++] = label.ptr[i];
            continue;
        }
        int high = i + 2 < label.len ? hex_digit(label.ptr[i + 1]) : -1;
        int low = i + 2 < label.len ? hex_digit(label.ptr[i + 2]) : -1;
        if (high < 0 || low < 0)
            return false;
        text[len++] = (char)(high * 16 + low);
        i += 2;
    }
    *ret_text = slice_of(text, len);
    return true;
}

void judging_find_operation(struct served *served, const char *method)
{
    struct slice path = served->path;
    if (strcmp(method, "POST") != 0 || !slice_starts(path, SLICE(PREFIX)))
        return;
    struct slice rest = slice_sub(path, sizeof(PREFIX) - 1, path.len);
    size_t slash = slice_find(rest, '/');
    struct slice name = slice_sub(rest, slash, rest.len);
    enum operation operation = OPERATION_ANY;
    if (!operation_from_word(slice_sub(name, 1, name.len), &operation))
        return;
    if (decode_label(&served->arena, slice_sub(rest, 0, slash), &served->model))
        served->operation = operation;
}

struct slice judging_header(void *self, const char *name)
{
    struct served *served = self;
    return slice_of_text(MHD_lookup_connection_value(served->connection, MHD_HEADER_KIND, name));
}

static bool is_model_known(const struct sim_config *config, struct slice model)
{
    for (size_t i = 0; i < config->models.count; i++)
        if (glob_match(config->models.list[i], model, false))
            return true;
    return config->models.count == 0;
}

/* Rejects a caller that may not call. True: the only fault is the time of its signature. */
static bool check_access(struct served *served, const char *method, int64_t skew_ms)
{
    struct sim *sim = served->sim;
    struct access_verdict verdict;
    struct access_request request = {.method = slice_of_text(method),
                                     .path = served->path,
                                     .query = served->query,
                                     .body = buf_slice(&served->body),
                                     .header = judging_header,
                                     .self = served};
    access_check(sim->config, &sim->access, &request,
                 sim_wall_us() / 1000 + sim->config->clock_skew_ms + skew_ms, &verdict);
    served->facts.access_key_id = verdict.access_key_id;
    if (verdict.type != NULL)
        sim_refuse(served, 403, verdict.type, verdict.text);
    return verdict.is_clock_off;
}

static void refuse_failed(struct served *served, enum err err, const char *text)
{
    if (err == ERR_NO_MEMORY)
        sim_refuse(served, 500, "InternalServerException", "bedrock-sim is out of memory");
    else
        sim_refuse(served, 400, "ValidationException", text);
}

/* A body that is refused, unless the call meets another error first. */
static void refuse_body(struct served *served, enum err err, const char *text)
{
    enum fault fault = FAULT_NONE;
    if (err == ERR_REJECTED)
        fault = plan_refusal(&served->sim->planner, served->model, served->operation);
    if (fault == FAULT_NONE)
        refuse_failed(served, err, text);
    else
        sim_refuse(served, FAULTS[fault].status, FAULTS[fault].type, FAULTS[fault].text);
}

/* Takes the call's tokens from the quota and makes its plan. */
static void plan_call(struct served *served, const struct conversation *conversation,
                      const struct family *family)
{
    struct sim *sim = served->sim;
    char text[DIRECTIVE_TEXT_MAX];
    struct plan_facts facts = {conversation,      served->model, served->operation,
                               served->facts.tag, family,        sim->now_ms};
    int64_t most =
        conversation->max_tokens >= 0 ? conversation->max_tokens : QUOTA_MAX_TOKENS_DEFAULT;
    served->reserved_tokens = (int64_t)(conversation->input_bytes / 4) + most;
    if (!quota_take(&sim->quotas, served->model, served->reserved_tokens, sim->now_ms,
                    &served->bucket)) {
        sim_refuse(served, 429, "ThrottlingException", FAULTS[FAULT_THROTTLING].text);
        return;
    }
    enum err err = plan_make(&sim->planner, &facts, &served->arena, &served->plan, text);
    if (err != OK)
        refuse_failed(served, err, text);
}

/* Is the header absent, or one of these words? */
static bool take_header(struct served *served, const char *name, const char *const words[],
                        struct slice *ret_value)
{
    struct slice value = judging_header(served, name);
    if (value.len == 0)
        return true;
    *ret_value = value;
    for (size_t i = 0; words != NULL && words[i] != NULL; i++)
        if (slice_equal_text(value, words[i]))
            return true;
    return words == NULL;
}

/* The header Request-Metadata is Converse's requestMetadata as JSON. */
static enum err read_metadata(struct served *served, struct arena *arena, char text[CHECK_TEXT_MAX])
{
    const struct json *root;
    struct json_fault fault;
    struct slice value = judging_header(served, "X-Amzn-Bedrock-Request-Metadata");
    if (value.len == 0)
        return OK;
    enum err err = json_parse(arena, value, &root, &fault);
    if (err == ERR_NO_MEMORY)
        return err;
    if (err == OK)
        return check_shape(arena, root, &SHAPE_METADATA, text);
    (void)snprintf(text, CHECK_TEXT_MAX, "The request metadata in the header is not valid JSON.");
    return ERR_REJECTED;
}

/* What Converse has in its body, InvokeModel has in headers. */
static enum err read_headers(struct served *served, struct conversation *conversation,
                             char text[CHECK_TEXT_MAX])
{
    static const char *const TIERS[] = {"priority", "default", "flex", "reserved", NULL};
    static const char *const LATENCIES[] = {"standard", "optimized", NULL};
    static const char *const TRACES[] = {"ENABLED", "DISABLED", "ENABLED_FULL", NULL};
    struct asked_guardrail *guardrail = &conversation->guardrail;
    struct slice trace = SLICE_NULL;
    const struct {
        const char *name;
        const char *const *words;
        struct slice *value;
    } rows[] = {
        {"X-Amzn-Bedrock-Service-Tier", TIERS, &conversation->tier},
        {"X-Amzn-Bedrock-PerformanceConfig-Latency", LATENCIES, &conversation->latency},
        {"X-Amzn-Bedrock-Trace", TRACES, &trace},
        {"X-Amzn-Bedrock-GuardrailIdentifier", NULL, &guardrail->id},
        {"X-Amzn-Bedrock-GuardrailVersion", NULL, &guardrail->version},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (take_header(served, rows[i].name, rows[i].words, rows[i].value))
            continue;
        (void)snprintf(text, CHECK_TEXT_MAX,
                       "1 validation error detected: Value at '%s' failed to satisfy constraint: "
                       "Member must satisfy enum value set",
                       rows[i].name);
        return ERR_REJECTED;
    }
    guardrail->trace = slice_starts(trace, SLICE("ENABLED"));
    if ((guardrail->id.len > 0) == (guardrail->version.len > 0))
        return OK;
    (void)snprintf(text, CHECK_TEXT_MAX,
                   "The guardrail identifier or version provided in the request does not exist.");
    return ERR_REJECTED;
}

/* Checks the body and plans the call. The parsed body has a separate arena, because it is not
 * needed later. */
static void read_body(struct served *served)
{
    struct sim *sim = served->sim;
    const struct sim_config *config = sim->config;
    struct arena arena OWNED_BY(arena_done);
    struct conversation conversation;
    const struct family *family;
    struct check_request request = {served->operation, served->model, buf_slice(&served->body)};
    char text[CHECK_TEXT_MAX];
    arena_init(&arena, CHECK_ARENA_BYTES_MAX);
    enum err err = check_body(&arena, &request, &conversation, &family, text);
    if (err == OK && operation_is_invoke(served->operation))
        err = read_headers(served, &conversation, text);
    if (err == OK && operation_is_invoke(served->operation))
        err = read_metadata(served, &arena, text);
    if (err != OK) {
        refuse_body(served, err, text);
        return;
    }
    struct slice tag = tag_find(conversation.prompt, config->tag_open, config->tag_close);
    if (tag.ptr == NULL)
        tag = tag_find(conversation.all, config->tag_open, config->tag_close);
    if (!arena_copy(&served->arena, tag, &served->facts.tag)) {
        refuse_failed(served, ERR_NO_MEMORY, "");
        return;
    }
    plan_call(served, &conversation, family);
}

/* Reads the body of a caller that may call, except perhaps for the time of its signature: the
 * call's plan may give the simulator another clock, which then decides. */
static void read_judged(struct served *served, const char *method)
{
    struct refusal refusal = served->refusal;
    served->refusal.type = NULL;
    read_body(served);
    if (served->refusal.type == NULL && served->plan.fault == FAULT_SKEWED_CLOCK)
        (void)check_access(served, method, served->plan.skew_ms);
    else if (refusal.type != NULL)
        served->refusal = refusal;
}

void judging_decide(struct served *served, const char *method)
{
    struct sim *sim = served->sim;
    if (served->operation == OPERATION_ANY)
        sim_refuse(served, 404, "UnknownOperationException",
                   "The requested operation is not known to this simulator.");
    else if (served->too_large || served->body.failed != OK)
        sim_refuse(served, 413, "RequestEntityTooLargeException",
                   "Request size exceeds the maximum allowed.");
    else if (!check_access(served, method, 0) && served->refusal.type != NULL)
        return;
    else if (!check_model_id(served->model) || !is_model_known(sim->config, served->model))
        sim_refuse(served, 400, "ValidationException", "The provided model identifier is invalid.");
    else
        read_judged(served, method);
}
