/* bedrock-sim's settings: numbers and delays as people write them, YAML, the shipped script. */
#include "unit/unit.h"

#include <stdio.h>

#include "sim/settings.h"
#include "sim/sim.h"
#include "unit/torture.h"

static void spans_are_read_with_their_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } GOOD[] = {{"0", 0},     {"250ms", 250},    {"1.5s", 1500},   {"2m", 120000},  {"1h", 3600000},
                {"0.5ms", 0}, {"24h", 86400000}, {"1d", 86400000}, {"1m30s", 90000}};
    static const char *const BAD[] = {"",    "5",   "ms",  "2d",    "1e3s", "-1s",
                                      "1s2", "25h", "1 s", "1..2s", "."};
    int64_t ms;
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        assert_true(span_read(slice_of_text(GOOD[i].text), false, &ms));
        assert_int_equal(ms, GOOD[i].ms);
    }
    for (size_t i = 0; i < COUNT_OF(BAD); i++)
        assert_false(span_read(slice_of_text(BAD[i]), false, &ms));
    assert_true(span_read(SLICE("-5m"), true, &ms));
    assert_int_equal(ms, -300000);
}

static void delays_are_fixed_even_or_lognormal(void **state)
{
    (void)state;
    struct delay delay;
    assert_true(delay_read(SLICE("20ms"), &delay));
    assert_int_equal(delay.kind, DELAY_FIXED);
    assert_int_equal(delay.from_ms, 20);
    assert_true(delay_read(SLICE("uniform(10ms, 30ms)"), &delay));
    assert_int_equal(delay.kind, DELAY_UNIFORM);
    assert_int_equal(delay.to_ms, 30);
    assert_true(delay_read(SLICE("lognormal(800ms, 0.5)"), &delay));
    assert_int_equal(delay.kind, DELAY_LOGNORMAL);
    assert_true(delay.sigma > 0.49 && delay.sigma < 0.51);
    static const char *const BAD[] = {"uniform(30ms, 10ms)", "uniform(1ms)",  "lognormal(1s, 9)",
                                      "lognormal(1s, -1)",   "normal(1s, 2)", "uniform(1ms, 2ms"};
    for (size_t i = 0; i < COUNT_OF(BAD); i++)
        assert_false(delay_read(slice_of_text(BAD[i]), &delay));
}

static void draws_keep_to_their_distribution(void **state)
{
    (void)state;
    struct random random;
    struct delay even = {DELAY_UNIFORM, 10, 20, 0};
    struct delay real = {DELAY_LOGNORMAL, 1000, 0, 0.5};
    int below = 0;
    bool seen[11] = {false};
    random_init(&random, 7);
    for (int i = 0; i < 10000; i++) {
        int64_t ms = delay_draw(&even, &random);
        assert_true(ms >= 10 && ms <= 20);
        seen[ms - 10] = true;
        below += delay_draw(&real, &random) < 1000 ? 1 : 0;
    }
    for (size_t i = 0; i < COUNT_OF(seen); i++)
        assert_true(seen[i]);
    assert_true(below > 4800 && below < 5200); /* 1000 is the median */
    struct delay unset = {DELAY_UNSET, 5, 5, 0};
    assert_int_equal(delay_draw(&unset, &random), 0);
}

static void the_shipped_script_answers_the_pages_cases(void **state)
{
    (void)state;
    struct sim_config *config = sim_config_new();
    assert_non_null(config);
    assert_true(config->auth_required);
    assert_int_equal(config->key_count, 1);
    assert_int_equal(config->answer_count, 2);
    const struct sim_answer *french = &config->answers[0];
    assert_slice(french->text, "Voici la traduction en français :\n\nJ'aime la programmation.");
    assert_int_equal(french->pieces.count, 16);
    assert_int_equal(french->input_tokens, 29);
    assert_int_equal(french->output_tokens, 21);
    assert_int_equal(french->latency_ms, 672);
    assert_int_equal(french->stream_latency_ms, 713);
    assert_slice(config->answers[1].text, "Ich liebe Programmieren.");
    assert_int_equal(config->answers[1].input_tokens + config->answers[1].output_tokens, 34);
    sim_config_free(config);
}

static void the_built_in_script_is_the_shipped_file(void **state)
{
    (void)state;
    static char text[16384];
    FILE *file = fopen(SOURCE_DIR "/config/sim.yaml", "re");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    assert_int_equal(len, SIM_SCRIPT_LEN);
    assert_memory_equal(text, SIM_SCRIPT, len);
}

static void a_file_of_settings_is_read_whole(void **state)
{
    (void)state;
    static const char TEXT[] =
        "seed: 42\nport: 9911\nlatency: lognormal(1s, 0.3)\nmodels: ['anthropic.*', m.x]\n"
        "auth: {required: yes, region: eu-west-1, clock_skew: -10m, keys: [{access_key_id: A,"
        " secret_access_key: B, session_token: C, expired: true}], bearer_tokens: [T]}\n"
        "faults: {throttling: 0.05, cut_stream: 1}\n"
        "quotas: [{model: 'a*', requests: 60, tokens: 1000, burst: 10s}]\n"
        "rules: [{prompt: foo, operation: converse-stream, nth: 3, times: 1, rate: 0.5,"
        " fault: stall, latency: 1s, after: 2, retry_after: 2s}]\n";
    char problem[SIM_PROBLEM_MAX];
    struct sim_config *config = sim_config_new();
    assert_non_null(config);
    assert_int_equal(sim_config_read(config, slice_of_text(TEXT), "test", problem), OK);
    assert_string_equal(problem, "");
    assert_int_equal(config->seed, 42);
    assert_int_equal(config->answer_count, 0);
    assert_int_equal(config->clock_skew_ms, -600000);
    assert_slice(config->keys[0].session_token, "C");
    assert_true(config->keys[0].expired);
    assert_slice(config->bearers.list[0], "T");
    assert_slice(config->models.list[1], "m.x");
    assert_true(config->fault_rates[FAULT_CUT_STREAM] > 0.99);
    assert_int_equal(config->quotas[0].burst_ms, 10000);
    const struct sim_rule *rule = &config->rules[0];
    assert_int_equal(rule->effect.fault, FAULT_STALL);
    assert_int_equal(rule->match.operation, OPERATION_CONVERSE_STREAM);
    assert_int_equal(rule->nth, 3);
    assert_int_equal(rule->every, SIM_UNSET);
    assert_int_equal(rule->effect.bytes, SIM_UNSET);
    assert_int_equal(rule->effect.retry_after_ms, 2000);
    sim_config_free(config);
}

static void wrong_settings_are_refused_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *problem;
    } BAD[] = {
        {"seed: x", "f:1:7: a whole number is wanted for `seed`"},
        {"port: 70000", "f:1:7: outside its limits: `port`"},
        {"a: 1\n", "f:1:1: unknown key `a`"},
        {"seed: 1\nlatency: soon",
         "f:2:10: 200ms, uniform(1ms, 2ms) or lognormal(1s, 0.5) is wanted for `latency`"},
        {"faults: {nothing: 1}", "f:1:10: no such fault; see --help"},
        {"faults: {stall: 2}", "f:1:17: a rate from 0 to 1 is wanted for `stall`"},
        {"auth: {required: maybe}", "f:1:18: true or false is wanted for `required`"},
        {"auth: {keys: [{access_key_id: A}]}",
         "f:1:1: an entry without access_key_id or secret_access_key in `auth.keys`"},
        {"rules: {}", "f:1:8: a list is wanted for `rules`"},
        {"rules: [{fault: none such}]", "f:1:17: no such fault; see --help:"},
        {"rules: [{rate: 0.1, rate: 0.2}]", "f:1:21: given twice: `rate`"},
        {"answers: [{text: ab, pieces: [a]}]",
         "f:1:1: an answer whose pieces do not add up to its text in `answers`"},
        {"models: x", "f:1:9: a list of texts is wanted for `models`"},
        {"- 1", "f:1:1: keys and values are wanted here"},
    };
    char problem[SIM_PROBLEM_MAX];
    struct sim_config *config = sim_config_new();
    assert_non_null(config);
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        assert_int_equal(sim_config_read(config, slice_of_text(BAD[i].text), "f", problem),
                         ERR_INVALID);
        assert_string_equal(problem, BAD[i].problem);
    }
    assert_int_equal(sim_config_read(config, SLICE("a: [1"), "f", problem), ERR_INVALID);
    assert_int_equal(strncmp(problem, "f:", 2), 0);
    assert_int_equal(sim_config_read(config, SLICE(""), "f", problem), OK);
    assert_int_equal(config->skew_max_ms, 300000);
    sim_config_free(config);
}

static void quotas_of_the_command_line_come_first(void **state)
{
    (void)state;
    struct sim_config *config = sim_config_new();
    assert_non_null(config);
    assert_true(sim_config_add_quota(config, SLICE("600/100000")));
    assert_true(sim_config_add_quota(config, SLICE("anthropic.*=60")));
    assert_int_equal(config->quota_count, 2);
    assert_slice(config->quotas[0].model, "anthropic.*");
    assert_int_equal(config->quotas[0].tokens, 0);
    assert_int_equal(config->quotas[1].tokens, 100000);
    assert_false(sim_config_add_quota(config, SLICE("many")));
    assert_false(sim_config_add_quota(config, SLICE("5/")));
    sim_config_free(config);
}

static int command(const char *first, const char *second)
{
    char words[3][64] = {"bedrock-sim"};
    char *argv[] = {words[0], words[1], words[2], NULL};
    (void)snprintf(words[1], sizeof words[1], "%s", first);
    (void)snprintf(words[2], sizeof words[2], "%s", second);
    return sim_command(3, argv);
}

static void the_command_line_is_checked_before_anything_starts(void **state)
{
    (void)state;
    assert_int_equal(command("--check", "--port=0"), 0);
    assert_int_equal(command("--check", "--fault=cut_stream=0.5"), 0);
    assert_int_equal(command("--help", "--version"), 0);
    static const char *const BAD[] = {"--fault=cut_stream",
                                      "--fault=none=1",
                                      "--fault=x=0.1",
                                      "--port=70000",
                                      "--throttle-rate=1.1",
                                      "--cut-rate=",
                                      "--latency=soon",
                                      "--quota=a=b",
                                      "--seed=-1",
                                      "--nothing",
                                      "more"};
    for (size_t i = 0; i < COUNT_OF(BAD); i++)
        assert_int_equal(command("--check", BAD[i]), 2);
    assert_int_equal(command("--check", "--config=/nonexistent"), 2);
}

static bool make_config(void *self)
{
    (void)self;
    struct sim_config *config = sim_config_new();
    sim_config_free(config);
    return config != NULL;
}

static void settings_survive_the_want_of_memory(void **state)
{
    (void)state;
    assert_true(torture(make_config, NULL) > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_read_with_their_units),
        cmocka_unit_test(delays_are_fixed_even_or_lognormal),
        cmocka_unit_test(draws_keep_to_their_distribution),
        cmocka_unit_test(the_shipped_script_answers_the_pages_cases),
        cmocka_unit_test(the_built_in_script_is_the_shipped_file),
        cmocka_unit_test(a_file_of_settings_is_read_whole),
        cmocka_unit_test(wrong_settings_are_refused_with_their_place),
        cmocka_unit_test(quotas_of_the_command_line_come_first),
        cmocka_unit_test(the_command_line_is_checked_before_anything_starts),
        cmocka_unit_test(settings_survive_the_want_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
