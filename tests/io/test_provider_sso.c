/* The provider of keys for a login of IAM Identity Center (io/aws/providers/sso.c), in virtual
 * time.
 */
#include "io/search_kit.h"

/* By Python: sha1 of `corp` and of `https://x.awsapps.com/start`. */
#define SESSION_FILE ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json"
#define LEGACY_FILE  ".aws/sso/cache/" LEGACY_NAME ".json"
#define LEGACY_NAME  "3947de8b16688092197fa616c34e01335f21d256"
#define START        "https://x.awsapps.com/start"
#define SESSION                                                                                    \
    "[default]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = a b\n"          \
    "[sso-session corp]\nsso_start_url = " START "\nsso_region = us-east-1\n"
#define LEGACY                                                                                     \
    "[default]\nsso_account_id = 111122223333\nsso_role_name = r\nsso_start_url = " START          \
    "\nsso_region = cn-north-1\n"
#define LOGIN_UNTIL(at)                                                                            \
    "{\"startUrl\":\"" START "\",\"accessToken\":\"canary-a\",\"expiresAt\":\"" at "\","           \
    "\"clientId\":\"c\",\"clientSecret\":\"canary-s\",\"refreshToken\":\"canary-r\","              \
    "\"registrationExpiresAt\":\"2026-12-30T05:00:00Z\"}"
#define LOGIN      LOGIN_UNTIL("2026-11-30T06:00:00Z")
#define SOON_LOGIN LOGIN_UNTIL("2026-11-30T05:14:59Z")
#define OLD_LOGIN  LOGIN_UNTIL("2026-11-30T05:00:00Z")
#define KEYS                                                                                       \
    "{\"roleCredentials\":{\"accessKeyId\":\"ASIAS\",\"secretAccessKey\":\"canary\","              \
    "\"sessionToken\":\"canary-t\",\"expiration\":1796018400000}}"
#define RENEWED "{\"accessToken\":\"canary-b\",\"expiresIn\":3600,\"refreshToken\":\"canary-n\"}"

static struct kit *kit_of(const char *config, const char *login)
{
    struct kit *kit = kit_new();
    kit_write(kit, ".aws/config", config);
    kit_write(kit, SESSION_FILE, login);
    return kit;
}

static void a_profile_without_account_and_role_does_not_log_in(void **state)
{
    (void)state;
    struct kit *kit = kit_of("[default]\nsso_session = corp\nsso_start_url = x\n", LOGIN);
    kit_must_refuse(kit, provider_sso, ERR_NOT_FOUND, "has no sso_account_id");
    kit_free(kit);
}

static void the_portal_gives_keys_for_the_login_of_a_session(void **state)
{
    (void)state;
    struct kit *kit = kit_of(SESSION, LOGIN);
    kit_answer(kit, 200, KEYS);
    kit_must_find(kit, provider_sso, "ASIAS");
    assert_int_equal(kit->request_count, 1);
    assert_string_equal(kit->requests[0].url,
                        "https://portal.sso.us-east-1.amazonaws.com/federation/credentials?"
                        "role_name=a%20b&account_id=111122223333");
    assert_string_equal(kit->requests[0].headers, "x-amz-sso_bearer_token: canary-a\r\n");
    assert_false(kit->requests[0].is_direct);
    assert_int_equal(kit->keys.credentials.expires_wall_ms, KIT_WALL_MS + 3600000);
    kit_free(kit);
}

static void a_profile_without_a_session_is_named_by_its_start_url(void **state)
{
    (void)state;
    struct kit *kit = kit_of(LEGACY, LOGIN);
    kit_must_refuse(kit, provider_sso, ERR_NO_CREDENTIALS, LEGACY_NAME);
    kit_write(kit, LEGACY_FILE, LOGIN);
    kit_answer(kit, 200, KEYS);
    kit_must_find(kit, provider_sso, "ASIAS");
    assert_memory_equal(kit->requests[0].url, "https://portal.sso.cn-north-1.amazonaws.com.cn/",
                        47);
    kit_write(kit, LEGACY_FILE, OLD_LOGIN);
    kit_must_refuse(kit, provider_sso, ERR_NO_CREDENTIALS, "run aws sso login --profile default");
    assert_int_equal(kit->request_count, 0);
    kit_free(kit);
}

static void a_login_is_renewed_in_its_last_quarter_of_an_hour(void **state)
{
    (void)state;
    struct kit *kit = kit_of(SESSION, LOGIN_UNTIL("2026-11-30T05:15:00Z"));
    kit_answer(kit, 200, KEYS);
    kit_must_find(kit, provider_sso, "ASIAS");
    assert_int_equal(kit->request_count, 1);
    kit->answer_count = 0;
    kit_write(kit, SESSION_FILE, SOON_LOGIN);
    kit_answer(kit, 200, RENEWED);
    kit_answer(kit, 200, KEYS);
    kit_must_find(kit, provider_sso, "ASIAS");
    assert_int_equal(kit->request_count, 2);
    assert_string_equal(kit->requests[0].url, "https://oidc.us-east-1.amazonaws.com/token");
    assert_int_equal(kit->requests[0].method, HTTP_POST);
    assert_string_equal(kit->requests[0].body,
                        "{\"clientId\":\"c\",\"clientSecret\":\"canary-s\",\"grantType\":"
                        "\"refresh_token\",\"refreshToken\":\"canary-r\"}");
    assert_string_equal(kit->requests[1].headers, "x-amz-sso_bearer_token: canary-b\r\n");
    kit_free(kit);
}

static void a_renewed_login_is_written_back_for_its_owner(void **state)
{
    (void)state;
    struct stat stat_of_file;
    struct kit *kit = kit_of(SESSION, OLD_LOGIN);
    kit_answer(kit, 200, RENEWED);
    kit_answer(kit, 200, KEYS);
    kit_must_find(kit, provider_sso, "ASIAS");
    assert_string_equal(kit_read(kit, SESSION_FILE),
                        "{\"startUrl\":\"" START "\",\"clientId\":\"c\",\"clientSecret\":"
                        "\"canary-s\",\"registrationExpiresAt\":\"2026-12-30T05:00:00Z\","
                        "\"accessToken\":\"canary-b\",\"expiresAt\":\"2026-11-30T06:00:00Z\","
                        "\"refreshToken\":\"canary-n\"}");
    assert_int_equal(stat(kit_path(kit, SESSION_FILE), &stat_of_file), 0);
    assert_int_equal(stat_of_file.st_mode & 0777, 0600);
    kit_free(kit);
}

static void a_login_that_still_lives_is_used_when_it_cannot_be_renewed(void **state)
{
    (void)state;
    struct kit *kit = kit_of(SESSION, SOON_LOGIN);
    kit_answer(kit, 400, "{\"error\":\"invalid_grant\"}");
    kit_answer(kit, 200, KEYS);
    kit_must_find(kit, provider_sso, "ASIAS");
    assert_string_equal(kit->requests[1].headers, "x-amz-sso_bearer_token: canary-a\r\n");
    assert_string_equal(kit_read(kit, SESSION_FILE), SOON_LOGIN);
    kit_free(kit);
}

static void a_login_that_has_ended_and_is_not_renewed_says_why(void **state)
{
    (void)state;
    struct kit *kit = kit_of(SESSION, OLD_LOGIN);
    kit_answer(kit, 400, "{\"error\":\"canary\"}");
    kit_must_refuse(kit, provider_sso, ERR_NO_CREDENTIALS,
                    "has expired, and the SSO OIDC service answers 400 to its renewal; run aws sso "
                    "login --profile default");
    assert_int_equal(kit->request_count, 1);
    kit->answer_count = 0;
    kit_answer(kit, 200, "<html>canary</html>");
    kit_must_refuse(kit, provider_sso, ERR_NO_CREDENTIALS, "it is not valid JSON");
    kit_free(kit);
}

/* An answer that comes while another program writes the file. */
static struct kit *waiting;

static bool pause_and_write(void *self, int64_t ms)
{
    (void)self;
    waiting->wall_ms += ms;
    kit_write(waiting, SESSION_FILE, LOGIN_UNTIL("2026-11-30T07:00:00Z"));
    return true;
}

static void a_login_that_another_program_renews_is_taken(void **state)
{
    (void)state;
    struct kit *kit = kit_of(SESSION, OLD_LOGIN);
    waiting = kit;
    kit->ports.pause = pause_and_write;
    kit_answer(kit, 400, "{\"error\":\"invalid_grant\"}");
    kit_answer(kit, 200, KEYS);
    kit_must_find(kit, provider_sso, "ASIAS");
    kit_free(kit);
}

static void a_registration_that_has_ended_renews_nothing(void **state)
{
    (void)state;
    struct kit *kit = kit_of(SESSION, OLD_LOGIN);
    kit->wall_ms += INT64_C(31) * 24 * 3600 * 1000;
    kit_must_refuse(kit, provider_sso, ERR_NO_CREDENTIALS, "run aws sso login");
    assert_int_equal(kit->request_count, 0);
    kit_free(kit);
}

static void what_the_portal_refuses_is_named(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *part;
    } ROWS[] = {
        {401, "run aws sso login"},
        {403, "sso_account_id and sso_role_name"},
        {404, "sso_account_id and sso_role_name"},
        {302, "is there a proxy between?"},
        {503, "try again later"},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct kit *kit = kit_of(SESSION, LOGIN);
        kit_answer(kit, ROWS[i].status, "{\"message\":\"canary\"}");
        kit_must_refuse(kit, provider_sso, ERR_NO_CREDENTIALS, ROWS[i].part);
        kit_free(kit);
    }
}

static void a_token_that_would_make_another_header_is_not_sent(void **state)
{
    (void)state;
    struct kit *kit = kit_of(SESSION, "{\"accessToken\":\"canary\\r\\nX: y\",\"expiresAt\":"
                                      "\"2026-11-30T06:00:00Z\"}");
    kit_must_refuse(kit, provider_sso, ERR_NO_CREDENTIALS, "run aws sso login");
    assert_int_equal(kit->request_count, 0);
    kit_free(kit);
}

static void a_session_and_its_profile_agree(void **state)
{
    (void)state;
    static const struct {
        const char *config, *part;
    } ROWS[] = {
        {"[default]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = r\n",
         "the sso-session corp, which the config file does not have"},
        {"[default]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = r\n"
         "[sso-session corp]\nsso_region = us-east-1\n",
         "sso-session corp has no sso_start_url"},
        {"[default]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = r\nsso_region = x\n"
         "[sso-session corp]\nsso_region = us-east-1\nsso_start_url = u\n",
         "sso_region of profile default differs"},
        {"[default]\nsso_session = corp\nsso_account_id = 1\n"
         "[sso-session corp]\nsso_region = us-east-1\nsso_start_url = u\n",
         "has no sso_role_name"},
        {"[default]\nsso_account_id = 1\nsso_role_name = r\nsso_region = us-east-1\n",
         "has no sso_start_url"},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct kit *kit = kit_of(ROWS[i].config, LOGIN);
        kit_must_refuse(kit, provider_sso, ERR_NO_CREDENTIALS, ROWS[i].part);
        kit_free(kit);
    }
}

static void a_region_that_is_none_reaches_no_host(void **state)
{
    (void)state;
    struct kit *kit =
        kit_of("[default]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = r\n"
               "[sso-session corp]\nsso_region = a.evil.com/\nsso_start_url = u\n",
               LOGIN);
    kit_must_refuse(kit, provider_sso, ERR_NO_CREDENTIALS, "is not a region");
    assert_int_equal(kit->request_count, 0);
    kit_free(kit);
}

static void a_search_that_is_cancelled_ends(void **state)
{
    (void)state;
    struct kit *kit = kit_of(SESSION, OLD_LOGIN);
    kit_fail(kit, ERR_TIMEOUT);
    kit->is_cancelled = true;
    assert_int_equal(kit_find(kit, provider_sso), ERR_CANCELLED);
    assert_int_equal(kit->request_count, 1);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_profile_without_account_and_role_does_not_log_in),
        cmocka_unit_test(the_portal_gives_keys_for_the_login_of_a_session),
        cmocka_unit_test(a_profile_without_a_session_is_named_by_its_start_url),
        cmocka_unit_test(a_login_is_renewed_in_its_last_quarter_of_an_hour),
        cmocka_unit_test(a_renewed_login_is_written_back_for_its_owner),
        cmocka_unit_test(a_login_that_still_lives_is_used_when_it_cannot_be_renewed),
        cmocka_unit_test(a_login_that_has_ended_and_is_not_renewed_says_why),
        cmocka_unit_test(a_login_that_another_program_renews_is_taken),
        cmocka_unit_test(a_registration_that_has_ended_renews_nothing),
        cmocka_unit_test(what_the_portal_refuses_is_named),
        cmocka_unit_test(a_token_that_would_make_another_header_is_not_sent),
        cmocka_unit_test(a_session_and_its_profile_agree),
        cmocka_unit_test(a_region_that_is_none_reaches_no_host),
        cmocka_unit_test(a_search_that_is_cancelled_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
