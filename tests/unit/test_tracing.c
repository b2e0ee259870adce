/* Where spans go, by settings and environment. */
#include "unit/unit.h"

#include <stdlib.h>

#include "app/settings/pairs.h"
#include "app/settings/tracing.h"

/* Pairs of name and value, ended by NULL. */
static const char *look_up(void *self, const char *name)
{
    const char *const *variables = self;
    for (size_t i = 0; variables[i] != NULL; i += 2)
        if (strcmp(variables[i], name) == 0)
            return variables[i + 1];
    return NULL;
}

static const char *get_nothing(void *self, const char *name)
{
    (void)self;
    (void)name;
    return NULL;
}

static void make(const char *text, const char *const *variables, struct tracing *ret_tracing)
{
    struct settings *settings = calloc(1, sizeof *settings);
    struct problems *problems = calloc(1, sizeof *problems);
    union {
        const char *const *from;
        void *to;
    } self = {.from = variables};
    assert_non_null(settings);
    assert_non_null(problems);
    struct settings_source source = {
        .text = slice_of_text(text), .file = "w.yaml", .environment = {.get = get_nothing}};
    assert_true(settings_read(settings, &source, problems));
    assert_true(tracing_make(ret_tracing, settings, SLICE("w-1"),
                             (struct environment){.get = look_up, .self = self.to}));
    settings_free(settings);
    free(settings);
    free(problems);
}

static const char *const NOTHING[] = {NULL};
static const char *const BOTH[] = {"OTEL_EXPORTER_OTLP_ENDPOINT",
                                   "http://otel:4318/base/",
                                   "OTEL_EXPORTER_OTLP_HEADERS",
                                   "a=1,b=x%20y",
                                   "LANGSMITH_TRACING",
                                   "true",
                                   "LANGSMITH_API_KEY",
                                   "key",
                                   NULL};
static const char *const LANGSMITH[] = {
    "LANGSMITH_TRACING", "true", "LANGSMITH_API_KEY", "key", "LANGSMITH_PROJECT", "p", NULL};

static void settings_win_over_otel_over_langsmith(void **state)
{
    (void)state;
    static struct tracing tracing;
    make("telemetry: {traces: {endpoint: 'http://c:1', headers: 'k=v'}}", BOTH, &tracing);
    assert_slice(tracing.url, "http://c:1/v1/traces");
    assert_slice(tracing.headers, "k: v\r\n");
    tracing_done(&tracing);
    make("{}", BOTH, &tracing);
    assert_slice(tracing.url, "http://otel:4318/base/v1/traces");
    assert_slice(tracing.headers, "a: 1\r\nb: x y\r\n");
    assert_false(tracing.spans.is_for_llm);
    tracing_done(&tracing);
    make("{}", LANGSMITH, &tracing);
    assert_slice(tracing.url, "https://api.smith.langchain.com/otel/v1/traces");
    assert_slice(tracing.headers, "x-api-key: key\r\nLangsmith-Project: p\r\n");
    assert_true(tracing.spans.is_for_llm);
    tracing_done(&tracing);
}

static void without_a_collector_nothing_is_traced(void **state)
{
    (void)state;
    static const char *const DISABLED[] = {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://otel:4318",
                                           "OTEL_SDK_DISABLED", "true", NULL};
    static struct tracing tracing;
    make("{}", NOTHING, &tracing);
    assert_false(tracing.is_on);
    tracing_done(&tracing);
    make("telemetry: {traces: {endpoint: 'off'}}", BOTH, &tracing);
    assert_false(tracing.is_on);
    tracing_done(&tracing);
    make("{}", DISABLED, &tracing);
    assert_false(tracing.is_on);
    tracing_done(&tracing);
}

static void wrong_variables_are_named_and_ignored(void **state)
{
    (void)state;
    static const char *const WRONG[] = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                                        "http://otel:4318/own",
                                        "OTEL_EXPORTER_OTLP_HEADERS",
                                        "a=1%0d%0ab",
                                        "OTEL_EXPORTER_OTLP_PROTOCOL",
                                        "grpc",
                                        "OTEL_TRACES_SAMPLER",
                                        "traceidratio",
                                        "OTEL_TRACES_SAMPLER_ARG",
                                        "2",
                                        NULL};
    static struct tracing tracing;
    make("{}", WRONG, &tracing);
    assert_slice(tracing.url, "http://otel:4318/own");
    assert_int_equal(tracing.headers.len, 0);
    assert_int_equal(tracing.ignored_count, 3);
    assert_string_equal(tracing.ignored[0].name, "OTEL_EXPORTER_OTLP_PROTOCOL");
    assert_string_equal(tracing.ignored[1].name, "OTEL_EXPORTER_OTLP_HEADERS");
    assert_string_equal(tracing.ignored[2].name, "OTEL_TRACES_SAMPLER_ARG");
    assert_true(tracing.spans.ratio == 1);
    tracing_done(&tracing);
}

static void the_resource_names_the_service(void **state)
{
    (void)state;
    static const char *const NAMED[] = {"OTEL_EXPORTER_OTLP_ENDPOINT",
                                        "http://otel:4318",
                                        "OTEL_RESOURCE_ATTRIBUTES",
                                        "service.name=a,x=%41",
                                        "OTEL_SERVICE_NAME",
                                        "b",
                                        NULL};
    static struct tracing tracing;
    make("telemetry: {traces: {sample: 0.25, content: true}}", NAMED, &tracing);
    assert_int_equal(tracing.spans.resource.count, 4);
    assert_string_equal(tracing.resource[0].name, "service.name");
    assert_slice(tracing.resource[0].text, "b");
    assert_slice(tracing.resource[1].text, "A");
    assert_true(tracing.spans.ratio == 0.25);
    assert_true(tracing.spans.prompts && tracing.spans.answers);
    tracing_done(&tracing);
}

static void a_ratio_is_from_0_to_1(void **state)
{
    (void)state;
    static const char *const WRONG[] = {"", "-0.1", "1.1", "2", ".", "0.", "a", "0.1x", "1e-3"};
    double ratio = 7;
    for (size_t i = 0; i < COUNT_OF(WRONG); i++)
        assert_false(pairs_read_ratio(slice_of_text(WRONG[i]), &ratio));
    assert_true(ratio == 7);
    assert_true(pairs_read_ratio(SLICE("0.5"), &ratio) && ratio == 0.5);
    assert_true(pairs_read_ratio(SLICE("0"), &ratio) && ratio == 0);
    assert_true(pairs_read_ratio(SLICE("1.0"), &ratio) && ratio == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_win_over_otel_over_langsmith),
        cmocka_unit_test(without_a_collector_nothing_is_traced),
        cmocka_unit_test(wrong_variables_are_named_and_ignored),
        cmocka_unit_test(the_resource_names_the_service),
        cmocka_unit_test(a_ratio_is_from_0_to_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
