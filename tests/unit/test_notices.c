/* What is logged once for each model in a process. */
#include "unit/engine_kit.h"

static void send(struct kit *kit, int64_t offset, const char *more)
{
    kit_request(kit, 0, offset, NULL, more);
    kit_turn(kit);
    kit_answer(kit, offset);
    kit_settle(kit);
}

static void what_a_model_does_not_take_is_logged_once(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    send(kit, 0, "");
    assert_int_equal(kit->logged[LOG_FIELDS_UNSENT], 0);
    send(kit, 1, ",\"model\":\"anthropic.claude-opus-4-7\",\"temperature\":1,\"top_p\":1");
    assert_int_equal(kit->logged[LOG_FIELDS_UNSENT], 1);
    assert_non_null(
        strstr(kit->words[LOG_FIELDS_UNSENT],
               "leaves temperature, top_p out of requests to anthropic.claude-opus-4-7"));
    send(kit, 2, ",\"model\":\"anthropic.claude-opus-4-7\",\"temperature\":0,\"top_p\":0.5");
    assert_int_equal(kit->logged[LOG_FIELDS_UNSENT], 1);
    send(kit, 3, ",\"model\":\"anthropic.claude-opus-4-8\",\"temperature\":1");
    assert_int_equal(kit->logged[LOG_FIELDS_UNSENT], 2);
    kit_free(kit);
}

static void many_names_of_models_do_not_fill_the_log(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    for (int64_t offset = 0; offset < 2 * NOTICES_MAX; offset++) {
        char more[128];
        (void)snprintf(more, sizeof more, ",\"model\":\"a.b%d\",\"reasoning\":{\"effort\":\"low\"}",
                       (int)offset);
        send(kit, offset, more);
    }
    assert_int_equal(kit->logged[LOG_FIELDS_UNSENT], NOTICES_MAX);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_model_does_not_take_is_logged_once),
        cmocka_unit_test(many_names_of_models_do_not_fill_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
