/* What differs between two readings of the settings, and which changes reload. */
#include "unit/settings_kit.h"

static void assert_changes(const char *from, const char *to, const char *reload,
                           const char *restart)
{
    struct reading *before = read_text(from), *after = read_text(to);
    struct buf names OWNED_BY(buf_done);
    buf_init(&names, 4096);
    assert_good(before);
    assert_good(after);
    (void)settings_add_changes(&before->settings, &after->settings, true, &names);
    assert_buf(&names, reload);
    buf_reset(&names);
    (void)settings_add_changes(&before->settings, &after->settings, false, &names);
    assert_buf(&names, restart);
    end(before);
    end(after);
}

static void equal_values_in_other_words_are_no_change(void **state)
{
    (void)state;
    assert_changes("", "", "", "");
    assert_changes("delivery: {commit_interval: 1s}", "delivery:\n  commit_interval: 1000ms\n", "",
                   "");
    assert_changes("delivery: {commit_interval: 100ms}", "# as the default\n", "", "");
    assert_changes("delivery: {max_in_flight: 12}", "delivery: {max_in_flight: '${CALLS}'}", "",
                   "");
    assert_changes("topics: {requests: [a, b]}", "topics:\n  requests:\n    - a\n    - b\n", "",
                   "");
}

static void a_change_is_named_by_its_setting(void **state)
{
    (void)state;
    assert_changes("", "bedrock: {retry: {max_attempts: 7}, timeouts: {idle: 7s}}",
                   "bedrock.timeouts.idle, bedrock.retry.max_attempts", "");
    assert_changes("", "telemetry: {log: {level: debug, format: json}}",
                   "telemetry.log.level, telemetry.log.format", "");
    assert_changes("delivery: {dead_letters: true}", "delivery: {dead_letters: false}", "",
                   "delivery.dead_letters");
    assert_changes("", "bedrock: {region: eu-west-1}", "", "bedrock.region");
}

static void lists_and_maps_are_compared_as_a_whole(void **state)
{
    (void)state;
    assert_changes("topics: {echo_headers: [a]}", "topics: {echo_headers: [a, b]}",
                   "topics.echo_headers", "");
    assert_changes("topics: {echo_headers: [ab, c]}", "topics: {echo_headers: [a, bc]}",
                   "topics.echo_headers", "");
    assert_changes("models: {aliases: {a: {id: m.a}}}", "models: {aliases: {b: {id: m.a}}}",
                   "models.aliases", "");
    assert_changes("models: {aliases: {a: {id: m.a, defaults: {stop: [x]}}}}",
                   "models: {aliases: {a: {id: m.a, defaults: {stop: [y]}}}}", "models.aliases",
                   "");
    assert_changes("models: {aliases: {a: {id: m.a, defaults: {max_tokens: 1}}}}",
                   "models: {aliases: {a: {id: m.a, defaults: {top_k: 1}}}}", "models.aliases", "");
}

static void a_changed_template_or_property_is_seen(void **state)
{
    (void)state;
    assert_changes("templates: {t: [[human, 'a {x}']]}", "templates: {t: [[human, 'b {x}']]}",
                   "templates", "");
    assert_changes("kafka: {client: {client.id: a}}", "kafka: {client: {client.id: b}}", "",
                   "kafka.client");
    assert_changes("kafka: {client: {client.id: '${SECRET}'}}", "kafka: {client: {client.id: a}}",
                   "", "kafka.client");
}

static void a_changed_quota_is_seen(void **state)
{
    (void)state;
    assert_changes("quotas: [{model: a.b, tokens_per_minute: 1}]",
                   "quotas: [{model: a.b, tokens_per_minute: 2}]", "quotas", "");
    assert_changes("quotas: [{model: a.b, tokens_per_minute: 1, share: 100%}]",
                   "quotas: [{model: a.b, tokens_per_minute: 1, share: 50%}]", "quotas", "");
}

static void a_changed_tenant_is_seen(void **state)
{
    (void)state;
    assert_changes("tenants: {a: {weight: 1}}", "tenants: {a: {weight: 2}}", "tenants", "");
    assert_changes("tenants: {a: {weight: 2}, b*: {weight: 3}}",
                   "tenants: {b*: {weight: 3}, a: {weight: 2}}", "tenants", "");
}

static void the_page_says_what_reloads(void **state)
{
    (void)state;
    struct buf page OWNED_BY(buf_done);
    buf_init(&page, TEXT_BYTES_MAX);
    settings_add_reference(&page);
    const char *aliases = strstr(buf_text(&page), "  models.aliases\n");
    const char *held = strstr(buf_text(&page), "  delivery.max_held\n");
    assert_non_null(aliases);
    assert_non_null(held);
    assert_true(strstr(aliases, "; reloads\n") < strstr(aliases, "needs a restart"));
    assert_true(strstr(held, "needs a restart\n") < strstr(held, "; reloads\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_values_in_other_words_are_no_change),
        cmocka_unit_test(a_change_is_named_by_its_setting),
        cmocka_unit_test(lists_and_maps_are_compared_as_a_whole),
        cmocka_unit_test(a_changed_template_or_property_is_seen),
        cmocka_unit_test(a_changed_quota_is_seen),
        cmocka_unit_test(a_changed_tenant_is_seen),
        cmocka_unit_test(the_page_says_what_reloads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
