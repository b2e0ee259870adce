/* Directives: instructions inside a prompt, with which a test decides how its call is treated.
 *
 *     [[sim:latency=500ms;fault=cut_stream;after=3;times=1]] Say something. [[id:order-17]]
 *
 * Several blocks apply one after the other, each to its `times` calls with this prompt; a block
 * without `times` applies to all calls that remain. The second form is the caller's tag, which the
 * simulator writes to its ledger. */
#ifndef SIM_DIRECTIVE_H
#define SIM_DIRECTIVE_H

#include "base/attr.h"
#include "base/err.h"
#include "sim/settings.h"

#define DIRECTIVE_TEXT_MAX 160
#define TAG_BYTES_MAX      256

struct directive {
    struct sim_effect effect;
    int64_t input_tokens, output_tokens; /* SIM_UNSET = unchanged */
    struct slice text;                   /* the answer; null = unchanged */
    struct slice stop_reason;            /* null = unchanged */
    struct slice tool;                   /* to call; null = as the request says */
    struct slice input;                  /* of each call, JSON; null = made from the schema */
    int64_t calls;                       /* of tools at once; SIM_UNSET = 1 */
    struct slice reasoning;              /* before the answer; null = as the request says */
    bool redacted;                       /* its text is hidden */
    bool cites;                          /* the text has a citation */
    struct slice guardrail;              /* input or output: what it blocks; null = nothing */
};

/* Makes a directive that changes nothing. */
void directive_clear(struct directive *ret_directive);
/* Reads the block that applies to the nth call (from 0) with this text; the result changes nothing
 * when none does. ERR_INVALID: ret_text names the invalid instruction. Slices lie in `text`. */
MUST_CHECK enum err directive_find(struct slice text, uint64_t nth, struct directive *ret_directive,
                                   char ret_text[DIRECTIVE_TEXT_MAX]);
/* The first text between `open` and `close`, clipped to TAG_BYTES_MAX; null = there is none. */
struct slice tag_find(struct slice text, struct slice open, struct slice close);
/* The index of the first `part` at or after `from`; text.len when there is none. */
size_t text_find(struct slice text, struct slice part, size_t from);

#endif
