/* bedrock-sim's settings: numbers and delays as people write them, YAML, the shipped script. */
#include "unit/unit.h"

#include <stdio.h>

#include "sim/settings.h"
#include "sim/sim.h"
#include "unit/torture.h"

static void durations_are_read_with_their_units(void **state)
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

static void draws_follow_their_distribution(void **state)
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

static void the_shipped_script_answers_the_examples_of_the_pages(void **state)
{
    (void)state;
    struct sim_config *config = sim_config_new();
    assert_non_null(config);
    assert_true(config->auth_required);
    assert_int_equal(config->key_count, 1);
    assert_int_equal(config->answer_count, 5);
    const struct sim_answer *french = &config->answers[0];
    assert_slice(french->text, "Voici la traduction en français :\n\nJ'aime la programmation.");
    assert_int_equal(french->pieces.count, 16);
    assert_int_equal(french->input_tokens, 29);
    assert_int_equal(french->output_tokens, 21);
    assert_int_equal(french->latency_ms, 672);
    assert_int_equal(french->stream_latency_ms, 713);
    assert_slice(config->answers[1].text, "Ich liebe Programmieren.");
    assert_int_equal(config->answers[1].input_tokens + config->answers[1].output_tokens, 34);
    assert_slice(config->answers[2].tool, "get_weather");
    assert_slice(config->answers[2].input, "{\"city\":\"Paris\"}");
    sim_config_free(config);
}

static void without_auth_keys_the_key_of_the_pages_is_accepted(void **state)
{
    (void)state;
    struct sim_config *config = sim_config_new();
    static const char *const TEXTS[] = {"", "port: 0\n", "auth: {required: true}\n"};
    assert_slice(config->keys[0].access_key_id, SIM_ACCESS_KEY_ID);
    assert_slice(config->keys[0].secret_access_key, SIM_SECRET_ACCESS_KEY);
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        assert_true(sim_config_read(config, slice_of_text(TEXTS[i]), "f"));
        assert_int_equal(config->key_count, 1);
        assert_slice(config->keys[0].access_key_id, SIM_ACCESS_KEY_ID);
        assert_slice(config->keys[0].secret_access_key, SIM_SECRET_ACCESS_KEY);
    }
    sim_config_free(config);
}

static void auth_keys_replace_the_key_of_the_pages(void **state)
{
    (void)state;
    struct sim_config *config = sim_config_new();
    assert_true(sim_config_read(
        config, SLICE("auth: {keys: [{access_key_id: A, secret_access_key: B}]}"), "f"));
    assert_int_equal(config->key_count, 1);
    assert_slice(config->keys[0].access_key_id, "A");
    assert_true(sim_config_read(config, SLICE("auth: {keys: []}"), "f"));
    assert_int_equal(config->key_count, 0);
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

static void a_settings_file_is_read_completely(void **state)
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
    struct sim_config *config = sim_config_new();
    assert_non_null(config);
    assert_true(sim_config_read(config, slice_of_text(TEXT), "test"));
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

static void assert_problems(struct sim_config *config, const char *text, const char *problems)
{
    struct buf words OWNED_BY(buf_done);
    buf_init(&words, PROBLEMS_BYTES_MAX);
    assert_int_equal(sim_config_read(config, slice_of_text(text), "f"), problems[0] == '\0');
    problems_add_text(&config->problems, &words);
    assert_string_equal(buf_text(&words), problems);
}

static void invalid_settings_are_rejected_with_place_and_remedy(void **state)
{
    (void)state;
    static const struct {
        const char *text, *problems;
    } BAD[] = {
        {"seed: x", "f:1:7: seed: 'x' is not a whole number\n"},
        {"port: 70000", "f:1:7: port: '70000' is outside of its limits; write 0 to 65535\n"},
        {"prt: 1\n", "f:1:1: prt: unknown setting; did you mean port?\n"},
        {"tag: {x: 1}\n", "f:1:7: tag.x: unknown setting; there are open, close\n"},
        {"seed: 1\nlatency: soon",
         "f:2:10: latency: 'soon' is not a delay such as 250ms, uniform(100ms, 300ms) or "
         "lognormal(800ms, 0.5)\n"},
        {"latency: 10", "f:1:10: latency: '10' has no unit; write 10s, or another unit of ms, s, "
                        "m, h and d\n"},
        {"ledger: {flush: 25h}", "f:1:17: ledger.flush: '25h' is outside of its limits; write 0 to "
                                 "1d\n"},
        {"faults: {throtling: 1}",
         "f:1:10: faults.throtling: unknown fault; did you mean throttling?\n"},
        {"faults: {nothing: 1}",
         "f:1:10: faults.nothing: unknown fault; `bedrock-sim --help` lists all\n"},
        {"faults: {stall: 2}", "f:1:17: faults.stall: '2' is not a rate from 0 to 1\n"},
        {"faults: {stall: [1]}", "f:1:17: faults.stall: is a list; write a rate from 0 to 1\n"},
        {"auth: {required: maybe}", "f:1:18: auth.required: 'maybe' is not true or false\n"},
        {"auth: {keys: [{access_key_id: A}]}",
         "f:1:15: auth.keys[0]: needs access_key_id and secret_access_key; add them\n"},
        {"auth: {keys: [{access_key_id: A, secret_access_key: {canary}}]}",
         "f:1:53: auth.keys[0].secret_access_key: is a map, because it begins with {; write a text "
         "in quotes: \"…\"\n"},
        {"rules: {}", "f:1:8: rules: is a map; write a list of maps such as [{name: value}]\n"},
        {"rules: [x]", "f:1:9: rules[0]: is a text; write `name: value` lines, or {name: value}\n"},
        {"rules: [{fault: none such}]", "f:1:17: rules[0].fault: unknown fault; `bedrock-sim "
                                        "--help` lists all\n"},
        {"rules: [{}, {rate: 0.1, rate: 0.2}]",
         "f:1:25: rules[1].rate: is there twice; keep one of them\n"},
        {"seed: 1\nseed: 2", "f:2:1: seed: is there twice; keep one of them\n"},
        {"rules: [{operation: stream}]",
         "f:1:21: rules[0].operation: 'stream' is not one of converse, converse-stream, invoke, "
         "invoke-with-response-stream, count-tokens\n"},
        {"answers: [{text: ab, pieces: [a]}]",
         "f:1:11: answers[0]: the pieces do not add up to the text; change one of them\n"},
        {"models: x", "f:1:9: models: is a text; write a list such as [a, b]\n"},
        {"models: [[x]]", "f:1:10: models: is a list; write a text, in quotes if it begins with "
                          "[\n"},
        {"- 1", "f:1:1: is a list; write `name: value` lines, or {name: value}\n"},
        {"a: [1", "f:2:1: invalid YAML: expected ',' or ']'; put in quotes what holds { } [ ] , or "
                  "': ': \"${NAME}\", or close the list; it begins at line 1, column 4\n"},
        {"port: x\nauth: {required: 1}\nrules: [{nth: 0}]\n",
         "f:1:7: port: 'x' is not a whole number\n"
         "f:2:18: auth.required: '1' is not true or false; write true\n"
         "f:3:15: rules[0].nth: '0' is outside of its limits; write 1 to 9000000000000000\n"},
    };
    struct sim_config *config = sim_config_new();
    assert_non_null(config);
    for (size_t i = 0; i < COUNT_OF(BAD); i++)
        assert_problems(config, BAD[i].text, BAD[i].problems);
    assert_problems(config, "", "");
    assert_problems(config, "auth:\ntag:\n", "");
    assert_int_equal(config->skew_max_ms, 300000);
    sim_config_free(config);
}

/* More entries than there is room for, in a list of texts and in a list of maps. */
static void a_list_over_its_limit_is_rejected(void **state)
{
    (void)state;
    static char text[64 * 1024];
    struct sim_config *config = sim_config_new();
    assert_non_null(config);
    size_t len = (size_t)snprintf(text, sizeof text, "models: [");
    for (size_t i = 0; i <= SIM_MODELS_MAX; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "m,");
    len += (size_t)snprintf(text + len, sizeof text - len, "]\nrules: [");
    for (size_t i = 0; i < SIM_RULES_MAX; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "{},");
    (void)snprintf(text + len, sizeof text - len, "{rate: x}]\n");
    assert_problems(config, text,
                    "f:1:9: models: has too many entries; at most 256\n"
                    "f:2:8: rules: has too many entries; at most 256\n");
    sim_config_free(config);
}

static void quotas_from_the_command_line_take_precedence(void **state)
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
    assert_int_equal(command("--check", "--quota-step=20s=0.5"), 0);
    assert_int_equal(command("--check", "--competitor=20s-1m=0.5"), 0);
    assert_int_equal(command("--help", "--version"), 0);
    static const char *const BAD[] = {"--fault=cut_stream",
                                      "--fault=none=1",
                                      "--fault=x=0.1",
                                      "--port=70000",
                                      "--throttle-rate=1.1",
                                      "--cut-rate=",
                                      "--latency=soon",
                                      "--quota=a=b",
                                      "--quota-step=20s",
                                      "--quota-step=20s=2",
                                      "--quota-step=soon=0.5",
                                      "--competitor=0.5",
                                      "--competitor=20s=0.5",
                                      "--competitor=60s-20s=0.5",
                                      "--competitor=20s-60s=1.5",
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

static void settings_survive_failed_allocations(void **state)
{
    (void)state;
    assert_true(torture(make_config, NULL) > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read_with_their_units),
        cmocka_unit_test(delays_are_fixed_even_or_lognormal),
        cmocka_unit_test(draws_follow_their_distribution),
        cmocka_unit_test(the_shipped_script_answers_the_examples_of_the_pages),
        cmocka_unit_test(without_auth_keys_the_key_of_the_pages_is_accepted),
        cmocka_unit_test(auth_keys_replace_the_key_of_the_pages),
        cmocka_unit_test(the_built_in_script_is_the_shipped_file),
        cmocka_unit_test(a_settings_file_is_read_completely),
        cmocka_unit_test(invalid_settings_are_rejected_with_place_and_remedy),
        cmocka_unit_test(a_list_over_its_limit_is_rejected),
        cmocka_unit_test(quotas_from_the_command_line_take_precedence),
        cmocka_unit_test(the_command_line_is_checked_before_anything_starts),
        cmocka_unit_test(settings_survive_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
