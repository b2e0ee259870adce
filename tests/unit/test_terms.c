/* A change of the engine's configuration while requests are held. */
#include "unit/engine_kit.h"

#define OF_OLD ",\"model\":\"old\""
#define OF_NEW ",\"model\":\"new\""

static const struct model_alias old_aliases[] = {{.name = {"old", 3}, .id = {"m.old", 5}}};
static const struct model_alias new_aliases[] = {{.name = {"new", 3}, .id = {"m.new", 5}}};

static struct engine_config config_of(const struct model_alias *aliases)
{
    struct engine_config config = kit_config();
    config.catalog.aliases = aliases;
    config.catalog.alias_count = 1;
    return config;
}

static struct kit *kit_of_old(void)
{
    struct engine_config config = config_of(old_aliases);
    return kit_started(&config);
}

static uint32_t reload(struct kit *kit, const struct engine_config *config)
{
    uint32_t number = ENGINE_TERMS_MAX;
    assert_true(engine_reload(kit->engine, config, &number));
    assert_true(number < ENGINE_TERMS_MAX);
    return number;
}

static const char *url_of(struct kit *kit, int64_t offset)
{
    for (size_t i = kit->call_count; i > 0; i--)
        if (kit->calls[i - 1].offset == offset && kit->calls[i - 1].is_open)
            return kit->calls[i - 1].request->url.ptr;
    fail_msg("no open call");
    return "";
}

static void a_request_sees_the_aliases_of_its_time(void **state)
{
    (void)state;
    struct kit *kit = kit_of_old();
    struct engine_config config = config_of(new_aliases);
    kit_request(kit, 0, 0, NULL, OF_OLD);
    kit_turn(kit);
    (void)reload(kit, &config);
    kit_request(kit, 0, 1, NULL, OF_NEW);
    kit_turn(kit);
    assert_non_null(strstr(url_of(kit, 0), "m.old"));
    assert_non_null(strstr(url_of(kit, 1), "m.new"));
    kit_answer(kit, 0);
    kit_answer(kit, 1);
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"status\":\"ok\"");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 1), "\"status\":\"ok\"");
    kit_free(kit);
}

static void a_request_keeps_the_retries_of_its_time(void **state)
{
    (void)state;
    struct kit *kit = kit_of_old();
    struct engine_config config = config_of(old_aliases);
    config.retry.max_attempts = 1;
    kit_request(kit, 0, 0, NULL, OF_OLD);
    kit_turn(kit);
    (void)reload(kit, &config);
    kit_request(kit, 0, 1, NULL, OF_OLD);
    kit_turn(kit);
    kit_fail(kit, 0);
    kit_fail(kit, 1);
    kit_settle(kit);
    /* The later request has no second call; the earlier one waits for its. */
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"status\":\"error\"");
    struct engine_stats stats;
    engine_stats(kit->engine, &stats);
    assert_int_equal(stats.held, 1);
    kit_free(kit);
}

static void terms_are_used_until_their_last_request_is_committed(void **state)
{
    (void)state;
    struct kit *kit = kit_of_old();
    struct engine_config config = config_of(new_aliases);
    kit_request(kit, 0, 0, NULL, OF_OLD);
    kit_turn(kit);
    uint32_t number = reload(kit, &config);
    assert_true(engine_uses_terms(kit->engine, number));
    assert_true(engine_uses_terms(kit->engine, 0));
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_false(engine_uses_terms(kit->engine, 0));
    assert_true(engine_uses_terms(kit->engine, number));
    kit_free(kit);
}

static void terms_are_bounded_and_free_again(void **state)
{
    (void)state;
    struct kit *kit = kit_of_old();
    struct engine_config config = config_of(old_aliases);
    uint32_t number;
    for (int64_t i = 0; i < ENGINE_TERMS_MAX; i++) {
        kit_request(kit, 0, i, NULL, OF_OLD);
        kit_turn(kit);
        if (i + 1 < ENGINE_TERMS_MAX)
            (void)reload(kit, &config);
    }
    assert_false(engine_reload(kit->engine, &config, &number));
    kit_answer(kit, 3);
    kit_settle(kit);
    assert_int_equal(reload(kit, &config), 3);
    kit_free(kit);
}

static void the_commit_interval_changes_at_once(void **state)
{
    (void)state;
    struct kit *kit = kit_of_old();
    struct engine_config config = config_of(old_aliases);
    config.commit_interval_ms = 54321;
    (void)reload(kit, &config);
    assert_int_equal(kit->engine->config.commit_interval_ms, 54321);
    assert_ptr_equal(kit->engine->config.catalog.memo, &kit->engine->traits_memo);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_sees_the_aliases_of_its_time),
        cmocka_unit_test(a_request_keeps_the_retries_of_its_time),
        cmocka_unit_test(terms_are_used_until_their_last_request_is_committed),
        cmocka_unit_test(terms_are_bounded_and_free_again),
        cmocka_unit_test(the_commit_interval_changes_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
