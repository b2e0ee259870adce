/* Orders inside a prompt, for tests that want one call treated in one way:
 *
 *     [[sim:latency=500ms;fault=cut_stream;after=3;times=1]] Say something. [[id:order-17]]
 *
 * Several blocks speak one after the other: each for its `times` calls with this prompt, one
 * without `times` for all that remain. And the caller's tag, which goes to the ledger. */
#ifndef SIM_DIRECTIVE_H
#define SIM_DIRECTIVE_H

#include "base/attr.h"
#include "base/err.h"
#include "sim/settings.h"

#define DIRECTIVE_WORDS_MAX 160
#define TAG_BYTES_MAX       256

struct directive {
    struct sim_effect effect;
    int64_t input_tokens, output_tokens; /* SIM_UNSET = as they would be */
    struct slice text;                   /* the answer; null = as it would be */
    struct slice stop_reason;            /* null = as it would be */
};

void directive_clear(struct directive *ret_directive);
/* The block that speaks for the nth call (from 0) with this text; nothing is set when none does.
 * ERR_INVALID with words that name an order which is none. */
MUST_CHECK enum err directive_find(struct slice text, uint64_t nth, struct directive *ret_directive,
                                   char ret_words[DIRECTIVE_WORDS_MAX]);
/* What stands between `open` and `close` first, at most TAG_BYTES_MAX; null = nothing does. */
struct slice tag_find(struct slice text, struct slice open, struct slice close);
/* Index of the first `part` at or after `from`; text.len when there is none. */
size_t text_find(struct slice text, struct slice part, size_t from);

#endif
