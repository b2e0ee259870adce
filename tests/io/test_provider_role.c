/* Roles and web identities, asked in virtual time: providers/role.c, web_identity.c, assume.c. */
#include "io/search_kit.h"

#define ANSWER(action, id)                                                                         \
    "<" action "Response><" action "Result><Credentials><AccessKeyId>" id                          \
    "</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>"    \
    "<Expiration>2026-11-30T06:00:00Z</Expiration></Credentials></" action "Result></" action      \
    "Response>"
#define ERROR(code)                                                                                \
    "<ErrorResponse><Error><Code>" code "</Code><Message>no</Message></Error></ErrorResponse>"

#define BASE "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = canary-secret\n"
#define ROLE(profile, source)                                                                      \
    "[profile " profile "]\nrole_arn = arn:aws:iam::1:role/" profile "\nsource_profile = " source  \
    "\n"

static struct kit *kit_with(const char *config, const char *profile)
{
    struct kit *kit = kit_new();
    kit_write(kit, ".aws/config", config);
    kit_set(kit, "AWS_PROFILE", profile);
    kit_set(kit, "AWS_REGION", "eu-west-1");
    return kit;
}

static void a_role_is_assumed_with_the_keys_of_its_source(void **state)
{
    (void)state;
    struct kit *kit = kit_with(
        ROLE("a",
             "base") "external_id = ext\nduration_seconds = 900\nrole_session_name = me\n" BASE,
        "a");
    kit_answer(kit, 200, ANSWER("AssumeRole", "ASIAROLE"));
    kit_must_find(kit, provider_role, "ASIAROLE");
    assert_slice(kit->keys.credentials.session_token, "token");
    assert_true(kit->keys.credentials.expires_wall_ms == KIT_WALL_MS + 3600000);
    assert_int_equal(kit->request_count, 1);
    assert_string_equal(kit->requests[0].url, "https://sts.eu-west-1.amazonaws.com");
    assert_string_equal(kit->requests[0].body,
                        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole"
                        "%2Fa&RoleSessionName=me&ExternalId=ext&DurationSeconds=900");
    assert_non_null(
        strstr(kit->requests[0].headers, "Credential=AKIABASE/20261130/eu-west-1/sts/"));
    assert_false(kit->requests[0].is_direct);
    kit_free(kit);
}

/* The innermost role first, each with the keys of the one before. */
static void a_chain_of_roles_is_assumed_from_its_end(void **state)
{
    (void)state;
    struct kit *kit = kit_with(ROLE("a", "b") ROLE("b", "c") ROLE("c", "base") BASE, "a");
    kit_answer(kit, 200, ANSWER("AssumeRole", "ASIAC"));
    kit_answer(kit, 200, ANSWER("AssumeRole", "ASIAB"));
    kit_answer(kit, 200, ANSWER("AssumeRole", "ASIAA"));
    kit_must_find(kit, provider_role, "ASIAA");
    assert_int_equal(kit->request_count, 3);
    assert_non_null(strstr(kit->requests[0].headers, "Credential=AKIABASE/"));
    assert_non_null(strstr(kit->requests[1].headers, "Credential=ASIAC/"));
    assert_non_null(strstr(kit->requests[1].headers, "X-Amz-Security-Token: token"));
    assert_non_null(strstr(kit->requests[2].headers, "Credential=ASIAB/"));
    assert_non_null(strstr(kit->requests[2].body, "role%2Fa&"));
    kit_free(kit);
}

static void a_role_that_is_set_wrongly_is_an_error(void **state)
{
    (void)state;
    static const struct {
        const char *config, *part;
    } CASES[] = {
        {"[profile a]\nrole_arn = r\n", "needs a source_profile or a credential_source"},
        {"[profile a]\nrole_arn = r\nsource_profile = b\ncredential_source = Environment\n",
         "both source_profile and credential_source"},
        {ROLE("a", "none"), "source_profile none of profile a does not exist"},
        {ROLE("a", "b") ROLE("b", "a"), "leads back to profile a"},
        {ROLE("a", "a"), "leads back to profile a"},
        {ROLE("a", "b") "[profile b]\nregion = x\n", "source_profile b has no keys"},
        {ROLE("a", "base") "mfa_serial = m\n" BASE, "needs an MFA code (mfa_serial)"},
        {"[profile a]\nrole_arn = r\ncredential_source = Elsewhere\n", "is none of Environment"},
        {"[profile a]\nrole_arn = r\ncredential_source = Environment\n",
         "has no keys: AWS_ACCESS_KEY_ID is not set"},
        {"[profile a]\nrole_arn =\nsource_profile = base\n" BASE, "role_arn of profile a is empty"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct kit *kit = kit_with(CASES[i].config, "a");
        kit_answer(kit, 500, "");
        kit_must_refuse(kit, provider_role, ERR_NO_CREDENTIALS, CASES[i].part);
        assert_int_equal(kit->request_count, 0);
        kit_free(kit);
    }
}

static void a_chain_of_twenty_roles_is_an_error(void **state)
{
    (void)state;
    struct buf config OWNED_BY(buf_done);
    buf_init(&config, 65536);
    for (int i = 0; i < 20; i++)
        buf_addf(&config, "[profile p%d]\nrole_arn = r\nsource_profile = p%d\n", i, i + 1);
    buf_add_text(&config, "[profile p20]\naws_access_key_id = A\naws_secret_access_key = B\n");
    struct kit *kit = kit_with(buf_text(&config), "p0");
    kit_must_refuse(kit, provider_role, ERR_NO_CREDENTIALS, "a chain of more than 16 profiles");
    kit_free(kit);
}

static void a_role_may_take_the_keys_of_the_same_profile(void **state)
{
    (void)state;
    struct kit *kit =
        kit_with(ROLE("a", "a") "aws_access_key_id = AKIAOWN\naws_secret_access_key = s\n", "a");
    kit_answer(kit, 200, ANSWER("AssumeRole", "ASIAROLE"));
    kit_must_find(kit, provider_role, "ASIAROLE");
    assert_non_null(strstr(kit->requests[0].headers, "Credential=AKIAOWN/"));
    kit_free(kit);
}

static void a_credential_source_gives_the_keys(void **state)
{
    (void)state;
    struct kit *kit = kit_with("[profile a]\nrole_arn = r\ncredential_source = Environment\n", "a");
    kit_set(kit, "AWS_ACCESS_KEY_ID", "AKIAENV");
    kit_set(kit, "AWS_SECRET_ACCESS_KEY", "s");
    kit_answer(kit, 200, ANSWER("AssumeRole", "ASIAROLE"));
    kit_must_find(kit, provider_role, "ASIAROLE");
    assert_non_null(strstr(kit->requests[0].headers, "Credential=AKIAENV/"));
    kit_free(kit);
}

static void refusals_of_sts_have_a_remedy(void **state)
{
    (void)state;
    struct kit *kit = kit_with(ROLE("a", "base") BASE, "a");
    kit_answer(kit, 403, ERROR("AccessDenied"));
    kit_must_refuse(kit, provider_role, ERR_NO_CREDENTIALS,
                    "AccessDenied: no; allow sts:AssumeRole");
    assert_int_equal(kit->request_count, 1);
    kit_free(kit);
    kit = kit_with(ROLE("a", "base") BASE, "a");
    kit_answer(kit, 200, "<!DOCTYPE x [<!ENTITY y \"z\">]><x>&y;</x>");
    kit_must_refuse(kit, provider_role, ERR_NO_CREDENTIALS, "a declaration (DOCTYPE");
    kit_free(kit);
}

static void a_failing_sts_is_asked_three_times(void **state)
{
    (void)state;
    struct kit *kit = kit_with(ROLE("a", "base") BASE, "a");
    kit_answer(kit, 503, "<html>");
    kit_fail(kit, ERR_CONNECTION);
    kit_answer(kit, 200, ANSWER("AssumeRole", "ASIAROLE"));
    kit_must_find(kit, provider_role, "ASIAROLE");
    assert_int_equal(kit->request_count, 3);
    kit_free(kit);
    kit = kit_with(ROLE("a", "base") BASE, "a");
    kit_answer(kit, 500, "<html>");
    assert_int_equal(kit_find(kit, provider_role), ERR_NO_CREDENTIALS);
    assert_int_equal(kit->request_count, 3);
    kit->is_cancelled = true;
    assert_int_equal(kit_find(kit, provider_role), ERR_CANCELLED);
    kit_free(kit);
}

/* ---- web identity ---- */

static void the_token_of_a_web_identity_is_read_for_each_call(void **state)
{
    (void)state;
    struct kit *kit = kit_new();
    char path[256];
    kit_write(kit, "token", "first.token\n");
    (void)snprintf(path, sizeof path, "%s", kit_path(kit, "token"));
    kit_set(kit, "AWS_WEB_IDENTITY_TOKEN_FILE", path);
    kit_set(kit, "AWS_ROLE_ARN", "arn:aws:iam::1:role/w");
    kit_set(kit, "AWS_REGION", "eu-west-1");
    kit_answer(kit, 200, ANSWER("AssumeRoleWithWebIdentity", "ASIAWEB"));
    kit_must_find(kit, provider_web_identity, "ASIAWEB");
    assert_non_null(strstr(kit->requests[0].body, "&WebIdentityToken=first.token"));
    assert_null(strstr(kit->requests[0].headers, "Authorization"));
    kit_write(kit, "token", "second.token");
    kit_must_find(kit, provider_web_identity, "ASIAWEB");
    assert_non_null(strstr(kit->requests[0].body, "&WebIdentityToken=second.token"));
    kit_write(kit, "token", "canary\r\nX-More: canary");
    kit_must_refuse(kit, provider_web_identity, ERR_NO_CREDENTIALS, "more than one line");
    kit_write(kit, "token", "canary");
    kit_answer(kit, 400, ERROR("ExpiredTokenException"));
    kit->answers[0] = kit->answers[1];
    kit_must_refuse(kit, provider_web_identity, ERR_NO_CREDENTIALS, "let its file be renewed");
    kit_set(kit, "AWS_ROLE_ARN", "");
    kit_must_refuse(kit, provider_web_identity, ERR_NO_CREDENTIALS, "set AWS_ROLE_ARN");
    kit_set(kit, "AWS_WEB_IDENTITY_TOKEN_FILE", "");
    kit_must_refuse(kit, provider_web_identity, ERR_NOT_FOUND,
                    "AWS_WEB_IDENTITY_TOKEN_FILE is not");
    kit_free(kit);
}

/* ---- credential_process ---- */

static struct kit *kit_with_process(const char *script)
{
    struct kit *kit = kit_new();
    char config[512];
    kit_write(kit, "print keys", script);
    assert_int_equal(chmod(kit_path(kit, "print keys"), 0700), 0);
    (void)snprintf(config, sizeof config,
                   "[default]\ncredential_process = '%s' \"an argument\" b\n",
                   kit_path(kit, "print keys"));
    kit_write(kit, ".aws/config", config);
    return kit;
}

#define PRINT(members)                                                                             \
    "#!/bin/sh\necho canary-of-stderr >&2\necho '{\"Version\": 1, \"AccessKeyId\": \"AKIAP\", "    \
    "\"SecretAccessKey\": \"canary-secret\"" members "}'\n"

static void a_process_prints_keys(void **state)
{
    (void)state;
    struct kit *kit = kit_with_process(
        PRINT(", \"Expiration\": \"2026-11-30T06:00:00Z\"") "[ $# = 2 ] && "
                                                            "[ \"$1\" = 'an argument' ]\n");
    kit_must_find(kit, provider_process, "AKIAP");
    assert_null(kit->keys.credentials.session_token.ptr);
    assert_true(kit->keys.credentials.expires_wall_ms == KIT_WALL_MS + 3600000);
    assert_true(kit->search.is_costly);
    assert_string_equal(kit->notes, "process: canary-of-stderr ");
    kit_free(kit);
}

static void a_process_that_prints_no_keys_is_an_error(void **state)
{
    (void)state;
    static const struct {
        const char *script, *part;
    } CASES[] = {
        {"#!/bin/sh\nexit 3\n", "ends with exit code 3"},
        {"#!/bin/sh\nkill -9 $$\n", "was ended by a signal"},
        {"#!/bin/sh\necho canary\n", "does not print JSON"},
        {"#!/bin/sh\necho '{\"Version\": 2, \"AccessKeyId\": \"canary\"}'\n",
         "without \"Version\": 1"},
        {"#!/bin/sh\necho '{\"Version\": 1, \"AccessKeyId\": \"canary\"}'\n",
         "SecretAccessKey is missing"},
        {"#!/bin/sh\nwhile :; do echo canary; done\n", "prints more than 64 KiB"},
        {"no script", ""},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct kit *kit = kit_with_process(CASES[i].script);
        kit_must_refuse(kit, provider_process, ERR_NO_CREDENTIALS, CASES[i].part);
        kit_free(kit);
    }
    struct kit *kit = kit_new();
    kit_write(kit, ".aws/config", "[default]\ncredential_process = /nowhere/at/all x\n");
    kit_must_refuse(kit, provider_process, ERR_NO_CREDENTIALS, "cannot be started");
    kit_write(kit, ".aws/config", "[default]\ncredential_process = 'open\n");
    kit_must_refuse(kit, provider_process, ERR_NO_CREDENTIALS, "a quote without an end");
    kit_write(kit, ".aws/config", "[default]\n");
    kit_must_refuse(kit, provider_process, ERR_NOT_FOUND, "has no credential_process");
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_role_is_assumed_with_the_keys_of_its_source),
        cmocka_unit_test(a_chain_of_roles_is_assumed_from_its_end),
        cmocka_unit_test(a_role_that_is_set_wrongly_is_an_error),
        cmocka_unit_test(a_chain_of_twenty_roles_is_an_error),
        cmocka_unit_test(a_role_may_take_the_keys_of_the_same_profile),
        cmocka_unit_test(a_credential_source_gives_the_keys),
        cmocka_unit_test(refusals_of_sts_have_a_remedy),
        cmocka_unit_test(a_failing_sts_is_asked_three_times),
        cmocka_unit_test(the_token_of_a_web_identity_is_read_for_each_call),
        cmocka_unit_test(a_process_prints_keys),
        cmocka_unit_test(a_process_that_prints_no_keys_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
