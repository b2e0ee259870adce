#include "sim/directive.h"

#include <stdio.h>
#include <string.h>

#define BLOCK_OPEN  "[[sim:"
#define BLOCK_CLOSE "]]"

size_t text_find(struct slice text, struct slice part, size_t from)
{
    if (part.len == 0 || from > text.len || text.len - from < part.len)
        return text.len;
    const char *found = memmem(text.ptr + from, text.len - from, part.ptr, part.len);
    return found != NULL ? (size_t)(found - text.ptr) : text.len;
}

struct slice tag_find(struct slice text, struct slice open, struct slice close)
{
    size_t at = text_find(text, open, 0);
    if (at == text.len)
        return SLICE_NULL;
    size_t from = at + open.len;
    size_t end = text_find(text, close, from);
    if (end == text.len || end - from > TAG_BYTES_MAX)
        return SLICE_NULL;
    return slice_sub(text, from, end - from);
}

void directive_clear(struct directive *ret_directive)
{
    *ret_directive = (struct directive){
        .input_tokens = SIM_UNSET, .output_tokens = SIM_UNSET, .calls = SIM_UNSET};
    sim_effect_clear(&ret_directive->effect);
}

static bool read_number(struct slice value, int64_t max, int64_t *ret_number)
{
    int64_t number;
    if (!slice_to_int64(value, &number) || number < 0 || number > max)
        return false;
    *ret_number = number;
    return true;
}

static bool read_fault(struct slice value, int64_t *ret_fault)
{
    enum fault fault;
    if (!fault_from_word(value, &fault))
        return false;
    *ret_fault = fault;
    return true;
}

/* Reads a duration; a number without a unit is milliseconds. */
static bool read_delay(struct slice value, struct delay *ret_delay)
{
    int64_t ms;
    if (!read_number(value, DELAY_MS_MAX, &ms))
        return delay_read(value, ret_delay);
    *ret_delay = (struct delay){.kind = DELAY_FIXED, .from_ms = ms};
    return true;
}

static bool read_flag(struct slice value, bool *ret_flag)
{
    *ret_flag = slice_equal_text(value, "1") || slice_equal_text(value, "true");
    return *ret_flag || slice_equal_text(value, "0") || slice_equal_text(value, "false");
}

/* Reads one `name=value` about what the answer is. */
static bool read_answer_order(struct slice name, struct slice value, struct directive *directive)
{
    if (slice_equal_text(name, "text"))
        directive->text = value;
    else if (slice_equal_text(name, "stop_reason"))
        directive->stop_reason = value;
    else if (slice_equal_text(name, "tool"))
        directive->tool = value;
    else if (slice_equal_text(name, "input"))
        directive->input = value;
    else if (slice_equal_text(name, "calls"))
        return read_number(value, SIM_CALLS_MAX, &directive->calls);
    else if (slice_equal_text(name, "reasoning"))
        directive->reasoning = value;
    else if (slice_equal_text(name, "redacted"))
        return read_flag(value, &directive->redacted);
    else if (slice_equal_text(name, "citations"))
        return read_flag(value, &directive->cites);
    else if (slice_equal_text(name, "guardrail") &&
             (slice_equal_text(value, "input") || slice_equal_text(value, "output")))
        directive->guardrail = value;
    else
        return false;
    return true;
}

/* Reads one `name=value` of a block. */
static bool read_order(struct slice name, struct slice value, int64_t *times,
                       struct directive *directive)
{
    struct sim_effect *effect = &directive->effect;
    if (slice_equal_text(name, "fault"))
        return read_fault(value, &effect->fault);
    if (slice_equal_text(name, "times"))
        return read_number(value, INT64_MAX, times);
    if (slice_equal_text(name, "latency"))
        return read_delay(value, &effect->latency);
    if (slice_equal_text(name, "gap"))
        return read_delay(value, &effect->gap);
    if (slice_equal_text(name, "bytes"))
        return read_number(value, SIM_BYTES_MAX, &effect->bytes);
    if (slice_equal_text(name, "after"))
        return read_number(value, INT64_MAX, &effect->after);
    if (slice_equal_text(name, "skew"))
        return span_read(value, true, &effect->skew_ms);
    if (slice_equal_text(name, "retry_after"))
        return span_read(value, false, &effect->retry_after_ms);
    if (slice_equal_text(name, "input_tokens"))
        return read_number(value, INT32_MAX, &directive->input_tokens);
    if (slice_equal_text(name, "output_tokens"))
        return read_number(value, INT32_MAX, &directive->output_tokens);
    return read_answer_order(name, value, directive);
}

static enum err read_block(struct slice block, int64_t *ret_times, struct directive *ret_directive,
                           char *ret_text)
{
    directive_clear(ret_directive);
    *ret_times = SIM_UNSET;
    for (size_t at = 0; at < block.len;) {
        struct slice rest = slice_sub(block, at, block.len);
        struct slice order = slice_sub(rest, 0, slice_find(rest, ';'));
        size_t equals = slice_find(order, '=');
        at += order.len + 1;
        if (!read_order(slice_trim(slice_sub(order, 0, equals)),
                        slice_trim(slice_sub(order, equals + 1, order.len)), ret_times,
                        ret_directive)) {
            (void)snprintf(ret_text, DIRECTIVE_TEXT_MAX,
                           "bedrock-sim does not know the order `%.*s`",
                           (int)(order.len < 80 ? order.len : 80), order.ptr);
            return ERR_INVALID;
        }
    }
    return OK;
}

enum err directive_find(struct slice text, uint64_t nth, struct directive *ret_directive,
                        char ret_text[DIRECTIVE_TEXT_MAX])
{
    directive_clear(ret_directive);
    size_t at = 0;
    for (;;) {
        size_t from = text_find(text, SLICE(BLOCK_OPEN), at);
        if (from == text.len)
            return OK;
        from += sizeof(BLOCK_OPEN) - 1;
        size_t end = text_find(text, SLICE(BLOCK_CLOSE), from);
        if (end == text.len)
            return OK;
        struct directive block;
        int64_t times;
        enum err err = read_block(slice_sub(text, from, end - from), &times, &block, ret_text);
        if (err != OK)
            return err;
        if (times == SIM_UNSET || nth < (uint64_t)times) {
            *ret_directive = block;
            return OK;
        }
        nth -= (uint64_t)times;
        at = end;
    }
}
