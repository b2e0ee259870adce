/* The provider of keys for a session of `aws login` (io/aws/providers/login.c), in virtual time. */
#include "io/search_kit.h"

/* By Python: the sha256 of `arn:me`. */
#define NAME      "545571cfa93b7f589504ef846805e040f577bbf468827bf924b3b42c243ad70d"
#define FILE_NAME ".aws/login/cache/" NAME ".json"
#define CONFIG    "[default]\nlogin_session = arn:me\nregion = eu-west-1\n"
#define PEM                                                                                        \
    "-----BEGIN EC PRIVATE KEY-----\\n"                                                            \
    "MHcCAQEEIAAAAAAAAAAAEjRWeJCrze8SNFZ4kKvN7xI0VniQq83voAoGCCqGSM49\\n"                          \
    "AwEHoUQDQgAEcNoCzyOJM488bjKBVHt5l/ZLeJVc0MznCQTwJlkzXa2vw96gkOu6\\n"                          \
    "Sd+a4YJAuf9SNLVeTTvyRVkB9PQrdF6zRA==\\n"                                                      \
    "-----END EC PRIVATE KEY-----\\n"
#define LOGIN(at, key, more)                                                                       \
    "{\"accessToken\":{\"accessKeyId\":\"ASIAL\",\"secretAccessKey\":\"canary\","                  \
    "\"sessionToken\":\"canary-t\",\"accountId\":\"1\",\"expiresAt\":\"" at "\"},"                 \
    "\"refreshToken\":\"canary-r\",\"clientId\":\"c\"," more "\"dpopKey\":\"" key "\"}"
#define FRESH LOGIN("2026-11-30T05:05:01Z", PEM, "")
#define OLD   LOGIN("2026-11-30T05:05:00Z", PEM, "")
#define RENEWED                                                                                    \
    "{\"accessToken\":{\"accessKeyId\":\"ASIAN\",\"secretAccessKey\":\"canary2\","                 \
    "\"sessionToken\":\"canary-u\"},\"tokenType\":\"aws_sigv4\",\"expiresIn\":900,"                \
    "\"refreshToken\":\"canary-n\"}"

static struct kit *kit_of(const char *login)
{
    struct kit *kit = kit_new();
    kit_write(kit, ".aws/config", CONFIG);
    kit_write(kit, FILE_NAME, login);
    return kit;
}

static void a_profile_without_a_session_has_none(void **state)
{
    (void)state;
    struct kit *kit = kit_new();
    kit_must_refuse(kit, provider_login, ERR_NOT_FOUND, "has no login_session");
    kit_free(kit);
}

static void keys_are_used_until_five_minutes_before_their_end(void **state)
{
    (void)state;
    struct kit *kit = kit_of(FRESH);
    kit_must_find(kit, provider_login, "ASIAL");
    assert_int_equal(kit->request_count, 0);
    assert_int_equal(kit->keys.credentials.expires_wall_ms, KIT_WALL_MS + 301000);
    kit_free(kit);
}

static void old_keys_are_renewed_with_a_proof_and_written_back(void **state)
{
    (void)state;
    struct stat stat_of_file;
    struct kit *kit = kit_of(OLD);
    kit_answer(kit, 200, RENEWED);
    kit_must_find(kit, provider_login, "ASIAN");
    assert_int_equal(kit->request_count, 1);
    assert_string_equal(kit->requests[0].url, "https://eu-west-1.signin.aws.amazon.com/v1/token");
    assert_string_equal(kit->requests[0].body, "{\"clientId\":\"c\",\"grantType\":"
                                               "\"refresh_token\",\"refreshToken\":\"canary-r\"}");
    /* {"typ":"dpop+jwt","alg":"ES256","jwk":… */
    assert_non_null(strstr(kit->requests[0].headers,
                           "DPoP: eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7"));
    assert_non_null(strstr(kit->requests[0].headers, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(kit_read(kit, FILE_NAME), "\"accessKeyId\":\"ASIAN\""));
    assert_non_null(strstr(kit_read(kit, FILE_NAME), "\"expiresAt\":\"2026-11-30T05:15:00Z\""));
    assert_non_null(strstr(kit_read(kit, FILE_NAME), "\"refreshToken\":\"canary-n\""));
    assert_int_equal(stat(kit_path(kit, FILE_NAME), &stat_of_file), 0);
    assert_int_equal(stat_of_file.st_mode & 0777, 0600);
    kit_free(kit);
}

static void each_request_has_another_proof(void **state)
{
    (void)state;
    struct kit *kit = kit_of(OLD);
    kit_answer(kit, 500, "canary");
    kit_answer(kit, 200, RENEWED);
    kit_must_find(kit, provider_login, "ASIAN");
    assert_int_equal(kit->request_count, 2);
    /* Signatures differ anyway; what is signed must. */
    for (size_t i = 0; i < 2; i++)
        *strrchr(kit->requests[i].headers, '.') = '\0';
    assert_string_not_equal(kit->requests[0].headers, kit->requests[1].headers);
    kit_free(kit);
}

static void the_region_of_the_login_goes_first(void **state)
{
    (void)state;
    struct kit *kit =
        kit_of(LOGIN("2026-11-30T05:00:00Z", PEM, "\"signInRegion\":\"cn-north-1\","));
    kit_answer(kit, 200, RENEWED);
    kit_must_find(kit, provider_login, "ASIAN");
    assert_string_equal(kit->requests[0].url, "https://cn-north-1.signin.amazonaws.cn/v1/token");
    kit_free(kit);
}

static void a_region_that_is_none_reaches_no_host(void **state)
{
    (void)state;
    struct kit *kit = kit_of(LOGIN("2026-11-30T05:00:00Z", PEM, "\"signInRegion\":\"evil.com/\","));
    kit_must_refuse(kit, provider_login, ERR_NO_CREDENTIALS, "set AWS_REGION");
    assert_int_equal(kit->request_count, 0);
    kit_free(kit);
}

static void what_sign_in_refuses_is_named(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body, *part;
    } ROWS[] = {
        {400, "{\"error\":\"TOKEN_EXPIRED\",\"message\":\"canary\"}",
         "(400 TOKEN_EXPIRED); run aws login --profile default"},
        {400, "{\"error\":\"USER_CREDENTIALS_CHANGED\"}", "run aws login --profile default"},
        {400, "{\"error\":\"INSUFFICIENT_PERMISSIONS\"}", "allow signin:CreateOAuth2Token"},
        {403, "<html>canary</html>", "(403); run aws login"},
        {500, "canary", "answers 500; try again later"},
        {200, "<html>canary</html>", "is there a proxy between?"},
        {200, "{\"accessToken\":{}}", "is there a proxy between?"},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct kit *kit = kit_of(OLD);
        kit_answer(kit, ROWS[i].status, ROWS[i].body);
        kit_must_refuse(kit, provider_login, ERR_NO_CREDENTIALS, ROWS[i].part);
        assert_string_equal(kit_read(kit, FILE_NAME), OLD);
        kit_free(kit);
    }
}

static struct kit *waiting;

static bool pause_and_write(void *self, int64_t ms)
{
    (void)self;
    waiting->wall_ms += ms;
    kit_write(waiting, FILE_NAME, LOGIN("2026-11-30T07:00:00Z", PEM, ""));
    return true;
}

static void keys_that_another_program_renews_are_taken(void **state)
{
    (void)state;
    struct kit *kit = kit_of(OLD);
    waiting = kit;
    kit->ports.pause = pause_and_write;
    kit_answer(kit, 400, "{\"error\":\"TOKEN_EXPIRED\"}");
    kit_must_find(kit, provider_login, "ASIAL");
    kit_free(kit);
}

static void a_key_that_is_none_is_named(void **state)
{
    (void)state;
    struct kit *kit = kit_of(LOGIN("2026-11-30T05:00:00Z", "canary", ""));
    kit_must_refuse(kit, provider_login, ERR_NO_CREDENTIALS,
                    "dpopKey of the login is not a key of P-256; run aws login --profile default");
    assert_int_equal(kit->request_count, 0);
    kit_free(kit);
}

static void a_file_that_is_missing_or_broken_is_named(void **state)
{
    (void)state;
    struct kit *kit = kit_of("{\"accessToken\":\"canary");
    kit_must_refuse(kit, provider_login, ERR_NO_CREDENTIALS, NAME ".json is not a login");
    kit_set(kit, "AWS_LOGIN_CACHE_DIRECTORY", "$HOME/elsewhere");
    kit_must_refuse(kit, provider_login, ERR_NO_CREDENTIALS,
                    "/elsewhere/" NAME ".json; run aws login");
    kit_write(kit, "elsewhere/" NAME ".json", FRESH);
    kit_must_find(kit, provider_login, "ASIAL");
    kit_free(kit);
}

static void a_search_that_is_cancelled_ends(void **state)
{
    (void)state;
    struct kit *kit = kit_of(OLD);
    kit_fail(kit, ERR_TIMEOUT);
    kit->is_cancelled = true;
    assert_int_equal(kit_find(kit, provider_login), ERR_CANCELLED);
    assert_int_equal(kit->request_count, 1);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_profile_without_a_session_has_none),
        cmocka_unit_test(keys_are_used_until_five_minutes_before_their_end),
        cmocka_unit_test(old_keys_are_renewed_with_a_proof_and_written_back),
        cmocka_unit_test(each_request_has_another_proof),
        cmocka_unit_test(the_region_of_the_login_goes_first),
        cmocka_unit_test(a_region_that_is_none_reaches_no_host),
        cmocka_unit_test(what_sign_in_refuses_is_named),
        cmocka_unit_test(keys_that_another_program_renews_are_taken),
        cmocka_unit_test(a_key_that_is_none_is_named),
        cmocka_unit_test(a_file_that_is_missing_or_broken_is_named),
        cmocka_unit_test(a_search_that_is_cancelled_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
