/* Tokens that a call may use, and has used. */
#include "unit/unit.h"

#include "policy/token_cost.h"

static const struct token_size SIZE = {.text_bytes = 4000, .max_output = 100};

static bool is_about(double value, double wanted)
{
    return value > wanted * 0.99 && value < wanted * 1.01;
}

static void a_token_is_four_bytes_at_first(void **state)
{
    (void)state;
    struct token_ratio ratio = {.bytes = 0};
    struct token_size size = SIZE;
    assert_true(token_input(&ratio, &size) == 1000);
    size.media = 1600;
    assert_true(token_input(&ratio, &size) == 2600);
    assert_true(token_input(&ratio, &(struct token_size){.text_bytes = 0}) == 1);
}

static void bytes_per_token_are_learned_with_what_was_cached(void **state)
{
    (void)state;
    struct token_ratio ratio = {.bytes = 0};
    struct token_counts counts = {
        .input = 200, .cache_read = 1500, .cache_write = 300, .output = 5};
    token_learn(&ratio, &SIZE, &counts);
    assert_true(token_input(&ratio, &SIZE) < 1050);
    for (int i = 0; i < 300; i++)
        token_learn(&ratio, &SIZE, &counts);
    assert_true(is_about(token_input(&ratio, &SIZE), 2000));
}

static void media_and_missing_counts_teach_nothing(void **state)
{
    (void)state;
    struct token_ratio ratio = {.bytes = 0};
    struct token_size size = SIZE;
    token_learn(&ratio, &size, &(struct token_counts){.input = -1, .output = -1});
    size.media = 1600;
    token_learn(&ratio, &size, &(struct token_counts){.input = 9000, .output = 1});
    assert_true(ratio.tokens == 0);
}

static void an_absurd_count_moves_the_ratio_little(void **state)
{
    (void)state;
    struct token_ratio ratio = {.bytes = 0};
    token_learn(&ratio, &SIZE, &(struct token_counts){.input = INT64_MAX, .output = 1});
    assert_true(token_input(&ratio, &SIZE) < 1100);
    for (int i = 0; i < 1000; i++)
        token_learn(&ratio, &SIZE, &(struct token_counts){.input = 1, .output = 1});
    assert_true(token_input(&ratio, &SIZE) >= 200);
}

static void an_ended_call_counts_as_bedrock_counts_it(void **state)
{
    (void)state;
    struct token_counts counts = {
        .input = 200, .cache_read = 1500, .cache_write = 300, .output = 50};
    assert_true(token_spent(&SIZE, &counts, 5) == 200 + 300 + 5 * 50);
    counts.cache_read = counts.cache_write = -1;
    assert_true(token_spent(&SIZE, &counts, 1) == 250);
    assert_true(token_spent(&SIZE, &(struct token_counts){-1, -1, -1, -1}, 5) < 0);
}

static void absurd_counts_are_cut_to_what_a_call_can_use(void **state)
{
    (void)state;
    struct token_counts counts = {.input = 1000000000, .output = 1000000000};
    double spent = token_spent(&SIZE, &counts, 5);
    assert_true(spent > 4000 && spent < 20000);
    counts.input = counts.output = INT64_MAX;
    assert_true(token_spent(&SIZE, &counts, 5) == spent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_four_bytes_at_first),
        cmocka_unit_test(bytes_per_token_are_learned_with_what_was_cached),
        cmocka_unit_test(media_and_missing_counts_teach_nothing),
        cmocka_unit_test(an_absurd_count_moves_the_ratio_little),
        cmocka_unit_test(an_ended_call_counts_as_bedrock_counts_it),
        cmocka_unit_test(absurd_counts_are_cut_to_what_a_call_can_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
