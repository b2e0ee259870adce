/* The plan of a simulated call: scripts, rules, rates, directives, quotas. */
#include "unit/unit.h"

#include <stdio.h>

#include "sim/plan.h"
#include "sim/quota.h"

struct desk {
    struct sim_config *config;
    struct planner planner;
    struct arena arena;
};

static void desk_open(struct desk *desk, const char *settings)
{
    desk->config = sim_config_new();
    assert_non_null(desk->config);
    if (settings != NULL) {
        assert_true(sim_config_read(desk->config, slice_of_text(settings), "f"));
    }
    assert_int_equal(planner_init(&desk->planner, desk->config), OK);
    arena_init(&desk->arena, 1 << 20);
}

static void desk_close(struct desk *desk)
{
    arena_done(&desk->arena);
    planner_done(&desk->planner);
    sim_config_free(desk->config);
}

static struct plan ask(struct desk *desk, const char *system, const char *prompt,
                       enum operation operation)
{
    struct conversation conversation = {.system = slice_of_text(system),
                                        .prompt = slice_of_text(prompt),
                                        .all = slice_of_text(prompt),
                                        .input_bytes = strlen(prompt),
                                        .max_tokens = -1};
    struct plan_facts facts = {
        &conversation,  SLICE("m.one"),
        operation,      tag_find(conversation.prompt, SLICE("[[id:"), SLICE("]]")),
        &FAMILY_CUSTOM, 0};
    struct plan plan;
    char words[DIRECTIVE_TEXT_MAX];
    assert_int_equal(plan_make(&desk->planner, &facts, &desk->arena, &plan, words), OK);
    return plan;
}

static void a_scripted_answer_has_its_scripted_counts(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, NULL);
    struct plan plan =
        ask(&desk, "It translates English to French.", "I love programming.", OPERATION_CONVERSE);
    assert_slice(plan.text, "Voici la traduction en français :\n\nJ'aime la programmation.");
    assert_int_equal(plan.input_tokens, 29);
    assert_int_equal(plan.output_tokens, 21);
    assert_int_equal(plan.metrics_ms, 672);
    assert_non_null(plan.pieces);
    plan = ask(&desk, "It translates English to French.", "I love programming.",
               OPERATION_CONVERSE_STREAM);
    assert_int_equal(plan.metrics_ms, 713);
    plan = ask(&desk, "It translates English to Dutch.", "I love programming.", OPERATION_CONVERSE);
    assert_slice(plan.text, "Answer to: I love programming.");
    assert_null(plan.pieces);
    desk_close(&desk);
}

static void unscripted_answers_are_derived_from_the_prompt(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, NULL);
    struct plan plan =
        ask(&desk, "", "[[id:order-17]] Hello, world! [[sim:latency=5]]", OPERATION_CONVERSE);
    assert_slice(plan.text, "Answer to order-17:  Hello, world!");
    assert_int_equal(plan.latency_ms, 5);
    assert_int_equal(plan.input_tokens, 12); /* 47 bytes */
    assert_int_equal(plan.output_tokens, 9);
    plan = ask(&desk, "", "[[sim:bytes=1000]]x", OPERATION_CONVERSE);
    assert_int_equal(plan.text.len + plan.fill_bytes, 1000);
    assert_int_equal(plan.output_tokens, 250);
    plan = ask(&desk, "", "[[sim:bytes=5]]x", OPERATION_CONVERSE);
    assert_slice(plan.text, "Answe");
    plan = ask(&desk, "", "[[sim:text=Yes.;stop_reason=tool_use;input_tokens=3;output_tokens=4]]",
               OPERATION_CONVERSE);
    assert_slice(plan.text, "Yes.");
    assert_slice(plan.stop_reason, "tool_use");
    assert_int_equal(plan.input_tokens, 3);
    assert_int_equal(plan.output_tokens, 4);
    desk_close(&desk);
}

static void max_tokens_cuts_the_answer(void **state)
{
    (void)state;
    struct desk desk;
    struct plan plan;
    char words[DIRECTIVE_TEXT_MAX];
    desk_open(&desk, NULL);
    struct conversation conversation = {.system = SLICE("English to French"),
                                        .prompt = SLICE("I love programming."),
                                        .all = SLICE("I love programming."),
                                        .max_tokens = 2};
    struct plan_facts facts = {&conversation, SLICE("m.one"), OPERATION_CONVERSE,
                               SLICE_NULL,    &FAMILY_CUSTOM, 0};
    assert_int_equal(plan_make(&desk.planner, &facts, &desk.arena, &plan, words), OK);
    assert_slice(plan.text, "Voici la");
    assert_int_equal(plan.output_tokens, 2);
    assert_slice(plan.stop_reason, "max_tokens");
    assert_null(plan.pieces);
    desk_close(&desk);
}

static void directives_of_a_prompt_apply_one_after_the_other(void **state)
{
    (void)state;
    static const char PROMPT[] =
        "[[sim:fault=throttling;times=2]][[sim:fault=cut_stream;after=3;times=1]] hi";
    static const enum fault EXPECTED[] = {FAULT_THROTTLING, FAULT_THROTTLING, FAULT_CUT_STREAM,
                                          FAULT_NONE, FAULT_NONE};
    struct desk desk;
    desk_open(&desk, NULL);
    for (size_t i = 0; i < COUNT_OF(EXPECTED); i++) {
        struct plan plan = ask(&desk, "", PROMPT, OPERATION_CONVERSE_STREAM);
        assert_int_equal(plan.fault, EXPECTED[i]);
        if (plan.fault == FAULT_CUT_STREAM)
            assert_int_equal(plan.after, 3);
    }
    desk_close(&desk);
}

static void an_unknown_directive_is_named(void **state)
{
    (void)state;
    struct directive directive;
    char words[DIRECTIVE_TEXT_MAX];
    static const char *const BAD[] = {"[[sim:foo=1]]", "[[sim:fault=nothing]]",
                                      "[[sim:latency=soon]]", "[[sim:times]]"};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        assert_int_equal(directive_find(slice_of_text(BAD[i]), 0, &directive, words), ERR_INVALID);
        assert_non_null(strstr(words, "bedrock-sim does not know the order"));
    }
    assert_int_equal(directive_find(SLICE("[[sim:no end"), 0, &directive, words), OK);
    assert_int_equal(directive.effect.fault, SIM_UNSET);
}

static void tags_are_read_between_their_marks(void **state)
{
    (void)state;
    assert_slice(tag_find(SLICE("a [[id:x-1]] [[id:y]]"), SLICE("[[id:"), SLICE("]]")), "x-1");
    assert_slice(tag_find(SLICE("id=7 rest"), SLICE("id="), SLICE(" ")), "7");
    assert_null(tag_find(SLICE("[[id:x"), SLICE("[[id:"), SLICE("]]")).ptr);
    assert_null(tag_find(SLICE(""), SLICE("[[id:"), SLICE("]]")).ptr);
}

static void rules_count_their_own_calls(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, "rules: [{prompt: foo, nth: 2, fault: stall}, {every: 3, times: 1, fault: "
                     "close, latency: 9ms},"
                     " {prompt: bar, fault: cut_stream}]");
    assert_int_equal(ask(&desk, "", "foo", OPERATION_CONVERSE).fault, FAULT_NONE);
    assert_int_equal(ask(&desk, "", "foo 2", OPERATION_CONVERSE).fault, FAULT_STALL);
    struct plan third = ask(&desk, "", "x", OPERATION_CONVERSE);
    assert_int_equal(third.fault, FAULT_CLOSE);
    assert_int_equal(third.latency_ms, 9);
    for (int i = 0; i < 6; i++)
        assert_int_equal(ask(&desk, "", "y", OPERATION_CONVERSE).fault, FAULT_NONE);
    /* a fault of streams does not affect an unstreamed answer */
    assert_int_equal(ask(&desk, "", "bar", OPERATION_CONVERSE).fault, FAULT_NONE);
    assert_int_equal(ask(&desk, "", "bar", OPERATION_CONVERSE_STREAM).fault, FAULT_CUT_STREAM);
    desk_close(&desk);
}

/* The fates of 2,000 prompts as a text of digits. */
static void draw_fates(const char *settings, bool backwards, char *ret_fates)
{
    struct desk desk;
    desk_open(&desk, settings);
    for (int i = 0; i < 2000; i++) {
        int number = backwards ? 1999 - i : i;
        char prompt[32];
        (void)snprintf(prompt, sizeof prompt, "prompt %d", number);
        ret_fates[number] = (char)('0' + ask(&desk, "", prompt, OPERATION_CONVERSE).fault);
        arena_reset(&desk.arena);
    }
    desk_close(&desk);
}

static void chance_follows_the_seed_and_not_the_order(void **state)
{
    (void)state;
    static char first[2001], second[2001], third[2001];
    int throttled = 0;
    draw_fates("{seed: 5, faults: {throttling: 0.1, internal_server: 0.1}}", false, first);
    draw_fates("{seed: 5, faults: {throttling: 0.1, internal_server: 0.1}}", true, second);
    draw_fates("{seed: 6, faults: {throttling: 0.1, internal_server: 0.1}}", false, third);
    assert_string_equal(first, second);
    assert_string_not_equal(first, third);
    for (int i = 0; i < 2000; i++)
        throttled += first[i] == '0' + FAULT_THROTTLING ? 1 : 0;
    assert_true(throttled > 150 && throttled < 250);
}

static void every_attempt_draws_its_own_chance(void **state)
{
    (void)state;
    struct desk desk;
    int failed[4] = {0};
    desk_open(&desk, "faults: {throttling: 0.5}");
    for (int i = 0; i < 500; i++) {
        char prompt[32];
        (void)snprintf(prompt, sizeof prompt, "p%d", i);
        for (int attempt = 0; attempt < 4; attempt++)
            failed[attempt] +=
                ask(&desk, "", prompt, OPERATION_CONVERSE).fault != FAULT_NONE ? 1 : 0;
        arena_reset(&desk.arena);
    }
    for (int attempt = 0; attempt < 4; attempt++)
        assert_true(failed[attempt] > 190 && failed[attempt] < 310);
    desk_close(&desk);
}

static void an_early_reset_needs_no_prompt(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, "rules: [{model: 'm.*', nth: 2, fault: reset_before_body}]");
    assert_int_equal(plan_early(&desk.planner, SLICE("m.one"), OPERATION_CONVERSE), FAULT_NONE);
    assert_int_equal(plan_early(&desk.planner, SLICE("other"), OPERATION_CONVERSE), FAULT_NONE);
    assert_int_equal(plan_early(&desk.planner, SLICE("m.one"), OPERATION_CONVERSE),
                     FAULT_RESET_EARLY);
    assert_int_equal(ask(&desk, "", "x", OPERATION_CONVERSE).fault, FAULT_NONE);
    desk_close(&desk);
}

static void a_quota_limits_requests_and_tokens(void **state)
{
    (void)state;
    struct sim_config *config = sim_config_new();
    static struct quotas quotas;
    struct quota_bucket *bucket;
    assert_non_null(config);
    assert_true(sim_config_add_quota(config, SLICE("m.*=60/6000")));
    config->quotas[0].burst_ms = 5000; /* 5 requests, 500 tokens */
    quotas_init(&quotas, config);
    for (int i = 0; i < 4; i++)
        assert_true(quota_take(&quotas, SLICE("m.one"), 120, 1000, &bucket));
    assert_false(quota_take(&quotas, SLICE("m.one"), 120, 1000, &bucket)); /* 20 tokens left */
    assert_true(quota_take(&quotas, SLICE("m.two"), 500, 1000, &bucket));  /* its own bucket */
    assert_true(quota_take(&quotas, SLICE("free"), 1000000, 1000, &bucket));
    assert_null(bucket);
    assert_true(quota_take(&quotas, SLICE("m.one"), 20, 1000, &bucket));
    assert_false(quota_take(&quotas, SLICE("m.one"), 1, 1000, &bucket));
    assert_true(
        quota_take(&quotas, SLICE("m.one"), 100, 2000, &bucket)); /* a second later: 1 and 100 */
    assert_false(quota_take(&quotas, SLICE("m.one"), 1, 2000, &bucket));
    quota_end(&quotas.buckets[0], 50, &(struct quota_usage){0});
    assert_false(quota_take(&quotas, SLICE("m.one"), 1, 2000, &bucket)); /* no request left */
    assert_true(quota_take(&quotas, SLICE("m.one"), 150, 3000, &bucket));
    sim_config_free(config);
}

/* Whether the model m may begin a call that takes so many tokens. */
static bool takes(struct quotas *quotas, int64_t tokens, int64_t now_ms)
{
    struct quota_bucket *bucket;
    return quota_take(quotas, SLICE("m"), tokens, now_ms, &bucket);
}

static void an_ended_call_counts_output_by_burndown_and_cache_reads_not(void **state)
{
    (void)state;
    struct sim_config *config = sim_config_new();
    static struct quotas quotas;
    assert_non_null(config);
    assert_true(
        sim_config_read(config, SLICE("quotas: [{model: m, tokens: 6000, burndown: 5}]"), "test"));
    quotas_init(&quotas, config);
    assert_true(takes(&quotas, 5000, 1000));
    assert_false(takes(&quotas, 2000, 1000));
    struct quota_usage usage = {.input = 1000, .cache_read = 400, .output = 100};
    quota_end(&quotas.buckets[0], 5000, &usage); /* 600 + 500 */
    assert_false(takes(&quotas, 4901, 1000));
    assert_true(takes(&quotas, 4900, 1000));
    usage = (struct quota_usage){.input = 0, .output = 1000};
    quota_end(&quotas.buckets[0], 4900, &usage); /* 100 more than it took */
    assert_false(takes(&quotas, 0, 1000));
    assert_true(takes(&quotas, 0, 2000));
    sim_config_free(config);
}

static void a_quota_of_windows_is_new_with_each(void **state)
{
    (void)state;
    struct sim_config *config = sim_config_new();
    static struct quotas quotas;
    assert_non_null(config);
    assert_true(
        sim_config_read(config, SLICE("quotas: [{model: m, requests: 3, windows: true}]"), "test"));
    quotas_init(&quotas, config);
    for (int minute = 0; minute < 3; minute++) {
        for (int i = 0; i < 3; i++)
            assert_true(takes(&quotas, 0, 1000 + minute * 60000));
        assert_false(takes(&quotas, 0, 1000 + minute * 60000 + 59999));
    }
    sim_config_free(config);
}

static void a_quota_of_tokens_a_day_is_new_after_a_day(void **state)
{
    (void)state;
    struct sim_config *config = sim_config_new();
    static struct quotas quotas;
    assert_non_null(config);
    assert_true(
        sim_config_read(config, SLICE("quotas: [{model: m, tokens_per_day: 1000}]"), "test"));
    quotas_init(&quotas, config);
    assert_true(takes(&quotas, 900, 1000));
    assert_false(takes(&quotas, 200, 1000 + 86399999));
    assert_true(takes(&quotas, 1000, 1000 + 86400000));
    sim_config_free(config);
}

static void steps_change_a_quota(void **state)
{
    (void)state;
    static const char TEXT[] =
        "quotas: [{model: '*', requests: 60, burst: 1s}]\n"
        "quota_steps: [{at: 20s, factor: 1}, {model: m, at: 10s, factor: 0.5}]\n";
    struct sim_config *config = sim_config_new();
    static struct quotas quotas;
    assert_non_null(config);
    assert_true(sim_config_read(config, slice_of_text(TEXT), "test"));
    quotas_init(&quotas, config);
    int granted[3] = {0};
    for (int64_t at_ms = 0; at_ms < 30000; at_ms += 100)
        granted[at_ms / 10000] += takes(&quotas, 0, 1000 + at_ms);
    assert_in_range(granted[0], 9, 11);
    assert_in_range(granted[1], 4, 6);
    assert_in_range(granted[2], 9, 11);
    sim_config_free(config);
}

static void a_competitor_takes_its_part_of_a_quota(void **state)
{
    (void)state;
    struct sim_config *config = sim_config_new();
    static struct quotas quotas;
    assert_non_null(config);
    assert_true(sim_config_add_quota(config, SLICE("60")));
    assert_true(sim_config_add_competitor(config, SLICE("20s-40s=0.7")));
    config->quotas[0].burst_ms = 2000;
    quotas_init(&quotas, config);
    int granted[3] = {0};
    for (int64_t at_ms = 0; at_ms < 60000; at_ms += 100)
        granted[at_ms / 20000] += takes(&quotas, 0, 1000 + at_ms);
    assert_in_range(granted[0], 20, 22);
    assert_in_range(granted[1], 5, 8);
    assert_in_range(granted[2], 19, 21);
    sim_config_free(config);
}

static void a_competitor_takes_its_part_of_a_window(void **state)
{
    (void)state;
    static const char TEXT[] =
        "quotas: [{model: m, requests: 60, windows: true}]\n"
        "competitors: [{model: x, share: 1}, {model: m, from: 60s, share: 0.5}]\n";
    struct sim_config *config = sim_config_new();
    static struct quotas quotas;
    assert_non_null(config);
    assert_true(sim_config_read(config, slice_of_text(TEXT), "test"));
    quotas_init(&quotas, config);
    int granted[2] = {0};
    for (int64_t at_ms = 0; at_ms < 120000; at_ms += 1000) /* evenly, and never too early */
        granted[at_ms / 60000] += takes(&quotas, 0, 1000 + at_ms);
    assert_int_equal(granted[0], 60);
    assert_in_range(granted[1], 39, 41); /* what is left is shared, until nothing is */
    sim_config_free(config);
}

static void what_open_calls_took_is_lacking_in_the_next_window(void **state)
{
    (void)state;
    struct sim_config *config = sim_config_new();
    static struct quotas quotas;
    assert_non_null(config);
    assert_true(sim_config_read(config, SLICE("quotas: [{model: m, tokens: 1000, windows: true}]"),
                                "test"));
    quotas_init(&quotas, config);
    assert_true(takes(&quotas, 600, 1000));
    assert_false(takes(&quotas, 500, 61000));
    quota_end(&quotas.buckets[0], 600, &(struct quota_usage){.input = 100});
    assert_false(takes(&quotas, 901, 61000));
    assert_true(takes(&quotas, 900, 61000));
    sim_config_free(config);
}

static void a_step_of_the_command_line_is_one_of_all_models(void **state)
{
    (void)state;
    struct sim_config *config = sim_config_new();
    assert_non_null(config);
    assert_true(sim_config_add_step(config, SLICE("20s=0.25")));
    assert_int_equal(config->quota_step_count, 1);
    assert_int_equal(config->quota_steps[0].at_ms, 20000);
    assert_true(config->quota_steps[0].factor == 0.25);
    assert_int_equal(config->quota_steps[0].model.len, 0);
    sim_config_free(config);
}

static void the_oldest_conversations_are_forgotten_first(void **state)
{
    (void)state;
    struct seen seen;
    assert_int_equal(seen_init(&seen), OK);
    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(seen_again(&seen, 77), i);
    for (uint64_t i = 0; i < SEEN_NEIGHBOURS - 1; i++) /* the same neighbourhood, full now */
        assert_int_equal(seen_again(&seen, 77 + (i + 1) * SEEN_ENTRIES), 0);
    assert_int_equal(seen_again(&seen, 77), 5);
    assert_int_equal(seen_again(&seen, 77 + UINT64_C(99) * SEEN_ENTRIES), 0);
    assert_int_equal(seen_again(&seen, 77), 6);                              /* young, hence kept */
    assert_int_equal(seen_again(&seen, 77 + UINT64_C(1) * SEEN_ENTRIES), 0); /* the oldest went */
    seen_done(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scripted_answer_has_its_scripted_counts),
        cmocka_unit_test(unscripted_answers_are_derived_from_the_prompt),
        cmocka_unit_test(max_tokens_cuts_the_answer),
        cmocka_unit_test(directives_of_a_prompt_apply_one_after_the_other),
        cmocka_unit_test(an_unknown_directive_is_named),
        cmocka_unit_test(tags_are_read_between_their_marks),
        cmocka_unit_test(rules_count_their_own_calls),
        cmocka_unit_test(chance_follows_the_seed_and_not_the_order),
        cmocka_unit_test(every_attempt_draws_its_own_chance),
        cmocka_unit_test(an_early_reset_needs_no_prompt),
        cmocka_unit_test(a_quota_limits_requests_and_tokens),
        cmocka_unit_test(an_ended_call_counts_output_by_burndown_and_cache_reads_not),
        cmocka_unit_test(a_quota_of_windows_is_new_with_each),
        cmocka_unit_test(a_quota_of_tokens_a_day_is_new_after_a_day),
        cmocka_unit_test(steps_change_a_quota),
        cmocka_unit_test(a_competitor_takes_its_part_of_a_quota),
        cmocka_unit_test(a_competitor_takes_its_part_of_a_window),
        cmocka_unit_test(what_open_calls_took_is_lacking_in_the_next_window),
        cmocka_unit_test(a_step_of_the_command_line_is_one_of_all_models),
        cmocka_unit_test(the_oldest_conversations_are_forgotten_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
