/* From settings and the environment to the configuration of io and the engine. */
#include "unit/unit.h"

#include <stdlib.h>

#include "app/assembly.h"

static const char *get_nothing(void *self, const char *name)
{
    (void)self;
    (void)name;
    return NULL;
}

static struct settings *read_settings(const char *text)
{
    struct settings *settings = calloc(1, sizeof *settings);
    struct problems *problems = calloc(1, sizeof *problems);
    assert_non_null(settings);
    assert_non_null(problems);
    struct settings_source source = {
        .text = slice_of_text(text), .file = "w.yaml", .environment = {get_nothing, NULL, NULL}};
    assert_true(settings_read(settings, &source, problems));
    free(problems);
    return settings;
}

/* The machine's own AWS environment must have no effect. */
static int forget_environment(void **state)
{
    static const char *const NAMES[] = {"AWS_REGION",    "AWS_DEFAULT_REGION",
                                        "AWS_PROFILE",   "AWS_ENDPOINT_URL",
                                        "AWS_CA_BUNDLE", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
                                        "HOME"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(NAMES); i++)
        unsetenv(NAMES[i]);
    setenv("AWS_CONFIG_FILE", "/dev/null", 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    return 0;
}

static struct assembly *assemble(struct settings *settings, bool expected, char *ret_words)
{
    struct assembly *assembly = calloc(1, sizeof *assembly);
    assert_non_null(assembly);
    if (assembly_make(settings, assembly, ret_words) != expected)
        fail_msg("%s", ret_words);
    return assembly;
}

static void end(struct assembly *assembly, struct settings *settings)
{
    assembly_done(assembly);
    free(assembly);
    settings_free(settings);
    free(settings);
}

static void settings_reach_engine_and_io(void **state)
{
    (void)state;
    char words[ASSEMBLY_REASON_MAX] = "";
    struct settings *settings =
        read_settings("kafka: {group_id: g, instance: '3', session_timeout: 20s}\n"
                      "delivery: {ordering: none, guarantee: at_least_once, max_in_flight: 7}\n"
                      "bedrock: {region: eu-west-1, endpoint_url: 'http://127.0.0.1:1/x'}\n");
    struct assembly *assembly = assemble(settings, true, words);
    assert_slice(assembly->engine.transactional_id, "g-3");
    assert_slice(assembly->engine.output.source, "/bedrock-worker/g");
    assert_slice(assembly->engine.region, "eu-west-1");
    assert_slice(assembly->engine.endpoint_url, "http://127.0.0.1:1/x");
    assert_int_equal(assembly->engine.ordering, ORDERING_NONE);
    assert_int_equal(assembly->engine.stall_ms, 10000);
    assert_int_equal(assembly->engine.heartbeat_ms, 3000);
    assert_int_equal(assembly->engine.keep_lost_ms, 600000);
    assert_int_equal(assembly->engine.max_in_flight, 7);
    assert_int_equal(assembly->io.http.max_in_flight, 7);
    assert_false(assembly->engine.exactly_once);
    assert_false(assembly->io.kafka.exactly_once);
    assert_slice(assembly->io.kafka.group_id, "g");
    assert_true(assembly->engine.send_dead_letters);
    assert_int_equal(assembly->engine.request_topic_count, 1);
    assert_slice(assembly->engine.request_topics[0], "bedrock.requests");
    end(assembly, settings);
}

static void the_environment_fills_in_what_the_settings_leave_out(void **state)
{
    (void)state;
    char words[ASSEMBLY_REASON_MAX] = "";
    setenv("AWS_REGION", "us-west-2", 1);
    setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:2", 1);
    struct settings *settings = read_settings("");
    struct assembly *assembly = assemble(settings, true, words);
    assert_slice(assembly->engine.region, "us-west-2");
    assert_slice(assembly->engine.endpoint_url, "http://127.0.0.1:2");
    end(assembly, settings);
    settings = read_settings("bedrock: {region: eu-west-1, fips: true}\n");
    assembly = assemble(settings, true, words);
    assert_slice(assembly->engine.region, "eu-west-1");
    assert_null(assembly->engine.endpoint_url.ptr);
    assert_true(assembly->engine.fips);
    end(assembly, settings);
}

static void a_worker_without_a_region_is_rejected_with_the_reason(void **state)
{
    (void)state;
    char words[ASSEMBLY_REASON_MAX] = "";
    struct settings *settings = read_settings("");
    struct assembly *assembly = assemble(settings, false, words);
    assert_non_null(strstr(words, "set bedrock.region"));
    end(assembly, settings);
    setenv("AWS_REGION", "not a region", 1);
    settings = read_settings("");
    assembly = assemble(settings, false, words);
    assert_non_null(strstr(words, "region"));
    end(assembly, settings);
}

static void processes_without_an_instance_have_different_names(void **state)
{
    (void)state;
    char words[ASSEMBLY_REASON_MAX] = "";
    struct settings *settings = read_settings("bedrock: {region: us-east-1}\n");
    struct assembly *one = assemble(settings, true, words);
    struct assembly *other = assemble(settings, true, words);
    assert_string_not_equal(one->transactional_id, other->transactional_id);
    assert_true(one->engine.seed != other->engine.seed);
    assembly_done(other);
    free(other);
    end(one, settings);
}

static void the_memory_bound_exceeds_the_sum_of_its_parts(void **state)
{
    (void)state;
    char words[ASSEMBLY_REASON_MAX] = "";
    struct memory_bound small, big;
    struct settings *settings = read_settings("bedrock: {region: us-east-1}\n"
                                              "delivery: {max_held_bytes: 64MiB}\n");
    struct assembly *assembly = assemble(settings, true, words);
    assembly_memory_bound(assembly, ASSEMBLY_PARTITIONS, &small);
    assert_true(small.held_bytes >= 64U << 20);
    assert_true(small.calls_bytes > 0 && small.kafka_bytes > 0);
    assert_true(small.total_bytes > small.held_bytes + small.calls_bytes + small.kafka_bytes);
    end(assembly, settings);
    settings = read_settings("bedrock: {region: us-east-1}\n"
                             "delivery: {max_held_bytes: 128MiB, max_in_flight: 512}\n");
    assembly = assemble(settings, true, words);
    assembly_memory_bound(assembly, ASSEMBLY_PARTITIONS, &big);
    assert_true(big.held_bytes - small.held_bytes >= 64U << 20);
    assert_true(big.calls_bytes > small.calls_bytes);
    end(assembly, settings);
}

static void the_memory_bound_grows_with_partitions_but_not_with_requests_of_each(void **state)
{
    (void)state;
    char words[ASSEMBLY_REASON_MAX] = "";
    struct memory_bound few, many;
    struct settings *settings = read_settings("bedrock: {region: us-east-1}\n");
    struct assembly *assembly = assemble(settings, true, words);
    assembly_memory_bound(assembly, 1, &few);
    assembly_memory_bound(assembly, 1001, &many);
    assert_true(many.held_bytes > few.held_bytes);
    assert_true(many.held_bytes - few.held_bytes < 1000 * 64 * 1024);
    assert_true(many.kafka_bytes > few.kafka_bytes);
    end(assembly, settings);
}

static void the_memory_bound_of_the_defaults_fits_two_gibibytes(void **state)
{
    (void)state;
    char words[ASSEMBLY_REASON_MAX] = "";
    struct memory_bound bound;
    struct settings *settings = read_settings("bedrock: {region: us-east-1}\n");
    struct assembly *assembly = assemble(settings, true, words);
    assembly_memory_bound(assembly, ASSEMBLY_PARTITIONS, &bound);
    assert_true(bound.total_bytes < 1900000000);
    end(assembly, settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(settings_reach_engine_and_io, forget_environment),
        cmocka_unit_test_setup(the_environment_fills_in_what_the_settings_leave_out,
                               forget_environment),
        cmocka_unit_test_setup(a_worker_without_a_region_is_rejected_with_the_reason,
                               forget_environment),
        cmocka_unit_test_setup(processes_without_an_instance_have_different_names,
                               forget_environment),
        cmocka_unit_test_setup(the_memory_bound_exceeds_the_sum_of_its_parts, forget_environment),
        cmocka_unit_test_setup(the_memory_bound_grows_with_partitions_but_not_with_requests_of_each,
                               forget_environment),
        cmocka_unit_test_setup(the_memory_bound_of_the_defaults_fits_two_gibibytes,
                               forget_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
