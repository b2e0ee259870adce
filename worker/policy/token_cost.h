/* How many tokens of a quota a call may use, and how many it has used. Amazon Bedrock reserves
 * input + max_tokens at the start of a call; at its end it counts uncached input + cache writes +
 * output * burndown (user guide, "How tokens are counted").
 *
 * Input is guessed by bytes: BYTES / 4 at first, then by the bytes per token of what a model has
 * counted. Media have a fixed guess. Counts beyond all that a call can have used are cut, so that
 * absurd ones stop nothing. Pure; nothing fails. */
#ifndef POLICY_TOKEN_COST_H
#define POLICY_TOKEN_COST_H

#include <stdbool.h>
#include <stdint.h>

/* What is known of a request before its call. */
struct token_size {
    double text_bytes; /* UTF-8, with tools and what else the model reads */
    double media;      /* a guess, in tokens */
    double max_output; /* max_tokens, or the model's maximum … */
    bool is_guessed;   /* … as far as the worker knows it */
};

/* What answers of a model taught. Zeroed = nothing. */
struct token_ratio {
    double bytes, tokens; /* means of a request's */
};

/* What an answer counts; negative = not known. */
struct token_counts {
    int64_t input; /* uncached */
    int64_t cache_read, cache_write, output;
};

/* Tokens of input, cached ones included; a whole number, at least 1. */
double token_input(const struct token_ratio *ratio, const struct token_size *size);
/* Takes what an answer says of its input. Requests with media, and without counts, teach nothing.
 */
void token_learn(struct token_ratio *ratio, const struct token_size *size,
                 const struct token_counts *counts);
/* What the ended call counts for; negative = its counts are not known. */
double token_spent(const struct token_size *size, const struct token_counts *counts,
                   double burndown);

#endif
