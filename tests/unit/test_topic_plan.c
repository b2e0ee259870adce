/* What topics need, and when a topic that exists differs from it. */
#include "unit/settings_kit.h"

#include "app/client/topic_plan.h"

static const char *planned(const struct topic_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->properties[i].name, name) == 0)
            return plan->properties[i].value;
    return "";
}

static void records_have_the_sizes_of_the_settings(void **state)
{
    (void)state;
    struct reading *reading =
        read_text("delivery: {max_request_size: 1MiB}\nbedrock: {max_answer_size: 3MiB}\n");
    struct topic_plan plan;
    static const char *const BYTES[TOPIC_COUNT] = {
        [TOPIC_REQUESTS] = "1048576", [TOPIC_RESPONSES] = "3211264",    [TOPIC_CHUNKS] = "",
        [TOPIC_USAGE] = "",           [TOPIC_DEAD_LETTERS] = "1048576", [TOPIC_BUDGETS] = "",
    };
    for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
        topic_plan_make(&reading->settings, topic, SLICE("t"), 3, &plan);
        assert_string_equal(planned(&plan, "max.message.bytes"), BYTES[topic]);
        bool is_compacted = topic == TOPIC_BUDGETS;
        assert_string_equal(planned(&plan, "cleanup.policy"), is_compacted ? "compact" : "delete");
        assert_string_equal(planned(&plan, "segment.ms"), is_compacted ? "600000" : "");
        assert_int_equal(planned(&plan, "retention.ms")[0] == '\0', is_compacted);
        assert_string_equal(planned(&plan, "min.insync.replicas"), "2");
    }
    topic_plan_make_reply(&reading->settings, SLICE("replies.shop"), 1, &plan);
    assert_string_equal(planned(&plan, "max.message.bytes"), "3211264");
    assert_string_equal(planned(&plan, "min.insync.replicas"), "1");
    assert_string_equal(plan.path, "topics.reply_allowed");
    end(reading);
}

static void there_are_three_replicas_where_there_are_as_many_brokers(void **state)
{
    (void)state;
    assert_int_equal(topic_plan_replicas(0), 1);
    assert_int_equal(topic_plan_replicas(1), 1);
    assert_int_equal(topic_plan_replicas(2), 2);
    assert_int_equal(topic_plan_replicas(9), 3);
}

static void a_larger_limit_is_no_difference(void **state)
{
    (void)state;
    const struct topic_property size = {"max.message.bytes", "1000", TOPIC_AT_LEAST};
    assert_false(topic_property_differs(&size, "1000"));
    assert_false(topic_property_differs(&size, "1001"));
    assert_false(topic_property_differs(&size, "-1"));
    assert_true(topic_property_differs(&size, "999"));
    assert_true(topic_property_differs(&size, "many"));
    const struct topic_property age = {"retention.ms", "1000", TOPIC_EQUALS};
    assert_false(topic_property_differs(&age, "1000"));
    assert_true(topic_property_differs(&age, "1001"));
}

static void an_output_topic_must_not_be_compacted(void **state)
{
    (void)state;
    const struct topic_property policy = {"cleanup.policy", "delete", TOPIC_SERVES};
    assert_true(topic_property_differs(&policy, "compact"));
    assert_true(topic_property_differs(&policy, "compact,delete"));
    assert_false(topic_property_differs(&policy, "delete"));
}

static void the_topic_of_budgets_must_be_compacted(void **state)
{
    (void)state;
    const struct topic_property policy = {"cleanup.policy", "compact", TOPIC_SERVES};
    assert_true(topic_property_differs(&policy, "delete"));
    assert_false(topic_property_differs(&policy, "compact"));
    assert_false(topic_property_differs(&policy, "compact,delete"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_have_the_sizes_of_the_settings),
        cmocka_unit_test(there_are_three_replicas_where_there_are_as_many_brokers),
        cmocka_unit_test(a_larger_limit_is_no_difference),
        cmocka_unit_test(an_output_topic_must_not_be_compacted),
        cmocka_unit_test(the_topic_of_budgets_must_be_compacted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
