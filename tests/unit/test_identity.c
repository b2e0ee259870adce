/* engine/identity.c and engine/refusal.c: as whom calls are signed, and credentials that are
 * refused. */
#include "unit/engine_kit.h"

#define MODEL_A ",\"model\":\"m.a\""

static void request_of(struct kit *kit, int64_t offset, const char *model)
{
    char value[256];
    (void)snprintf(value, sizeof value, "{\"messages\":[[\"human\",\"[[%lld]] hi\"]]%s}",
                   (long long)offset, model);
    kit_record(kit, 0, offset, NULL, value);
}

static size_t open_in(const struct kit *kit, int64_t from, int64_t to)
{
    size_t open = 0;
    for (size_t i = 0; i < kit->call_count; i++)
        open += kit->calls[i].is_open && kit->calls[i].offset >= from && kit->calls[i].offset < to;
    return open;
}

static const char OLD_HEAD[] = "x-amzn-errortype: ExpiredTokenException\r\n";

static void credentials_are(struct kit *kit, const char *access_key_id)
{
    struct credentials credentials = {.access_key_id = slice_of_text(access_key_id),
                                      .secret_access_key = SLICE("secret"),
                                      .expires_wall_ms = INT64_MAX};
    engine_credentials(kit->engine, 0, &credentials, SLICE(""));
}

/* The credentials changed before the rejection came, or during the wait: the request does not
 * fail, and nothing counts as an attempt of its own. */
static void requests_wait_until_refused_credentials_are_replaced(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    kit_assign(kit, 0);
    request_of(kit, 0, MODEL_A);
    request_of(kit, 1, MODEL_A);
    kit_turn(kit);
    kit_answer_with(kit, 1, 403, OLD_HEAD, "{}"); /* nothing changed since */
    assert_int_equal(kit->refreshes, 1);
    assert_int_equal(kit->logged[LOG_CREDENTIALS_REFUSED], 1);
    assert_int_equal(kit->logged[LOG_TARGET_FAILING], 0);
    request_of(kit, 2, MODEL_A);
    for (int second = 0; second < 9; second++) {
        kit_wait(kit, 1000);
        credentials_are(kit, "AKID"); /* the same as before */
        assert_int_equal(open_in(kit, 1, 3), 0);
    }
    credentials_are(kit, "AKNEW");
    kit_answer_with(kit, 0, 403, OLD_HEAD, "{}"); /* was signed with the old ones */
    kit_wait(kit, 1000);
    assert_int_equal(kit->refreshes, 1);
    assert_int_equal(open_in(kit, 0, 3), 3);
    for (int64_t offset = 0; offset < 3; offset++)
        kit_answer(kit, offset);
    if (kit->has_batch)
        kit_commit(kit);
    kit_settle(kit);
    for (int64_t offset = 0; offset < 3; offset++)
        assert_says(kit_output(kit, OUTPUT_RESPONSE, (size_t)offset), "\"status\":\"ok\"");
    kit_free(kit);
}

static void refused_credentials_end_a_request_at_its_time_limit_only(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    kit_assign(kit, 0);
    request_of(kit, 0, MODEL_A);
    request_of(kit, 1, MODEL_A ",\"ttl_ms\":15000");
    kit_turn(kit);
    kit_answer_with(kit, 0, 403, OLD_HEAD, "{}");
    kit_answer_with(kit, 1, 403, OLD_HEAD, "{}");
    kit_wait(kit, 16000);
    assert_int_equal(kit->engine->stats.failed, 1);
    for (int second = 16; second < 58; second++) {
        kit_wait(kit, 1000);
        if (open_in(kit, 0, 1) == 1)
            kit_answer_with(kit, 0, 403, OLD_HEAD, "{}");
    }
    assert_int_equal(kit->engine->stats.failed, 1);
    assert_int_equal(kit->logged[LOG_CREDENTIALS_REFUSED], 1);
    for (int second = 58; second < 62; second++) {
        kit_wait(kit, 1000);
        if (open_in(kit, 0, 1) == 1)
            kit_answer_with(kit, 0, 403, OLD_HEAD, "{}");
    }
    if (kit->has_batch)
        kit_commit(kit);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 2);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"expired\"");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 1), "\"code\":\"credentials\"");
    kit_free(kit);
}

/* One call each half minute, of one request: with the same credentials the service may accept it.
 */
static void refused_credentials_are_tried_at_times(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    kit_assign(kit, 0);
    for (int64_t offset = 0; offset < 3; offset++)
        request_of(kit, offset, MODEL_A);
    kit_turn(kit);
    for (int64_t offset = 0; offset < 3; offset++)
        kit_answer_with(kit, offset, 403, OLD_HEAD, "{}");
    kit_wait(kit, 29000);
    assert_int_equal(open_in(kit, 0, 3), 0);
    kit_wait(kit, 1000);
    assert_int_equal(open_in(kit, 0, 3), 1);
    for (int64_t offset = 0; offset < 3; offset++) {
        if (open_in(kit, offset, offset + 1) == 1) {
            kit_answer(kit, offset);
            break;
        }
    }
    kit_wait(kit, 1);
    assert_int_equal(kit->logged[LOG_CREDENTIALS_ACCEPTED], 1);
    assert_int_equal(open_in(kit, 0, 3), 2);
    kit_free(kit);
}

static const char WRONG_HEAD[] = "x-amzn-errortype: InvalidSignatureException\r\n";

static void a_wrong_signature_refuses_keys_that_never_were_accepted(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    kit_assign(kit, 0);
    request_of(kit, 0, MODEL_A);
    kit_turn(kit);
    kit_answer_with(kit, 0, 403, WRONG_HEAD, "{}");
    kit_wait(kit, 1000);
    assert_int_equal(kit->engine->stats.failed, 0);
    assert_int_equal(kit->logged[LOG_CREDENTIALS_REFUSED], 1);
    credentials_are(kit, "AKNEW");
    kit_turn(kit);
    assert_int_equal(open_in(kit, 0, 1), 1);
    kit_answer(kit, 0);
    request_of(kit, 1, MODEL_A);
    request_of(kit, 2, MODEL_A);
    kit_turn(kit);
    kit_answer_with(kit, 1, 403, WRONG_HEAD, "{}"); /* AKNEW was accepted: it is the request's */
    kit_turn(kit);
    assert_int_equal(open_in(kit, 2, 3), 1);
    assert_int_equal(kit->engine->stats.failed, 1);
    kit_free(kit);
}

/* An alias that is called as the identity 1, which has no credentials yet. */
static struct kit *kit_with_two_identities(void)
{
    static const struct model_alias ALIAS = {.name = {"other", 5}, .id = {"m.a", 3}, .identity = 1};
    struct engine_config config = kit_config();
    config.identity_count = 2;
    config.catalog.aliases = &ALIAS;
    config.catalog.alias_count = 1;
    return kit_new(&config);
}

#define MODEL_OTHER ",\"model\":\"other\""

static void others_credentials_are(struct kit *kit, const char *access_key_id)
{
    struct credentials credentials = {.access_key_id = slice_of_text(access_key_id),
                                      .secret_access_key = SLICE("secret"),
                                      .expires_wall_ms = INT64_MAX};
    engine_credentials(kit->engine, 1, &credentials, SLICE(""));
}

/* The same model: what is called differs only by who calls it. */
static void an_identity_without_credentials_stops_only_its_own_targets(void **state)
{
    (void)state;
    struct kit *kit = kit_with_two_identities();
    kit_assign(kit, 0);
    engine_credentials(kit->engine, 1, NULL, SLICE("there is no profile"));
    request_of(kit, 0, MODEL_OTHER);
    request_of(kit, 1, MODEL_A);
    kit_turn(kit);
    assert_int_equal(open_in(kit, 0, 1), 0);
    assert_int_equal(open_in(kit, 1, 2), 1);
    others_credentials_are(kit, "AKOTHER");
    kit_turn(kit);
    assert_int_equal(open_in(kit, 0, 1), 1);
    kit_answer(kit, 0);
    kit_answer(kit, 1);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 2);
    kit_free(kit);
}

static void new_credentials_release_only_requests_of_their_identity(void **state)
{
    (void)state;
    struct kit *kit = kit_with_two_identities();
    others_credentials_are(kit, "AKOTHER");
    kit_assign(kit, 0);
    request_of(kit, 0, MODEL_OTHER);
    kit_turn(kit);
    credentials_are(kit, "AKNEW");
    kit_answer_with(kit, 0, 403, OLD_HEAD, "{}"); /* waits for news of its own identity */
    kit_wait(kit, 1000);
    assert_int_equal(open_in(kit, 0, 1), 0);
    others_credentials_are(kit, "AKOTHER2");
    kit_wait(kit, 1000);
    assert_int_equal(open_in(kit, 0, 1), 1);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"status\":\"ok\"");
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_wait_until_refused_credentials_are_replaced),
        cmocka_unit_test(refused_credentials_end_a_request_at_its_time_limit_only),
        cmocka_unit_test(refused_credentials_are_tried_at_times),
        cmocka_unit_test(a_wrong_signature_refuses_keys_that_never_were_accepted),
        cmocka_unit_test(an_identity_without_credentials_stops_only_its_own_targets),
        cmocka_unit_test(new_credentials_release_only_requests_of_their_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
