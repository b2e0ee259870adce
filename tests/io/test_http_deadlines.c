/* The limits of io/http/client.c, one at a time, against hostile_server.py. */
#include "io/http_kit.h"

static struct kit kit;

static int setup(void **state)
{
    (void)state;
    return kit_begin(&kit);
}

static int teardown(void **state)
{
    (void)state;
    return kit_finish(&kit);
}

/* One call that a short limit ends after `bytes` of its body; the limit is as short as the machine
 * allows. */
static struct heard *times_out(const char *path, int64_t *limit_ms, size_t bytes, const char *words)
{
    char wanted[80];
    int calls = 0;
    struct heard *heard = NULL;
    for (*limit_ms = 300; *limit_ms < KIT_PATIENCE_MS; *limit_ms *= 2) {
        heard = kit_call_fails(&kit, path, ERR_TIMEOUT);
        (void)snprintf(wanted, sizeof wanted, "%s %lld ms", words, (long long)*limit_ms);
        assert_non_null(strstr(heard->words, wanted));
        calls++;
        if (heard->was_sent && heard->body_bytes >= bytes)
            break;
    }
    assert_true(heard->was_sent && heard->body_bytes >= bytes);
    server_await(&kit.server, "seen", path, 1);
    assert_true(server_seen(&kit.server, path) <= calls);
    return heard;
}

/* An interim response does not begin the answer: a model may think for minutes. */
static void an_interim_response_does_not_meet_the_first_byte_deadline(void **state)
{
    (void)state;
    kit.config.idle_ms = 300;
    kit_open(&kit);
    struct heard *heard = kit_call(&kit, "/interim-then-slow");
    assert_int_equal(heard->err, OK);
    assert_int_equal(heard->status, 200);
    assert_int_equal(heard->heads, 1);
    assert_int_equal(heard->ends, 1);
    kit_close(&kit);
}

static void an_endless_body_ends_at_the_total_deadline(void **state)
{
    (void)state;
    (void)times_out("/endless-body", &kit.config.total_ms, 100000, "longer than");
}

static void a_dripping_body_ends_at_the_total_deadline(void **state)
{
    (void)state;
    (void)times_out("/drip", &kit.config.total_ms, 2, "longer than");
}

static void silence_before_the_answer_ends_at_the_first_byte_deadline(void **state)
{
    (void)state;
    struct heard *heard = times_out("/stall", &kit.config.first_byte_ms, 0, "no answer within");
    assert_int_equal(heard->heads, 0);
}

static void silence_in_the_answer_ends_at_the_idle_deadline(void **state)
{
    (void)state;
    static const char PAUSED[] = "paused for more than";
    struct heard *heard = times_out("/stall-in-head", &kit.config.idle_ms, 0, PAUSED);
    assert_int_equal(heard->heads, 0);
    heard = times_out("/stall-in-body", &kit.config.idle_ms, 5, PAUSED);
    assert_int_equal(heard->heads, 1);
    assert_int_equal(heard->body_bytes, 5);
}

static void a_server_that_does_not_read_ends_at_the_first_byte_deadline(void **state)
{
    (void)state;
    static char body[8000000];
    kit.config.first_byte_ms = 300;
    do {
        kit_open(&kit);
        (void)kit_start(&kit, 0, "/never-reads", slice_of(body, sizeof body));
        kit_await(&kit, kit.listener.ended + 1);
        kit_close(&kit);
        assert_int_equal(kit.listener.calls[0].err, ERR_TIMEOUT);
        kit.config.first_byte_ms *= 2;
    } while (!kit.listener.calls[0].was_sent && kit.config.first_byte_ms < KIT_PATIENCE_MS);
    assert_true(kit.listener.calls[0].was_sent);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(an_interim_response_does_not_meet_the_first_byte_deadline),
        CASE(an_endless_body_ends_at_the_total_deadline),
        CASE(a_dripping_body_ends_at_the_total_deadline),
        CASE(silence_before_the_answer_ends_at_the_first_byte_deadline),
        CASE(silence_in_the_answer_ends_at_the_idle_deadline),
        CASE(a_server_that_does_not_read_ends_at_the_first_byte_deadline),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
