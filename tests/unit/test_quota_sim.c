/* policy/quota.c for hours of virtual time: each scenario is pinned by what it must achieve.
 * Goodput is what was spent of what the quota allowed, in per cent; waste is refused calls per 100
 * answers. The first half minute does not count. */
#include "unit/quota_world.h"

#define HOUR 3600

struct goal {
    double goodput, waste;
    double jain; /* 0 = 0.99 */
};

static const struct goal KNOWN = {98, 1, 0}, LEARNED = {95, 2, 0};

static struct world *run(const struct scenario *scenario, bool is_known, struct goal goal)
{
    struct figures figures;
    struct world *world = simulate(scenario, is_known, &figures);
    assert_true(figures.goodput >= goal.goodput);
    assert_true(figures.waste <= goal.waste);
    assert_true(figures.jain >= (goal.jain > 0 ? goal.jain : 0.99));
    return world;
}

static void both(const struct scenario *scenario, struct goal known, struct goal learned)
{
    free(run(scenario, true, known));
    free(run(scenario, false, learned));
}

static void requests_are_spent_evenly(void **state)
{
    (void)state;
    both(&(struct scenario){.name = "requests, 40/s",
                            .rpm = 2400,
                            .workers = 1,
                            .seconds = HOUR,
                            .latency_ms = 3000},
         KNOWN, LEARNED);
    both(&(struct scenario){.name = "requests, 10/s",
                            .rpm = 600,
                            .workers = 1,
                            .seconds = 2 * HOUR,
                            .latency_ms = 3000},
         KNOWN, LEARNED);
}

static void tokens_are_spent_evenly_though_calls_reserve_far_more(void **state)
{
    (void)state;
    both(&(struct scenario){.name = "tokens",
                            .calls_per_second = 10,
                            .load = GENEROUS,
                            .workers = 1,
                            .seconds = 2 * HOUR,
                            .latency_ms = 1000},
         KNOWN, LEARNED);
}

static void calls_of_all_sizes_share_one_quota(void **state)
{
    (void)state;
    both(&(struct scenario){.name = "mixed",
                            .calls_per_second = 10,
                            .load = MIXED,
                            .workers = 1,
                            .seconds = 2 * HOUR,
                            .latency_ms = 1000},
         KNOWN, LEARNED);
}

static void the_depth_of_the_bucket_does_not_matter(void **state)
{
    (void)state;
    both(&(struct scenario){.name = "shallow",
                            .rpm = 600,
                            .window_s = 6,
                            .workers = 1,
                            .seconds = 2 * HOUR,
                            .latency_ms = 3000},
         KNOWN, LEARNED);
}

static void windows_are_spent_evenly(void **state)
{
    (void)state;
    both(&(struct scenario){.name = "windows",
                            .rpm = 600,
                            .has_windows = true,
                            .workers = 1,
                            .seconds = 2 * HOUR,
                            .latency_ms = 3000},
         KNOWN, (struct goal){90, 2, 0});
}

/* What is reserved at the end of a window is lacking in the next one. */
static void windows_with_large_reservations_waste_nothing(void **state)
{
    (void)state;
    both(&(struct scenario){.name = "windows, tokens",
                            .calls_per_second = 10,
                            .load = GENEROUS,
                            .has_windows = true,
                            .workers = 1,
                            .seconds = 2 * HOUR,
                            .latency_ms = 1000},
         (struct goal){90, 1, 0}, (struct goal){80, 2, 0});
}

static void a_small_quota_is_found_within_a_minute(void **state)
{
    (void)state;
    const struct scenario scenario = {
        .name = "60 a minute", .rpm = 60, .workers = 1, .seconds = 2 * HOUR, .latency_ms = 3000};
    free(run(&scenario, true, (struct goal){95, 2, 0}));
    struct world *world = run(&scenario, false, LEARNED);
    uint64_t begun = world->begun_by_minute[0], refused = world->refused_by_minute[0];
    /* The bucket is full at first, so the rate is far above the quota when it is empty. */
    assert_true(begun - refused >= 48 && refused * 8 <= begun);
    free(world);
}

static void a_tiny_quota_is_refused_at_most_once_a_minute(void **state)
{
    (void)state;
    for (int rpm = 6; rpm <= 12; rpm += 6) {
        const struct scenario scenario = {
            .name = "tiny", .rpm = rpm, .workers = 1, .seconds = 2 * HOUR, .latency_ms = 3000};
        free(run(&scenario, true, (struct goal){90, 10, 0}));
        struct world *world = run(&scenario, false, (struct goal){90, 10, 0});
        for (int minute = 2; minute < 120; minute++)
            assert_true(world->refused_by_minute[minute] <= 1);
        free(world);
    }
}

static void a_quota_that_is_halved_and_restored_is_followed(void **state)
{
    (void)state;
    static const double SECONDS[] = {[0] = 90, [1] = 45}; /* to find the restored quota */
    for (int i = 0; i < 2; i++) {
        const struct scenario scenario = {.name = i == 0 ? "halved, 10/s" : "halved, 40/s",
                                          .rpm = i == 0 ? 600 : 2400,
                                          .workers = 1,
                                          .seconds = HOUR,
                                          .latency_ms = 3000,
                                          .steps = {{1200, 0.5}, {2400, 1}}};
        for (int is_known = 0; is_known < 2; is_known++) {
            struct world *world =
                run(&scenario, is_known, is_known ? (struct goal){95, 1, 0} : LEARNED);
            assert_true(recovery(world, 1200) <= 20);
            assert_true(recovery(world, 2400) <= SECONDS[i]);
            free(world);
        }
    }
}

static void a_quota_that_is_doubled_without_notice_is_found(void **state)
{
    (void)state;
    static const double SECONDS[] = {[0] = 90, [1] = 45};
    for (int i = 0; i < 2; i++) {
        struct world *world =
            run(&(struct scenario){.name = i == 0 ? "doubled, 10/s" : "doubled, 40/s",
                                   .rpm = i == 0 ? 600 : 2400,
                                   .workers = 1,
                                   .seconds = HOUR,
                                   .latency_ms = 3000,
                                   .steps = {{1200, 2}}},
                false, LEARNED);
        assert_true(recovery(world, 1200) <= SECONDS[i]);
        free(world);
    }
}

static void a_competitor_gets_out_of_the_way_and_comes_back(void **state)
{
    (void)state;
    both(&(struct scenario){.name = "competitor",
                            .rpm = 600,
                            .workers = 1,
                            .seconds = HOUR,
                            .latency_ms = 3000,
                            .rival = {1200, 2400, 0.5}},
         (struct goal){95, 1, 0}, LEARNED);
}

static void an_outage_leaves_the_learned_rate_as_it_is(void **state)
{
    (void)state;
    const struct scenario scenario = {.name = "outage",
                                      .rpm = 2400,
                                      .workers = 1,
                                      .seconds = HOUR,
                                      .latency_ms = 500,
                                      .down = {1200, 1260}};
    for (int is_known = 0; is_known < 2; is_known++) {
        struct world *world = run(&scenario, is_known, is_known ? KNOWN : LEARNED);
        assert_true(recovery(world, 1260) <= 5);
        assert_true(world->down <= 30); /* probes, and the calls that were open */
        free(world);
    }
}

static void several_workers_share_a_quota_fairly(void **state)
{
    (void)state;
    both(&(struct scenario){.name = "four workers",
                            .rpm = 600,
                            .workers = 4,
                            .seconds = 2 * HOUR,
                            .latency_ms = 3000},
         KNOWN, LEARNED);
    both(&(struct scenario){.name = "eight workers",
                            .calls_per_second = 10,
                            .load = GENEROUS,
                            .workers = 8,
                            .seconds = 2 * HOUR,
                            .latency_ms = 1000},
         KNOWN, LEARNED);
}

static void the_only_worker_with_work_has_the_whole_quota(void **state)
{
    (void)state;
    both(&(struct scenario){.name = "one of four",
                            .rpm = 600,
                            .workers = 4,
                            .seconds = 2 * HOUR,
                            .latency_ms = 3000,
                            .shift_s = 900},
         (struct goal){95, 1, 0}, LEARNED);
}

static void a_day_that_is_spent_is_probed_once_a_minute(void **state)
{
    (void)state;
    const struct scenario scenario = {.name = "day",
                                      .calls_per_second = 10,
                                      .workers = 1,
                                      .seconds = HOUR,
                                      .latency_ms = 1000,
                                      .day = 2e6};
    for (int is_known = 0; is_known < 2; is_known++) {
        struct world *world = run(&scenario, is_known, (struct goal){0, 10, 0});
        uint64_t probes = 0;
        for (int minute = 20; minute < 59; minute++) {
            assert_true(world->begun_by_minute[minute] <= 1);
            probes += world->begun_by_minute[minute];
        }
        assert_true(probes >= 37); /* one a minute, and the time that its answer takes */
        assert_true(world->workers[0].quota.is_day_spent);
        free(world);
    }
}

static void no_minute_begins_more_than_a_known_quota_and_its_savings(void **state)
{
    (void)state;
    const struct scenario requests = {.name = "bound, requests",
                                      .rpm = 600,
                                      .workers = 4,
                                      .seconds = 2 * HOUR,
                                      .latency_ms = 3000,
                                      .shift_s = 300};
    struct world *world = run(&requests, true, (struct goal){90, 1, 0});
    for (int minute = 0; minute < 120; minute++)
        assert_true(world->begun_by_minute[minute] <= 600 * (60 + 50) / 60);
    free(world);
}

/* Answers from a minute to the end of an hour. */
static uint64_t answers_from(const struct world *world, int from)
{
    uint64_t answers = 0;
    for (int minute = from; minute < 60; minute++)
        answers += world->begun_by_minute[minute] - world->refused_by_minute[minute];
    return answers;
}

static uint64_t answers_until(const struct world *world, int to)
{
    return answers_from(world, 0) - answers_from(world, to);
}

static struct world *without_a_quota(double noise, int workers, uint64_t seed, int seconds)
{
    struct figures figures;
    return simulate(&(struct scenario){.name = "no quota",
                                       .workers = workers,
                                       .seconds = seconds,
                                       .latency_ms = 1000,
                                       .noise = noise,
                                       .slots = 64,
                                       .seed = seed},
                    false, &figures);
}

/* Without a quota only the slots limit the calls. */
static void refusals_at_random_do_not_slow_calls_down(void **state)
{
    (void)state;
    static const double SHARES[] = {0.01, 0.02, 0.05, 0.1, 0.2};
    struct world *calm = without_a_quota(0, 1, 1, HOUR);
    for (size_t i = 0; i < COUNT_OF(SHARES); i++) {
        struct world *world = without_a_quota(SHARES[i], 1, 1, HOUR);
        double share = world->workers[0].quota.noise.share;
        assert_true(answers_from(world, 2) * 100 >= answers_from(calm, 2) * 95);
        if (share > 0)
            assert_true(share > SHARES[i] / 3 && share < SHARES[i] * 3);
        free(world);
    }
    free(calm);
}

/* What is answered in two minutes, of ten targets each refusing one call of five at random. */
static void refusals_at_random_do_not_slow_a_start_down(void **state)
{
    (void)state;
    uint64_t answers = 0, wanted = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct world *calm = without_a_quota(0, 1, seed, 120);
        struct world *world = without_a_quota(0.2, 1, seed, 120);
        wanted += calm->begun_by_minute[0] + calm->begun_by_minute[1];
        answers += answers_until(world, 2);
        assert_true(answers_until(world, 2) >= 500);
        free(world);
        free(calm);
    }
    assert_true(answers * 100 >= wanted * 60);
}

/* Each finds the noise late, as the others' parts of a quota would look alike. */
static void refusals_at_random_do_not_stop_several_workers(void **state)
{
    (void)state;
    struct world *calm = without_a_quota(0, 4, 1, HOUR);
    struct world *world = without_a_quota(0.05, 4, 1, HOUR);
    assert_true(answers_from(world, 2) * 100 >= answers_from(calm, 2) * 90);
    free(world);
    free(calm);
}

static void a_quota_is_spent_though_some_calls_are_refused_at_random(void **state)
{
    (void)state;
    static const struct {
        double noise;
        struct goal known, learned;
    } CASES[] = {{0.05, {97, 6, 0}, {95, 9, 0}}, {0.2, {95, 27, 0}, {95, 35, 0}}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        both(&(struct scenario){.name = "noise, quota",
                                .rpm = 600,
                                .workers = 1,
                                .seconds = 2 * HOUR,
                                .latency_ms = 1000,
                                .noise = CASES[i].noise},
             CASES[i].known, CASES[i].learned);
}

/* What was learned while calls were refused at random is no excuse later. */
static void noise_ends_when_no_call_is_refused_at_random(void **state)
{
    (void)state;
    struct figures figures;
    struct world *world = simulate(&(struct scenario){.name = "noise for an hour",
                                                      .rpm = 600,
                                                      .workers = 1,
                                                      .seconds = 3 * HOUR,
                                                      .latency_ms = 1000,
                                                      .noise = 0.05,
                                                      .noise_s = HOUR},
                                   false, &figures);
    uint64_t begun = 0, refused = 0;
    for (int minute = 70; minute < 180; minute++) {
        begun += world->begun_by_minute[minute];
        refused += world->refused_by_minute[minute];
    }
    assert_true(world->workers[0].quota.noise.share == 0);
    assert_true(begun >= 110 * 570 && refused * 100 <= begun * 2);
    free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_spent_evenly),
        cmocka_unit_test(tokens_are_spent_evenly_though_calls_reserve_far_more),
        cmocka_unit_test(calls_of_all_sizes_share_one_quota),
        cmocka_unit_test(the_depth_of_the_bucket_does_not_matter),
        cmocka_unit_test(windows_are_spent_evenly),
        cmocka_unit_test(windows_with_large_reservations_waste_nothing),
        cmocka_unit_test(a_small_quota_is_found_within_a_minute),
        cmocka_unit_test(a_tiny_quota_is_refused_at_most_once_a_minute),
        cmocka_unit_test(a_quota_that_is_halved_and_restored_is_followed),
        cmocka_unit_test(a_quota_that_is_doubled_without_notice_is_found),
        cmocka_unit_test(a_competitor_gets_out_of_the_way_and_comes_back),
        cmocka_unit_test(an_outage_leaves_the_learned_rate_as_it_is),
        cmocka_unit_test(several_workers_share_a_quota_fairly),
        cmocka_unit_test(the_only_worker_with_work_has_the_whole_quota),
        cmocka_unit_test(a_day_that_is_spent_is_probed_once_a_minute),
        cmocka_unit_test(no_minute_begins_more_than_a_known_quota_and_its_savings),
        cmocka_unit_test(refusals_at_random_do_not_slow_calls_down),
        cmocka_unit_test(refusals_at_random_do_not_slow_a_start_down),
        cmocka_unit_test(refusals_at_random_do_not_stop_several_workers),
        cmocka_unit_test(a_quota_is_spent_though_some_calls_are_refused_at_random),
        cmocka_unit_test(noise_ends_when_no_call_is_refused_at_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
