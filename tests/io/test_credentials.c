/* io/aws/environment.c and the chain, io/aws/chain.c, against an environment and files of the
 * test's own. */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/aws/alone.h"
#include "io/aws/chain.h"
#include "unit/torture.h"

#define VARIABLES_MAX 8

static struct {
    const char *name, *value;
} variables[VARIABLES_MAX];
static size_t variable_count;
static char home[64];
static struct aws_environment environment;
static struct keys keys;
static struct search search;
static char words[AWS_REASON_MAX];

static const char *look_up(void *self, const char *name)
{
    assert_ptr_equal(self, variables);
    for (size_t i = 0; i < variable_count; i++) {
        if (strcmp(variables[i].name, name) == 0)
            return variables[i].value;
    }
    return NULL;
}

static void set(const char *name, const char *value)
{
    assert_true(variable_count < VARIABLES_MAX);
    variables[variable_count].name = name;
    variables[variable_count++].value = value;
}

static void path_of(const char *name, char ret_path[128])
{
    (void)snprintf(ret_path, 128, "%s/.aws/%s", home, name);
}

static void write_file(const char *name, const char *text)
{
    char path[128];
    path_of(name, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
    (void)state;
    char path[128];
    variable_count = 0;
    (void)snprintf(home, sizeof home, "/tmp/bedrock-worker-test-XXXXXX");
    assert_non_null(mkdtemp(home));
    (void)snprintf(path, sizeof path, "%s/.aws", home);
    assert_int_equal(mkdir(path, 0700), 0);
    set("HOME", home);
    keys_init(&keys);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"config", "credentials", "other"};
    char path[128];
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        path_of(NAMES[i], path);
        (void)unlink(path);
    }
    (void)snprintf(path, sizeof path, "%s/.aws", home);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(home), 0);
    keys_done(&keys);
    aws_environment_done(&environment);
    assert_int_equal(memory_live(), 0);
    return 0;
}

static enum err load_profile(const char *profile)
{
    aws_environment_done(&environment);
    return aws_environment_load(&environment, look_up, variables, profile, words);
}

static enum err find(void)
{
    static const struct http_config http = {.connect_ms = 1000};
    struct search_ports ports;
    alone_ports(&http, &ports);
    search_init(&search, &environment, &ports);
    return chain_find(&search, &keys);
}

static void load(void)
{
    assert_int_equal(load_profile(NULL), OK);
    assert_string_equal(words, "");
}

static void must_refuse(enum err err, const char *part)
{
    assert_int_equal(load_profile(NULL), err);
    if (strstr(words, part) == NULL)
        print_message("%s\n", words);
    assert_non_null(strstr(words, part));
}

/* No credentials are found, and the message has these parts. */
static void must_find_none(const char *part, const char *other)
{
    load();
    assert_int_equal(find(), ERR_NO_CREDENTIALS);
    if (strstr(search.reason, part) == NULL || strstr(search.reason, other) == NULL)
        print_message("%s\n", search.reason);
    assert_non_null(strstr(search.reason, part));
    assert_non_null(strstr(search.reason, other));
    assert_string_equal(keys.source, "");
    assert_null(keys.credentials.secret_access_key.ptr);
}

static void must_find(const char *source, const char *id, const char *secret)
{
    load();
    assert_int_equal(find(), OK);
    assert_string_equal(keys.source, source);
    assert_slice(keys.credentials.access_key_id, id);
    assert_slice(keys.credentials.secret_access_key, secret);
    assert_null(keys.credentials.bearer_token.ptr);
}

/* ---- credentials ---- */

static void without_any_source_the_error_lists_what_was_tried(void **state)
{
    (void)state;
    must_find_none("AWS_ACCESS_KEY_ID is not set", "/.aws/credentials");
    variable_count = 0;
    must_find_none("AWS_ACCESS_KEY_ID is not set", "HOME is not set");
}

static void variables_provide_credentials(void **state)
{
    (void)state;
    set("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT");
    set("AWS_SECRET_ACCESS_KEY", " secret/of+environment\n");
    must_find("the environment", "AKIDENVIRONMENT", "secret/of+environment");
    assert_null(keys.credentials.session_token.ptr);
    set("AWS_SESSION_TOKEN", "token");
    must_find("the environment", "AKIDENVIRONMENT", "secret/of+environment");
    assert_slice(keys.credentials.session_token, "token");
    assert_true(keys.credentials.expires_wall_ms == INT64_MAX);
}

static void an_empty_variable_counts_as_unset(void **state)
{
    (void)state;
    set("AWS_ACCESS_KEY_ID", "");
    set("AWS_SECRET_ACCESS_KEY", "");
    set("AWS_BEARER_TOKEN_BEDROCK", "");
    must_find_none("AWS_ACCESS_KEY_ID is not set", "");
}

static void half_a_key_pair_is_an_error_and_ends_the_search(void **state)
{
    (void)state;
    write_file("credentials", "[default]\naws_access_key_id = A\naws_secret_access_key = B\n");
    set("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT");
    must_find_none("AWS_ACCESS_KEY_ID is set, but not AWS_SECRET_ACCESS_KEY", "");
}

static void a_secret_without_its_id_counts_as_unset(void **state)
{
    (void)state;
    set("AWS_SECRET_ACCESS_KEY", "secret");
    must_find_none("AWS_ACCESS_KEY_ID is not set, though AWS_SECRET_ACCESS_KEY is", "");
    write_file("credentials", "[default]\naws_secret_access_key = B\n");
    write_file("config", "[default]\naws_access_key_id = C\naws_secret_access_key = D\n");
    must_find("the config file", "C", "D");
}

static void a_bearer_token_takes_precedence(void **state)
{
    (void)state;
    set("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT");
    set("AWS_SECRET_ACCESS_KEY", "secret");
    set("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-abc");
    load();
    assert_int_equal(find(), OK);
    assert_slice(keys.credentials.bearer_token, "bedrock-api-key-abc");
    assert_null(keys.credentials.access_key_id.ptr);
    assert_string_equal(keys.source, "AWS_BEARER_TOKEN_BEDROCK");
}

static void keys_of_the_profile_in_the_settings_take_precedence(void **state)
{
    (void)state;
    write_file("credentials", "[work]\naws_access_key_id = AKIDWORK\naws_secret_access_key = B\n"
                              "[bare]\nregion = eu-west-1\naws_session_token = left-over\n");
    set("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT");
    set("AWS_SECRET_ACCESS_KEY", "secret");
    set("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-abc");
    assert_int_equal(load_profile("work"), OK);
    assert_int_equal(find(), OK);
    assert_slice(keys.credentials.access_key_id, "AKIDWORK");
    assert_null(keys.credentials.bearer_token.ptr);
    assert_int_equal(load_profile("bare"), OK);
    assert_int_equal(find(), OK);
    assert_slice(keys.credentials.bearer_token, "bedrock-api-key-abc");
    assert_null(keys.credentials.session_token.ptr);
    set("AWS_PROFILE", "work");
    assert_int_equal(load_profile(NULL), OK);
    assert_int_equal(find(), OK);
    assert_string_equal(keys.source, "AWS_BEARER_TOKEN_BEDROCK");
}

static void an_error_names_only_the_source_of_an_invalid_key(void **state)
{
    (void)state;
    static const char *const WRONG[] = {"canary of a key", "canary\x1b", "canary\tx",
                                        "can\xc3\xa4ry"};
    static const char *const NAMES[] = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
                                        "AWS_SESSION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK"};
    set("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT");
    set("AWS_SECRET_ACCESS_KEY", "secret");
    set("AWS_SESSION_TOKEN", "token");
    set("AWS_BEARER_TOKEN_BEDROCK", "");
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        const char *good = variables[1 + i].value;
        for (size_t j = 0; j < COUNT_OF(WRONG); j++) {
            variables[1 + i].value = WRONG[j];
            must_find_none(NAMES[i], "holds a blank, a control character");
            assert_null(strstr(search.reason, "can"));
        }
        variables[1 + i].value = good;
    }
    must_find("the environment", "AKIDENVIRONMENT", "secret");
    variable_count = 1;
    write_file("credentials", "[default]\naws_access_key_id = A\naws_secret_access_key = B can\n");
    must_find_none("aws_secret_access_key of profile default in ", "/.aws/credentials holds");
    assert_null(strstr(search.reason, "B can"));
    write_file("credentials", "[default]\naws_access_key_id = A\naws_secret_access_key = B\n");
    write_file("credentials", "[default]\naws_access_key_id = A\naws_secret_access_key = B\n"
                              "aws_session_token = C\x7f\n");
    must_find_none("aws_session_token of profile default in ", "/.aws/credentials holds");
}

static void the_shared_file_provides_credentials(void **state)
{
    (void)state;
    write_file("credentials", "[default]\n"
                              "aws_access_key_id = AKIDFILE # a comment\n"
                              "aws_secret_access_key=secret/of=file\n"
                              "[other]\n"
                              "aws_access_key_id = AKIDOTHER\n"
                              "aws_secret_access_key = other\n"
                              "aws_session_token = token\n");
    must_find("the shared credentials file", "AKIDFILE", "secret/of=file");
    assert_null(keys.credentials.session_token.ptr);
    set("AWS_PROFILE", "other");
    must_find("the shared credentials file", "AKIDOTHER", "other");
    assert_slice(keys.credentials.session_token, "token");
}

static void variables_take_precedence_over_files(void **state)
{
    (void)state;
    write_file("credentials", "[default]\naws_access_key_id = A\naws_secret_access_key = B\n"
                              "aws_session_token = C\n");
    set("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT");
    set("AWS_SECRET_ACCESS_KEY", "secret");
    must_find("the environment", "AKIDENVIRONMENT", "secret");
    assert_null(keys.credentials.session_token.ptr);
}

static void keys_may_stand_in_the_config_file(void **state)
{
    (void)state;
    write_file("config", "[profile work]\naws_access_key_id = A\naws_secret_access_key = B\n");
    set("AWS_PROFILE", "work");
    must_find("the config file", "A", "B");
    write_file("credentials", "[work]\naws_access_key_id = C\naws_secret_access_key = D\n");
    must_find("the shared credentials file", "C", "D");
}

static void files_may_lie_elsewhere(void **state)
{
    (void)state;
    char path[128];
    path_of("other", path);
    write_file("other", "[default]\naws_access_key_id = A\naws_secret_access_key = B\n");
    set("AWS_SHARED_CREDENTIALS_FILE", path);
    must_find("the shared credentials file", "A", "B");
    variables[1].value = "~/.aws/other";
    must_find("the shared credentials file", "A", "B");
    variables[1].value = "/nowhere/at/all";
    must_find_none("there is no /nowhere/at/all", "");
}

static void half_a_key_pair_in_a_profile_is_an_error(void **state)
{
    (void)state;
    write_file("credentials", "[default]\naws_access_key_id = A\n");
    must_find_none("profile default has an aws_access_key_id, but no aws_secret_access_key", "");
}

static void a_profile_without_keys_is_named(void **state)
{
    (void)state;
    write_file("credentials", "[default]\nregion = us-east-1\n");
    must_find_none("profile default has no aws_access_key_id", "AWS_ACCESS_KEY_ID is not set");
}

static void new_credentials_replace_the_old(void **state)
{
    (void)state;
    set("AWS_ACCESS_KEY_ID", "AKIDFIRST");
    set("AWS_SECRET_ACCESS_KEY", "first");
    must_find("the environment", "AKIDFIRST", "first");
    const char *old = keys.credentials.secret_access_key.ptr;
    variables[1].value = "AKIDSECOND";
    variables[2].value = "second";
    must_find("the environment", "AKIDSECOND", "second");
    assert_non_null(old);
    variable_count = 1;
    must_find_none("", "");
}

static void messages_never_quote_a_secret(void **state)
{
    (void)state;
    write_file("credentials", "[default]\naws_access_key_id = CANARY\n");
    set("AWS_SESSION_TOKEN", "CANARY");
    load();
    assert_int_equal(find(), ERR_NO_CREDENTIALS);
    assert_null(strstr(search.reason, "CANARY"));
    write_file("credentials", "[default]\naws_secret_access_key CANARY\n");
    must_refuse(ERR_FORMAT, "/.aws/credentials:2: ");
    assert_null(strstr(words, "CANARY"));
}

/* ---- the environment ---- */

static void a_region_comes_from_variables_then_from_the_profile(void **state)
{
    (void)state;
    write_file("config", "[default]\nregion = eu-central-1\n[profile far]\nregion = ap-south-1\n");
    load();
    assert_string_equal(environment.region, "eu-central-1");
    assert_int_equal(load_profile("far"), OK);
    assert_string_equal(environment.region, "ap-south-1");
    set("AWS_DEFAULT_REGION", "us-west-2");
    load();
    assert_string_equal(environment.region, "us-west-2");
    set("AWS_REGION", "us-east-1");
    load();
    assert_string_equal(environment.region, "us-east-1");
}

static void an_endpoint_comes_from_the_most_specific_source(void **state)
{
    (void)state;
    write_file("config", "[default]\n"
                         "endpoint_url = http://all.profile\n");
    load();
    assert_string_equal(environment.endpoint_url, "http://all.profile");
    assert_non_null(strstr(environment.endpoint_source, "endpoint_url of profile default in /"));
    write_file("config", "[default]\n"
                         "endpoint_url = http://all.profile\n"
                         "services = local\n"
                         "[services local]\n"
                         "s3 =\n"
                         "  endpoint_url = http://s3.profile\n"
                         "bedrock_runtime =\n"
                         "  endpoint_url = http://bedrock.profile\n");
    load();
    assert_string_equal(environment.endpoint_url, "http://bedrock.profile");
    assert_non_null(strstr(environment.endpoint_source, "endpoint_url of services "));
    assert_non_null(strstr(environment.endpoint_source, "/.aws/config"));
    set("AWS_ENDPOINT_URL", "http://all.variable");
    load();
    assert_string_equal(environment.endpoint_url, "http://all.variable");
    set("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://bedrock.variable");
    load();
    assert_string_equal(environment.endpoint_url, "http://bedrock.variable");
    assert_string_equal(environment.endpoint_source,
                        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME of the environment");
    set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
    load();
    assert_string_equal(environment.endpoint_url, "");
}

static void flags_and_the_ca_bundle_come_from_variables_and_profile(void **state)
{
    (void)state;
    load();
    assert_false(environment.fips);
    assert_false(environment.dual_stack);
    assert_string_equal(environment.ca_bundle, "");
    write_file("config", "[default]\nuse_fips_endpoint = true\nuse_dualstack_endpoint = TRUE\n"
                         "ca_bundle = /etc/profile.pem\n");
    load();
    assert_true(environment.fips);
    assert_true(environment.dual_stack);
    assert_string_equal(environment.ca_bundle, "/etc/profile.pem");
    set("AWS_USE_FIPS_ENDPOINT", "false");
    set("AWS_USE_DUALSTACK_ENDPOINT", "false");
    set("AWS_CA_BUNDLE", "/etc/variable.pem");
    load();
    assert_false(environment.fips);
    assert_false(environment.dual_stack);
    assert_string_equal(environment.ca_bundle, "/etc/variable.pem");
}

static void a_profile_that_is_named_must_exist(void **state)
{
    (void)state;
    set("AWS_PROFILE", "nobody");
    must_refuse(ERR_NOT_FOUND, "profile nobody is neither in ");
    write_file("config", "[profile nobody]\n");
    load();
    assert_int_equal(load_profile("somebody"), ERR_NOT_FOUND);
    assert_non_null(strstr(words, "somebody"));
}

static void invalid_files_are_reported_with_their_line(void **state)
{
    (void)state;
    write_file("config", "[default]\nregion = us-east-1\n[profile broken\n");
    must_refuse(ERR_FORMAT, "/.aws/config:3: a section must end with ']'");
    write_file("config", "region = us-east-1\n");
    must_refuse(ERR_FORMAT, "/.aws/config:1: a property outside of a section");
}

static void an_unreadable_file_is_reported(void **state)
{
    (void)state;
    set("AWS_CONFIG_FILE", home);
    must_find_none(home, " cannot be read: it is a directory");
    set("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT");
    set("AWS_SECRET_ACCESS_KEY", "secret");
    must_find("the environment", "AKIDENVIRONMENT", "secret");
}

static void a_directory_in_the_place_of_a_file_holds_nothing_up(void **state)
{
    (void)state;
    set("AWS_CONFIG_FILE", home);
    write_file("credentials", "[default]\naws_access_key_id = A\naws_secret_access_key = B\n");
    must_find("the shared credentials file", "A", "B");
}

static void a_path_may_name_variables(void **state)
{
    (void)state;
    write_file("other", "[default]\naws_access_key_id = A\naws_secret_access_key = B\n");
    set("AWS_SHARED_CREDENTIALS_FILE", "${HOME}/.aws/other");
    must_find("the shared credentials file", "A", "B");
    variables[1].value = "$HOME/.aws/other";
    must_find("the shared credentials file", "A", "B");
    variables[1].value = "/x/$NOT_SET/${HOME$1$";
    must_find_none("there is no /x/$NOT_SET/${HOME$1$", "");
}

static void values_over_the_limit_are_rejected(void **state)
{
    (void)state;
    static char text[4000];
    memset(text, 'a', sizeof text - 1);
    set("AWS_REGION", text);
    must_refuse(ERR_FORMAT, "region of the AWS environment is too long");
    variables[1].name = "AWS_ENDPOINT_URL";
    must_refuse(ERR_FORMAT, "endpoint URL");
    variables[1].name = "AWS_CONFIG_FILE";
    must_refuse(ERR_FORMAT, "too long");
}

/* ---- out of memory ---- */

static bool loads(void *self)
{
    (void)self;
    struct aws_environment own;
    struct keys own_keys;
    struct search own_search;
    struct search_ports ports;
    keys_init(&own_keys);
    alone_ports(NULL, &ports);
    bool passed = aws_environment_load(&own, look_up, variables, NULL, words) == OK;
    if (passed) {
        search_init(&own_search, &own, &ports);
        passed = chain_find(&own_search, &own_keys) == OK;
    }
    if (passed)
        passed = strcmp(own.endpoint_url, "http://bedrock.profile") == 0;
    keys_done(&own_keys);
    aws_environment_done(&own);
    return passed;
}

static void failed_allocations_do_not_count_as_missing_values(void **state)
{
    (void)state;
    write_file("config", "[default]\nregion = us-east-1\nservices = local\n[services local]\n"
                         "bedrock_runtime =\n  endpoint_url = http://bedrock.profile\n");
    write_file("credentials", "[default]\naws_access_key_id = A\naws_secret_access_key = B\n"
                              "aws_session_token = C\n");
    assert_true(torture(loads, NULL) > 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(without_any_source_the_error_lists_what_was_tried),
        CASE(variables_provide_credentials),
        CASE(an_empty_variable_counts_as_unset),
        CASE(half_a_key_pair_is_an_error_and_ends_the_search),
        CASE(a_secret_without_its_id_counts_as_unset),
        CASE(a_bearer_token_takes_precedence),
        CASE(keys_of_the_profile_in_the_settings_take_precedence),
        CASE(an_error_names_only_the_source_of_an_invalid_key),
        CASE(the_shared_file_provides_credentials),
        CASE(variables_take_precedence_over_files),
        CASE(keys_may_stand_in_the_config_file),
        CASE(files_may_lie_elsewhere),
        CASE(half_a_key_pair_in_a_profile_is_an_error),
        CASE(a_profile_without_keys_is_named),
        CASE(new_credentials_replace_the_old),
        CASE(messages_never_quote_a_secret),
        CASE(a_region_comes_from_variables_then_from_the_profile),
        CASE(an_endpoint_comes_from_the_most_specific_source),
        CASE(flags_and_the_ca_bundle_come_from_variables_and_profile),
        CASE(a_profile_that_is_named_must_exist),
        CASE(invalid_files_are_reported_with_their_line),
        CASE(an_unreadable_file_is_reported),
        CASE(a_directory_in_the_place_of_a_file_holds_nothing_up),
        CASE(a_path_may_name_variables),
        CASE(values_over_the_limit_are_rejected),
        CASE(failed_allocations_do_not_count_as_missing_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
