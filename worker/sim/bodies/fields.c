/* The settings of a call: parameters, guardrail, reasoning, structured output, what the answer
 * shall tell (Bedrock API reference, Converse; Claude's extended thinking). */
#include "sim/bodies/lacks.h"
#include "sim/bodies/parts.h"

#define BUDGET_LEAST 1024 /* tokens of thinking */

/* The fields by which each vendor's models are told to reason. */
static bool asks_to_think(const struct json *fields)
{
    static const char *const ON[] = {"enabled", "adaptive"};
    const struct json *thinking = json_member(fields, "thinking");
    const struct json *nova = json_member(fields, "reasoningConfig");
    for (size_t i = 0; i < COUNT_OF(ON); i++)
        if (json_equal_text(json_member(thinking, "type"), ON[i]) ||
            json_equal_text(json_member(nova, "type"), ON[i]))
            return true;
    const struct json *effort = json_member(fields, "reasoning_effort");
    if (effort == NULL)
        effort = json_member(json_member(fields, "reasoning"), "effort");
    return json_is(effort, JSON_STRING) && !json_equal_text(effort, "none");
}

enum err check_thinking(struct reading *reading, const struct json *fields)
{
    struct conversation *conversation = reading->conversation;
    int64_t budget = 0;
    conversation->thinks = asks_to_think(fields);
    const struct json *thinking = json_member(fields, "thinking");
    if (!conversation->thinks || !json_is(thinking, JSON_OBJECT))
        return OK;
    bool is_forced = conversation->choice == CHOICE_ANY || conversation->choice == CHOICE_NAMED;
    if (is_forced && model_lacks(reading->model, LACK_FORCE_THINKING))
        return reading_refuse(reading,
                              SAID "Thinking may not be enabled when tool_choice forces tool use.");
    if (!json_equal_text(json_member(thinking, "type"), "enabled"))
        return OK;
    const struct json *given = json_member(thinking, "budget_tokens");
    if (!json_is(given, JSON_NUMBER) || !json_int64(given, &budget))
        return reading_refuse(reading, SAID "thinking.enabled.budget_tokens: Field required");
    if (budget < BUDGET_LEAST)
        return reading_refuse(reading,
                              SAID "thinking.enabled.budget_tokens: Input should be greater than "
                                   "or equal to 1024");
    if (conversation->max_tokens >= 0 && budget >= conversation->max_tokens)
        return reading_refuse(reading,
                              SAID "`max_tokens` must be greater than `thinking.budget_tokens`.");
    return OK;
}

/* Claude takes only schemas whose objects are closed. */
static enum err check_closed(struct reading *reading, const struct json *schema)
{
    if (reading->family == NULL || !reading->family->signs ||
        !json_equal_text(json_member(schema, "type"), "object") ||
        json_is(json_member(schema, "additionalProperties"), JSON_FALSE))
        return OK;
    return reading_refuse(reading,
                          SAID "output_format.schema: For 'object' type, 'additionalProperties' "
                               "must be explicitly set to false");
}

static enum err read_output(struct reading *reading, const struct json *config)
{
    struct slice text;
    struct json_fault fault;
    const struct json *structure = json_member(json_member(config, "textFormat"), "structure");
    enum err err = reading_string(reading, json_member(structure, "jsonSchema"), "schema", &text);
    if (err != OK || text.ptr == NULL)
        return err;
    const struct json *schema;
    err = json_parse(reading->arena, text, &schema, &fault);
    if (err == ERR_NO_MEMORY)
        return err;
    if (err != OK || schema->kind != JSON_OBJECT)
        return reading_refuse(reading,
                              "The value at outputConfig.textFormat.structure.jsonSchema.schema is "
                              "not a JSON Schema object.");
    reading->conversation->output_schema = schema;
    return check_closed(reading, schema);
}

static enum err read_guardrail(struct reading *reading, const struct json *config)
{
    struct asked_guardrail *guardrail = &reading->conversation->guardrail;
    const struct json *trace = json_member(config, "trace");
    if (!json_is(config, JSON_OBJECT))
        return OK;
    enum err err = reading_string(reading, config, "guardrailIdentifier", &guardrail->id);
    if (err == OK)
        err = reading_string(reading, config, "guardrailVersion", &guardrail->version);
    if (err != OK)
        return err;
    guardrail->trace = json_is(trace, JSON_STRING) && !json_equal_text(trace, "disabled");
    if (guardrail->id.len == 0 || guardrail->version.len == 0)
        return reading_refuse(
            reading, "The guardrail identifier or version provided in the request does not exist.");
    return OK;
}

/* Of the fields that a model can add to its answer, the simulated ones know two. */
static void read_paths(struct reading *reading, const struct json *paths)
{
    for (const struct json *path = json_is(paths, JSON_ARRAY) ? paths->first : NULL; path != NULL;
         path = path->next) {
        if (json_equal_text(path, "/stop_sequence"))
            reading->conversation->wants_stop = true;
        if (json_equal_text(path, "/usage"))
            reading->conversation->wants_details = true;
    }
}

enum err check_sampling(struct reading *reading, const struct json *fields)
{
    static const char *const NAMES[] = {"temperature", "topP", "top_p"};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++)
        if (json_is(json_member(fields, NAMES[i]), JSON_NUMBER) &&
            model_lacks(reading->model, LACK_SAMPLING))
            return reading_refuse(reading, SAID "`%s` is deprecated for this model.", NAMES[i]);
    return OK;
}

static enum err read_inference(struct reading *reading, const struct json *inference)
{
    struct conversation *conversation = reading->conversation;
    enum err err = check_sampling(reading, inference);
    if (err != OK)
        return err;
    const struct json *max_tokens = json_member(inference, "maxTokens");
    const struct json *stop = json_member(inference, "stopSequences");
    conversation->stop = json_is(stop, JSON_ARRAY) ? stop : NULL;
    /* the shape has checked that it is a whole number */
    bool has_limit = json_is(max_tokens, JSON_NUMBER);
    return !has_limit || json_int64(max_tokens, &conversation->max_tokens) ? OK : ERR_REJECTED;
}

enum err check_fields(struct reading *reading, const struct json *root)
{
    struct conversation *conversation = reading->conversation;
    enum err err = read_inference(reading, json_member(root, "inferenceConfig"));
    if (err == OK)
        err = check_thinking(reading, json_member(root, "additionalModelRequestFields"));
    if (err == OK)
        err = read_output(reading, json_member(root, "outputConfig"));
    if (err == OK)
        err = read_guardrail(reading, json_member(root, "guardrailConfig"));
    if (err == OK)
        err =
            reading_string(reading, json_member(root, "serviceTier"), "type", &conversation->tier);
    if (err == OK)
        err = reading_string(reading, json_member(root, "performanceConfig"), "latency",
                             &conversation->latency);
    read_paths(reading, json_member(root, "additionalModelResponseFieldPaths"));
    return err;
}
