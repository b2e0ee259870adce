/* io/aws/watch.c: when the worker looks for credentials, and what the engine gets. */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/memory.h"
#include "io/aws/watch.h"

static uv_loop_t loop;
static struct credentials_watch *watch;
static char home[64];
static int64_t now_ms;

static struct {
    int count;
    bool has_any;
    char access_key_id[64], reason[512];
} heard;

/* ---- the engine ---- */

void engine_credentials(struct engine *engine, const struct credentials *credentials,
                        struct slice reason)
{
    (void)engine;
    heard.count++;
    heard.has_any = credentials != NULL;
    (void)snprintf(heard.access_key_id, sizeof heard.access_key_id, "%.*s",
                   SLICE_ARG(heard.has_any ? credentials->access_key_id : SLICE("")));
    (void)snprintf(heard.reason, sizeof heard.reason, "%.*s", SLICE_ARG(reason));
}

/* ---- the file ---- */

static void file_path(char *ret_path, size_t room)
{
    (void)snprintf(ret_path, room, "%s/.aws/credentials", home);
}

static void file_write(const char *access_key_id)
{
    char path[128];
    file_path(path, sizeof path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(file, "[default]\naws_access_key_id = %s\naws_secret_access_key = s\n",
                  access_key_id);
    assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
    (void)state;
    char path[128];
    static const char *const NAMES[] = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
                                        "AWS_SESSION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK",
                                        "AWS_PROFILE",       "AWS_SHARED_CREDENTIALS_FILE",
                                        "AWS_CONFIG_FILE"};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++)
        assert_int_equal(unsetenv(NAMES[i]), 0);
    (void)snprintf(home, sizeof home, "/tmp/bedrock-worker-test-XXXXXX");
    assert_non_null(mkdtemp(home));
    assert_int_equal(setenv("HOME", home, 1), 0);
    (void)snprintf(path, sizeof path, "%s/.aws", home);
    assert_int_equal(mkdir(path, 0700), 0);
    memset(&heard, 0, sizeof heard);
    now_ms = 1000;
    assert_int_equal(uv_loop_init(&loop), 0);
    watch = credentials_watch_new(&loop, NULL);
    assert_non_null(watch);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char path[128];
    credentials_watch_close(watch);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_true(credentials_watch_is_closed(watch));
    credentials_watch_free(watch);
    assert_int_equal(uv_loop_close(&loop), 0);
    file_path(path, sizeof path);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s/.aws", home);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(home), 0);
    assert_int_equal(memory_live(), 0);
    return 0;
}

/* Advances the time: a step, everything that it began, and the step that gets the result. */
static void pass(int64_t duration_ms)
{
    now_ms += duration_ms;
    credentials_watch_step(watch, now_ms);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    credentials_watch_step(watch, now_ms);
}

static void new_credentials_are_found_in_time(void **state)
{
    (void)state;
    file_write("OLD");
    pass(0);
    assert_int_equal(heard.count, 1);
    assert_string_equal(heard.access_key_id, "OLD");
    file_write("NEW");
    pass(9000);
    assert_int_equal(heard.count, 1);
    pass(1000);
    assert_int_equal(heard.count, 2);
    assert_string_equal(heard.access_key_id, "NEW");
}

static void rejected_credentials_are_looked_up_again_at_once(void **state)
{
    (void)state;
    file_write("OLD");
    pass(0);
    pass(5000);
    assert_int_equal(heard.count, 1);
    file_write("NEW");
    for (int i = 0; i < 100; i++) /* many calls, one look */
        credentials_watch_refresh(watch);
    pass(0);
    assert_int_equal(heard.count, 2);
    assert_string_equal(heard.access_key_id, "NEW");
    pass(2000);
    assert_int_equal(heard.count, 2);
}

static void an_unchanged_result_is_reported_and_the_next_look_waits_a_second(void **state)
{
    (void)state;
    file_write("SAME");
    pass(0);
    credentials_watch_refresh(watch);
    pass(0);
    assert_int_equal(heard.count, 1);
    pass(999);
    assert_int_equal(heard.count, 1);
    pass(1);
    assert_int_equal(heard.count, 2);
    assert_string_equal(heard.access_key_id, "SAME");
}

static void credentials_whose_source_vanishes_are_kept_and_reported_again(void **state)
{
    (void)state;
    char path[128];
    file_write("KEPT");
    pass(0);
    file_path(path, sizeof path);
    assert_int_equal(unlink(path), 0);
    credentials_watch_refresh(watch);
    pass(1000);
    assert_int_equal(heard.count, 2);
    assert_true(heard.has_any);
    assert_string_equal(heard.access_key_id, "KEPT");
}

static void the_reason_is_reported_until_there_are_credentials(void **state)
{
    (void)state;
    pass(0);
    assert_int_equal(heard.count, 1);
    assert_false(heard.has_any);
    assert_true(heard.reason[0] != '\0');
    file_write("FIRST");
    pass(2000);
    assert_int_equal(heard.count, 2);
    assert_string_equal(heard.access_key_id, "FIRST");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(new_credentials_are_found_in_time, setup, teardown),
        cmocka_unit_test_setup_teardown(rejected_credentials_are_looked_up_again_at_once, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            an_unchanged_result_is_reported_and_the_next_look_waits_a_second, setup, teardown),
        cmocka_unit_test_setup_teardown(
            credentials_whose_source_vanishes_are_kept_and_reported_again, setup, teardown),
        cmocka_unit_test_setup_teardown(the_reason_is_reported_until_there_are_credentials, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
