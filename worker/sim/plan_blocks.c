#include <stdio.h>

#include "base/utf8.h"
#include "sim/plan.h"
#include "sim/sample.h"
#include "sim/signature.h"
#include "wire/formats/base64.h"

#define INPUT_BYTES_MAX  (1024 * 1024)
#define THOUGHT_MAX      120 /* bytes of the prompt in reasoning */
#define SMALL_TEXT_MAX   512
#define ID_DIGITS        22
#define CODE_FENCE       "```"
#define BLOCKED_TEXT     "Sorry, the model cannot answer this question."
#define REDACTED_CONTENT "simulated reasoning that is hidden"

size_t plan_block_count(const struct plan *plan)
{
    return plan->block_count > 0 ? plan->block_count : 1;
}

struct plan_block plan_block_at(const struct plan *plan, size_t index)
{
    return plan->block_count > 0 ? plan->blocks[index] : (struct plan_block){.kind = PLAN_TEXT};
}

size_t plan_block_bytes(const struct plan *plan, const struct plan_block *block)
{
    return block->kind == PLAN_TEXT ? plan->text.len + plan->fill_bytes : block->text.len;
}

size_t plan_bytes(const struct plan *plan)
{
    size_t bytes = 0;
    for (size_t i = 0; i < plan_block_count(plan); i++) {
        struct plan_block block = plan_block_at(plan, i);
        bytes += plan_block_bytes(plan, &block);
    }
    return bytes;
}

/* What a maker of blocks works with. */
struct making {
    const struct plan_facts *facts;
    const struct directive *directive;
    const struct sim_answer *answer; /* by script, or NULL */
    struct arena *arena;
    struct plan *plan;
    char *text; /* why a directive is wrong */
};

static void add_block(struct making *making, struct plan_block block)
{
    making->plan->blocks[making->plan->block_count++] = block;
}

/* ---- reasoning ---- */

static enum err add_redacted(struct making *making)
{
    struct buf data OWNED_BY(buf_done);
    struct plan_block block = {.kind = PLAN_REDACTED};
    buf_init(&data, SMALL_TEXT_MAX);
    base64_add(&data, SLICE(REDACTED_CONTENT));
    if (data.failed != OK || !arena_copy(making->arena, buf_slice(&data), &block.text))
        return ERR_NO_MEMORY;
    add_block(making, block);
    return OK;
}

static enum err add_reasoning(struct making *making, struct slice text)
{
    struct buf made OWNED_BY(buf_done), signature OWNED_BY(buf_done);
    struct plan_block block = {.kind = PLAN_REASONING};
    buf_init(&made, SMALL_TEXT_MAX);
    buf_init(&signature, SMALL_TEXT_MAX);
    if (text.len == 0) {
        buf_add_text(&made, "I think about: ");
        buf_add(&made, slice_trim(utf8_clip(making->facts->conversation->prompt, THOUGHT_MAX)));
        text = buf_slice(&made);
    }
    if (making->facts->family->signs)
        signature_add(&signature, text);
    if (made.failed != OK || signature.failed != OK ||
        !arena_copy(making->arena, text, &block.text) ||
        !arena_copy(making->arena, buf_slice(&signature), &block.signature))
        return ERR_NO_MEMORY;
    add_block(making, block);
    return OK;
}

static enum err think(struct making *making)
{
    struct slice text = making->directive->reasoning;
    if (text.len == 0 && making->answer != NULL)
        text = making->answer->reasoning;
    if (making->directive->redacted)
        return add_redacted(making);
    if (text.len == 0 && !making->facts->conversation->thinks)
        return OK;
    return add_reasoning(making, text);
}

/* ---- tools ---- */

static const struct asked_tool *tool_named(const struct conversation *conversation,
                                           struct slice name)
{
    const struct asked_tool *tool = conversation->tools;
    while (tool != NULL && !slice_equal(tool->name, name))
        tool = tool->next;
    return tool;
}

/* The name of the tool to call: the directive's, the script's, the forced one; null = any. */
static struct slice wanted_name(const struct making *making)
{
    const struct conversation *conversation = making->facts->conversation;
    if (making->directive->tool.len > 0 && !slice_equal_text(making->directive->tool, "any"))
        return making->directive->tool;
    if (conversation->choice == CHOICE_NAMED)
        return conversation->choice_name;
    if (making->answer != NULL && making->answer->tool.len > 0 &&
        tool_named(conversation, making->answer->tool) != NULL)
        return making->answer->tool;
    return SLICE_NULL;
}

static bool calls_tools(const struct making *making, struct slice name)
{
    const struct conversation *conversation = making->facts->conversation;
    const struct directive *directive = making->directive;
    if (directive->tool.ptr != NULL || directive->calls != SIM_UNSET)
        return directive->calls != 0;
    return conversation->choice == CHOICE_ANY || conversation->choice == CHOICE_NAMED ||
           (name.len > 0 && conversation->choice != CHOICE_NONE);
}

static enum err make_id(struct making *making, struct slice *ret_id)
{
    static const char DIGITS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    struct buf id OWNED_BY(buf_done);
    buf_init(&id, SMALL_TEXT_MAX);
    bool is_claude = operation_is_invoke(making->facts->operation) && making->facts->family->signs;
    buf_add_text(&id, is_claude ? "toolu_bdrk_01" : "tooluse_");
    for (int i = 0; i < ID_DIGITS; i++)
        buf_add_byte(&id, DIGITS[random_below(&making->plan->random, sizeof DIGITS - 1)]);
    return id.failed == OK && arena_copy(making->arena, buf_slice(&id), ret_id) ? OK
                                                                                : ERR_NO_MEMORY;
}

/* What the directive or the script says that the input is; empty: nothing. ERR_INVALID: no JSON. */
static enum err given_input(struct making *making, const struct asked_tool *tool,
                            struct slice *ret_given)
{
    const struct json *root;
    *ret_given = making->directive->input;
    if (ret_given->ptr == NULL && making->answer != NULL &&
        slice_equal(making->answer->tool, tool->name))
        *ret_given = making->answer->input;
    enum err err = ret_given->len > 0 ? json_parse(making->arena, *ret_given, &root, NULL) : OK;
    if (err == OK || err == ERR_NO_MEMORY)
        return err;
    (void)snprintf(making->text, DIRECTIVE_TEXT_MAX,
                   "the input that bedrock-sim is to give the tool `%.*s` is not JSON",
                   (int)(tool->name.len < 64 ? tool->name.len : 64), tool->name.ptr);
    return ERR_INVALID;
}

static enum err make_input(struct making *making, const struct asked_tool *tool,
                           struct slice *ret_input)
{
    struct buf input OWNED_BY(buf_done);
    struct slice given;
    buf_init(&input, INPUT_BYTES_MAX);
    enum err err = given_input(making, tool, &given);
    if (err != OK)
        return err;
    if (given.len > 0)
        buf_add(&input, given);
    else if (tool->schema != NULL)
        sample_add(&input, making->arena, tool->schema);
    else
        buf_add_text(&input, "{}");
    if (input.failed == ERR_TOO_LARGE) {
        (void)snprintf(making->text, DIRECTIVE_TEXT_MAX,
                       "bedrock-sim makes no input of more than 1 MB for the tool `%.*s`",
                       (int)(tool->name.len < 64 ? tool->name.len : 64), tool->name.ptr);
        return ERR_INVALID;
    }
    return input.failed == OK && arena_copy(making->arena, buf_slice(&input), ret_input)
               ? OK
               : ERR_NO_MEMORY;
}

static enum err add_call(struct making *making, const struct asked_tool *tool)
{
    struct plan_block block = {.kind = PLAN_TOOL_USE};
    enum err err = make_input(making, tool, &block.text);
    if (err == OK)
        err = make_id(making, &block.id);
    if (err == OK && !arena_copy(making->arena, tool->name, &block.name))
        err = ERR_NO_MEMORY;
    if (err == OK)
        add_block(making, block);
    return err;
}

/* Several calls go to the tool of that name, or else to the tools in their order. */
static enum err call_tools(struct making *making, struct slice name)
{
    const struct conversation *conversation = making->facts->conversation;
    const struct asked_tool *tool =
        name.len > 0 ? tool_named(conversation, name) : conversation->tools;
    int64_t count = making->directive->calls != SIM_UNSET ? making->directive->calls : 1;
    if (tool == NULL) {
        (void)snprintf(making->text, DIRECTIVE_TEXT_MAX, "the request has no tool `%.*s` to call",
                       (int)(name.len < 64 ? name.len : 64), name.len > 0 ? name.ptr : "");
        return ERR_INVALID;
    }
    for (int64_t i = 0; i < count; i++) {
        enum err err = add_call(making, tool);
        if (err != OK)
            return err;
        if (name.len == 0)
            tool = tool->next != NULL ? tool->next : conversation->tools;
    }
    if (making->directive->stop_reason.ptr == NULL)
        making->plan->stop_reason = SLICE("tool_use");
    return OK;
}

/* ---- text ---- */

/* The schema that the text must fit: the request's, or the one in the prompt when the assistant's
 * turn begins with a code fence; NULL: it is free, or someone wrote it. */
static const struct json *schema_of(const struct making *making)
{
    const struct conversation *conversation = making->facts->conversation;
    if (making->answer != NULL || making->directive->text.ptr != NULL)
        return NULL;
    if (conversation->output_schema == NULL &&
        slice_starts(conversation->prefill, SLICE(CODE_FENCE)))
        return sample_find_schema(making->arena, conversation->system);
    return conversation->output_schema;
}

/* Replaces the text by JSON that fits the schema. */
static enum err structure(struct making *making, const struct json *schema)
{
    struct buf value OWNED_BY(buf_done);
    buf_init(&value, INPUT_BYTES_MAX);
    making->plan->is_structured = true;
    sample_add(&value, making->arena, schema);
    if (making->facts->conversation->output_schema == NULL)
        buf_add_text(&value, "\n" CODE_FENCE);
    if (value.failed == ERR_TOO_LARGE) {
        (void)snprintf(making->text, DIRECTIVE_TEXT_MAX,
                       "bedrock-sim makes no structured answer of more than 1 MB");
        return ERR_INVALID;
    }
    return value.failed == OK && arena_copy(making->arena, buf_slice(&value), &making->plan->text)
               ? OK
               : ERR_NO_MEMORY;
}

/* A guardrail that intervenes replaces the whole answer. */
static bool guard(struct making *making)
{
    struct plan *plan = making->plan;
    if (plan->guardrail.id.len == 0)
        return false;
    plan->verdict = VERDICT_PASSED;
    if (making->directive->guardrail.ptr == NULL)
        return false;
    bool is_input = slice_equal_text(making->directive->guardrail, "input");
    plan->verdict = is_input ? VERDICT_INPUT : VERDICT_OUTPUT;
    plan->text = SLICE(BLOCKED_TEXT);
    plan->pieces = NULL;
    plan->input_tokens = plan->output_tokens = SIM_UNSET;
    plan->stop_reason = SLICE("guardrail_intervened");
    return true;
}

/* Does a text stand before the calls? Only one that someone wrote. */
static bool speaks(const struct making *making)
{
    return making->directive->text.ptr != NULL ||
           (making->answer != NULL && making->answer->text.len > 0);
}

enum err plan_blocks(const struct plan_facts *facts, const struct directive *directive,
                     const struct sim_answer *answer, struct arena *arena, struct plan *plan,
                     char ret_text[DIRECTIVE_TEXT_MAX])
{
    struct making making = {facts, directive, answer, arena, plan, ret_text};
    if (guard(&making))
        return OK;
    struct slice name = wanted_name(&making);
    bool calls = calls_tools(&making, name);
    enum err err = think(&making);
    const struct json *schema = calls ? NULL : schema_of(&making);
    if (err == OK && schema != NULL)
        err = structure(&making, schema);
    if (err != OK)
        return err;
    plan->cites = !calls && (directive->cites || facts->conversation->cites);
    if (plan->block_count == 0 && !calls)
        return OK;
    if (!calls || speaks(&making)) {
        add_block(&making, (struct plan_block){.kind = PLAN_TEXT});
    } else {
        plan->text = SLICE("");
        plan->pieces = NULL;
        plan->is_structured = true;
    }
    return calls ? call_tools(&making, name) : OK;
}
