#include "unit/unit.h"

#include "base/err.h"

static void success_has_no_remedy(void **state)
{
    (void)state;
    assert_int_equal(OK, 0);
    assert_int_equal(err_remedy(OK), DO_NOTHING);
    assert_string_equal(err_name(OK), "OK");
    assert_int_equal(err_retryable(OK), 0);
}

static void every_error_has_a_remedy_a_code_and_a_message(void **state)
{
    (void)state;
    for (enum err err = OK + 1; err < ERR_COUNT; err++) {
        assert_int_not_equal(err_remedy(err), DO_NOTHING);
        assert_true(strlen(err_name(err)) > 0);
        assert_true(strlen(err_words(err)) > 0);
        assert_true(err_retryable(err) == 0 || err_retryable(err) == 1);
        const char *code = err_code(err);
        assert_true(strlen(code) > 0);
        assert_int_equal(strspn(code, "abcdefghijklmnopqrstuvwxyz_"), strlen(code));
    }
}

/* The codes are read by clients: exactly the list of the records' contract. */
static void the_codes_are_the_published_ones(void **state)
{
    (void)state;
    static const char *const CODES[] = {
        "malformed",          "invalid",         "unsupported_field",
        "request_too_large",  "unknown_model",   "unknown_template",
        "template_variables", "expired",         "reply_topic_refused",
        "response_too_large", "abandoned",       "budget_spent",
        "throttled",          "timeout",         "unavailable",
        "broken_stream",      "rejected",        "context_overflow",
        "access_denied",      "model_not_found", "quota_exceeded",
        "model_error",        "credentials",     "internal",
    };
    bool used[COUNT_OF(CODES)] = {false};
    for (enum err err = OK + 1; err < ERR_COUNT; err++) {
        size_t i = 0;
        while (i < COUNT_OF(CODES) && strcmp(CODES[i], err_code(err)) != 0)
            i++;
        if (i == COUNT_OF(CODES))
            fail_msg("%s is not a published code", err_code(err));
        used[i] = true;
    }
    for (size_t i = 0; i < COUNT_OF(CODES); i++)
        if (!used[i])
            fail_msg("no error has the code %s", CODES[i]);
}

static void retryable_errors_say_so_to_clients(void **state)
{
    (void)state;
    for (enum err err = OK + 1; err < ERR_COUNT; err++) {
        enum remedy remedy = err_remedy(err);
        if (remedy == DO_RETRY || remedy == DO_RETRY_ONCE || remedy == DO_BACK_OFF ||
            remedy == DO_PACE)
            assert_int_equal(err_retryable(err), 1);
    }
    assert_int_equal(err_remedy(ERR_THROTTLED), DO_PACE);
    assert_int_equal(err_remedy(ERR_OVERLOADED), DO_BACK_OFF);
    assert_int_equal(err_remedy(ERR_REJECTED), DO_REJECT);
    assert_string_equal(err_code(ERR_THROTTLED), "throttled");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(success_has_no_remedy),
        cmocka_unit_test(every_error_has_a_remedy_a_code_and_a_message),
        cmocka_unit_test(the_codes_are_the_published_ones),
        cmocka_unit_test(retryable_errors_say_so_to_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
