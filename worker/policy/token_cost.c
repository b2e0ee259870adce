#include "policy/token_cost.h"

#define BYTES_OF_TOKEN 4.0
#define WEIGHT         0.02 /* of one answer in the means */
#define RATIO_MIN      1.0  /* bytes of a token: a token is rarely less than a byte, */
#define RATIO_MAX      20.0 /* nor longer than a long word */
#define MEDIA_MOST     20.0 /* times the guess */
#define OUTPUT_MOST    1e6  /* tokens of an answer whose limit is a guess */
#define INPUT_MOST     1e12
#define UNSEEN_MOST    8192.0 /* tokens that models add: for tools, for their own prompts */

static double least(double a, double b)
{
    return a < b ? a : b;
}

static double most(double a, double b)
{
    return a > b ? a : b;
}

static double counted(int64_t tokens)
{
    return tokens > 0 ? (double)tokens : 0;
}

double token_input(const struct token_ratio *ratio, const struct token_size *size)
{
    double bytes_each = ratio->tokens > 0 ? ratio->bytes / ratio->tokens : BYTES_OF_TOKEN;
    double tokens = least(INPUT_MOST, size->text_bytes / bytes_each + size->media);
    return most(1, (double)(int64_t)tokens); /* whole: sums of them have no rest */
}

void token_learn(struct token_ratio *ratio, const struct token_size *size,
                 const struct token_counts *counts)
{
    double tokens =
        counted(counts->input) + counted(counts->cache_read) + counted(counts->cache_write);
    if (size->media > 0 || size->text_bytes <= 0 || tokens <= 0)
        return;
    tokens = most(size->text_bytes / RATIO_MAX, least(size->text_bytes / RATIO_MIN, tokens));
    if (ratio->tokens <= 0) {
        ratio->bytes = size->text_bytes;
        ratio->tokens = size->text_bytes / BYTES_OF_TOKEN;
    }
    ratio->bytes += WEIGHT * (size->text_bytes - ratio->bytes);
    ratio->tokens += WEIGHT * (tokens - ratio->tokens);
}

double token_spent(const struct token_size *size, const struct token_counts *counts,
                   double burndown)
{
    if (counts->input < 0 && counts->output < 0)
        return -1;
    double input = counted(counts->input) + counted(counts->cache_write);
    double most_input = size->text_bytes / RATIO_MIN + MEDIA_MOST * size->media + UNSEEN_MOST;
    double most_output = size->is_guessed ? OUTPUT_MOST : size->max_output;
    return least(input, most_input) + least(counted(counts->output), most_output) * burndown;
}
