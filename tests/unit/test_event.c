#include "unit/unit.h"

#include "base/utf8.h"
#include "base/secrets.h"
#include "telemetry/event.h"
#include "unit/torture.h"

#define WALL_MS INT64_C(1795341600123)

static const struct log_field REVOKED[] = {{"topic", {"bedrock.requests", 16}, 0},
                                           {"partition", {NULL, 0}, 3},
                                           {"calls", {NULL, 0}, -2},
                                           {"timeout_ms", {NULL, 0}, 9000}};

static void a_text_line_has_time_level_and_sentence(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, 1000);
    log_add_text(&buf, WALL_MS, LOG_PARTITION_REVOKED, REVOKED, COUNT_OF(REVOKED));
    assert_buf(&buf, "2026-11-22T10:00:00.123Z info  bedrock.requests-3 is being revoked: the "
                     "group waits until -2 running calls finish, 9000 ms at most\n");
}

static void a_json_line_has_every_field_too(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, 1000);
    log_add_json(&buf, WALL_MS, LOG_PARTITION_REVOKED, REVOKED, COUNT_OF(REVOKED));
    assert_buf(&buf,
               "{\"time\":\"2026-11-22T10:00:00.123Z\",\"level\":\"info\",\"event\":\"partition_"
               "revoked\",\"message\":\"bedrock.requests-3 is being revoked: the group waits until "
               "-2 running "
               "calls finish, 9000 ms at "
               "most\",\"topic\":\"bedrock.requests\",\"partition\":3,\"calls\":-2,\"timeout_ms\":"
               "9000}\n");
}

static void a_missing_field_is_shown_as_a_question_mark(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, 1000);
    log_add_text(&buf, WALL_MS, LOG_STOPPED, NULL, 0);
    assert_buf(&buf, "2026-11-22T10:00:00.123Z info  stopped with exit code ?\n");
}

static void foreign_text_cannot_forge_a_line(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    struct log_field topic =
        FIELD_TEXT("topic", SLICE("a\n\x1b[31m\"b\\\x7f\xff\xc2\x9b\xc3\xa9\xe2\x82"));
    buf_init(&buf, 1000);
    log_add_text(&buf, WALL_MS, LOG_TOPIC_FOUND, &topic, 1);
    assert_buf(&buf, "2026-11-22T10:00:00.123Z info  topic a  [31m\"b\\ ? \xc3\xa9?? exists now\n");
    buf_reset(&buf);
    log_add_json(&buf, WALL_MS, LOG_TOPIC_FOUND, &topic, 1);
    const char *line = buf_text(&buf);
    assert_non_null(strstr(line, "\"message\":\"topic a  [31m\\\"b\\\\ ? \xc3\xa9?? exists now\""));
    assert_non_null(strstr(line, ",\"topic\":\"a  [31m\\\"b\\\\ ? \xc3\xa9??\"}\n"));
    assert_int_equal(utf8_valid_len(buf_slice(&buf)), buf.len);
    struct log_field last = FIELD_TEXT("topic", SLICE("\xc2\x9b"));
    buf_reset(&buf);
    log_add_text(&buf, WALL_MS, LOG_TOPIC_FOUND, &last, 1);
    assert_buf(&buf, "2026-11-22T10:00:00.123Z info  topic   exists now\n");
}

static void long_text_is_clipped_between_code_points(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    char text[1000];
    memset(text, 'x', sizeof text);
    memcpy(text + 511, "\xc3\xa9", 2);
    struct log_field topic = FIELD_TEXT("topic", slice_of(text, sizeof text));
    buf_init(&buf, 2000);
    log_add_text(&buf, WALL_MS, LOG_TOPIC_FOUND, &topic, 1);
    assert_int_equal(buf.failed, OK);
    assert_int_equal(buf.len, strlen("2026-11-22T10:00:00.123Z info  topic  exists now\n") + 511);
}

static void every_event_has_a_name_and_a_line(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, 4000);
    for (enum log_event event = 0; event < LOG_EVENT_COUNT; event++) {
        const char *name = log_event_name(event);
        assert_true(strlen(name) > 0);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789"), strlen(name));
        assert_ptr_equal(log_event_name(event), name);
        buf_reset(&buf);
        log_add_text(&buf, WALL_MS, event, NULL, 0);
        assert_int_equal(buf.failed, OK);
        assert_int_equal(buf.ptr[buf.len - 1], '\n');
        assert_int_equal(slice_find(buf_slice(&buf), '\n'), buf.len - 1);
        assert_int_equal(slice_find(buf_slice(&buf), '{'), buf.len);
    }
    assert_string_equal(log_level_name(log_event_level(LOG_BUG)), "error");
    assert_string_equal(log_level_name(LOG_WARN), "warn");
    assert_string_equal(log_level_name(LOG_DEBUG), "debug");
    assert_int_equal(log_event_level(LOG_STARTED), LOG_INFO);
}

static void no_field_shows_a_secret(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    const struct log_field fields[] = {
        FIELD_TEXT("client", SLICE("consumer")),
        FIELD_TEXT("text", SLICE("the password hunter2-canary is wrong")),
    };
    buf_init(&buf, 4000);
    secrets_learn(SLICE("hunter2-canary"), true);
    log_add_text(&buf, WALL_MS, LOG_LIBRDKAFKA_LOG, fields, COUNT_OF(fields));
    log_add_json(&buf, WALL_MS, LOG_LIBRDKAFKA_LOG, fields, COUNT_OF(fields));
    secrets_forget_all();
    assert_null(strstr(buf_text(&buf), "hunter2"));
    assert_non_null(strstr(buf_text(&buf), "the password *** is wrong"));
}

static bool print(void *self)
{
    (void)self;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, 4000);
    log_add_json(&buf, WALL_MS, LOG_PARTITION_REVOKED, REVOKED, COUNT_OF(REVOKED));
    return buf.failed == OK;
}

static void printing_survives_failed_allocations(void **state)
{
    (void)state;
    assert_true(torture(print, NULL) > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_line_has_time_level_and_sentence),
        cmocka_unit_test(a_json_line_has_every_field_too),
        cmocka_unit_test(a_missing_field_is_shown_as_a_question_mark),
        cmocka_unit_test(foreign_text_cannot_forge_a_line),
        cmocka_unit_test(long_text_is_clipped_between_code_points),
        cmocka_unit_test(every_event_has_a_name_and_a_line),
        cmocka_unit_test(no_field_shows_a_secret),
        cmocka_unit_test(printing_survives_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
