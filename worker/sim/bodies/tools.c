/* The tools of a request and the calls of them in its turns (Bedrock API reference,
 * ToolConfiguration, ToolUseBlock, ToolResultBlock). */
#include <stdlib.h>

#include "sim/bodies/lacks.h"
#include "sim/bodies/parts.h"

#define WORDS_NO_TOOLS                                                                             \
    "The toolConfig field must be defined when using toolUse and toolResult content blocks."

static enum err read_spec(struct reading *reading, const struct json *spec, size_t index)
{
    const struct json *schema = json_member(json_member(spec, "inputSchema"), "json");
    reading_add_other(reading, spec);
    if (!json_equal_text(json_member(schema, "type"), "object"))
        return reading_refuse(reading,
                              "The value at toolConfig.tools.%zu.toolSpec.inputSchema.json.type "
                              "must be one of the following: object.",
                              index);
    return reading_add_tool(reading, json_member(spec, "name"), schema);
}

static enum err read_tool(struct reading *reading, const struct json *tool, size_t index)
{
    const struct json *spec = json_member(tool, "toolSpec");
    const struct json *system = json_member(tool, "systemTool");
    const struct json *point = json_member(tool, "cachePoint");
    if (json_is(spec, JSON_OBJECT))
        return read_spec(reading, spec, index);
    if (json_is(point, JSON_OBJECT))
        return reading_cache_point(reading, json_equal_text(json_member(point, "ttl"), "1h"));
    reading_add_other(reading, tool);
    return reading_add_tool(reading, json_member(system, "name"), NULL);
}

enum err check_choice(struct reading *reading, const struct json *name)
{
    struct conversation *conversation = reading->conversation;
    conversation->choice = CHOICE_NAMED;
    if (!json_string(reading->arena, name, &conversation->choice_name))
        return ERR_NO_MEMORY;
    if (reading_tool(reading, conversation->choice_name) != NULL)
        return OK;
    return reading_refuse(
        reading, SAID "Tool '%.*s' not found in provided tools",
        (int)(conversation->choice_name.len < 64 ? conversation->choice_name.len : 64),
        conversation->choice_name.ptr);
}

/* Is the choice one that the model takes? */
static enum err check_forced(struct reading *reading, const struct json *choice)
{
    bool is_named = json_is(json_member(choice, "tool"), JSON_OBJECT);
    const char *name = is_named ? "tool" : "any";
    if (!is_named && !json_is(json_member(choice, "any"), JSON_OBJECT))
        return OK;
    if (!model_lacks(reading->model, LACK_FORCE) &&
        !(is_named && model_lacks(reading->model, LACK_NAME)))
        return OK;
    return reading_refuse(reading,
                          "This model doesn't support the toolConfig.toolChoice.%s field. Remove "
                          "toolConfig.toolChoice.%s and try again.",
                          name, name);
}

static enum err read_choice(struct reading *reading, const struct json *choice)
{
    const struct json *tool = json_member(choice, "tool");
    enum err err = check_forced(reading, choice);
    if (err != OK)
        return err;
    if (json_is(json_member(choice, "any"), JSON_OBJECT))
        reading->conversation->choice = CHOICE_ANY;
    return json_is(tool, JSON_OBJECT) ? check_choice(reading, json_member(tool, "name")) : OK;
}

enum err check_tool_config(struct reading *reading, const struct json *config)
{
    size_t index = 0;
    if (!json_is(config, JSON_OBJECT))
        return OK;
    reading->has_tools = true;
    for (const struct json *tool = json_member(config, "tools")->first; tool != NULL;
         tool = tool->next) {
        enum err err = read_tool(reading, tool, index++);
        if (err != OK)
            return err;
    }
    return read_choice(reading, json_member(config, "toolChoice"));
}

/* The ids of the calls or results in a turn, in order of their bytes. */
struct ids {
    struct slice *list;
    size_t count;
};

static int compare_ids(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* A tool of the service has a `type`, and its result does not come from the client. */
static const struct json *client_part(const struct json *block, const char *member)
{
    const struct json *part = json_member(block, member);
    return json_is(part, JSON_OBJECT) && !json_is(json_member(part, "type"), JSON_STRING) ? part
                                                                                          : NULL;
}

static enum err collect(struct reading *reading, const struct json *content, const char *member,
                        struct ids *ret_ids)
{
    size_t most = content != NULL ? content->count : 0;
    *ret_ids = (struct ids){arena_new_array(reading->arena, most, sizeof(struct slice)), 0};
    if (ret_ids->list == NULL)
        return ERR_NO_MEMORY;
    for (const struct json *block = most > 0 ? content->first : NULL; block != NULL;
         block = block->next) {
        const struct json *part = client_part(block, member);
        if (part == NULL)
            continue;
        if (!json_string(reading->arena, json_member(part, "toolUseId"),
                         &ret_ids->list[ret_ids->count++]))
            return ERR_NO_MEMORY;
    }
    if (ret_ids->count > 1)
        qsort(ret_ids->list, ret_ids->count, sizeof *ret_ids->list, compare_ids);
    return OK;
}

static enum err check_repeats(struct reading *reading, const struct ids *ids, const char *member,
                              size_t index)
{
    for (size_t i = 1; i < ids->count; i++)
        if (slice_equal(ids->list[i - 1], ids->list[i]))
            return reading_refuse(
                reading, "The %s blocks at messages.%zu.content contain duplicate Ids: %.*s",
                member, index, SLICE_ARG(ids->list[i]));
    return OK;
}

enum err check_pairs(struct reading *reading, const struct json *before, const struct json *content,
                     size_t index)
{
    struct ids calls, results, new_calls;
    enum err err = collect(reading, before, "toolUse", &calls);
    if (err == OK)
        err = collect(reading, content, "toolResult", &results);
    if (err == OK)
        err = collect(reading, content, "toolUse", &new_calls);
    if (err == OK && results.count + new_calls.count > 0 && !reading->has_tools)
        err = reading_refuse(reading, WORDS_NO_TOOLS);
    if (err == OK)
        err = check_repeats(reading, &new_calls, "toolUse", index);
    if (err == OK)
        err = check_repeats(reading, &results, "toolResult", index);
    if (err != OK)
        return err;
    if (results.count > calls.count)
        return reading_refuse(reading,
                              "The number of toolResult blocks at messages.%zu.content exceeds the "
                              "number of toolUse blocks of previous turn.",
                              index);
    for (size_t i = 0; i < calls.count; i++)
        if (i >= results.count || !slice_equal(calls.list[i], results.list[i]))
            return reading_refuse(
                reading,
                "Expected toolResult blocks at messages.%zu.content for the following Ids: %.*s",
                index, SLICE_ARG(calls.list[i]));
    return OK;
}
