/* Log lines to a reader that reads, that does not, and that is gone; and the watchdog. */
#include "unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "io/loop/clock.h"
#include "io/loop/log_sink.h"
#include "io/loop/watchdog.h"

static void say(struct log_sink *sink, const char *words)
{
    struct log_field fields[] = {FIELD_TEXT("client", SLICE("test")),
                                 FIELD_TEXT("words", slice_of_text(words))};
    log_sink_add(sink, LOG_LIBRDKAFKA_LOG, fields, COUNT_OF(fields));
}

static struct log_sink *sink_to(int fd, enum log_format format)
{
    struct log_config config = {.level = LOG_WARN, .format = format, .fd = fd};
    struct log_sink *sink = log_sink_new(&config);
    assert_non_null(sink);
    return sink;
}

static void read_all(int fd, struct buf *ret_text)
{
    char bytes[4096];
    ssize_t got;
    while ((got = read(fd, bytes, sizeof bytes)) > 0)
        buf_add(ret_text, slice_of(bytes, (size_t)got));
}

static void lines_come_out_whole_and_in_order(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct log_sink *sink = sink_to(ends[1], LOG_FORMAT_AUTO);
    say(sink, "first");
    log_sink_add(sink, LOG_STOPPED, NULL, 0); /* below the level */
    say(sink, "second");
    log_sink_free(sink);
    close(ends[1]);
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 65536);
    read_all(ends[0], &text);
    close(ends[0]);
    const char *first = strstr(buf_text(&text), "\"words\":\"first\"");
    const char *second = strstr(buf_text(&text), "\"words\":\"second\"");
    assert_true(first != NULL && second != NULL && first < second);
    assert_null(strstr(buf_text(&text), "stopped"));
    assert_int_equal(text.ptr[0], '{');
}

static void a_reader_that_stops_reading_never_holds_the_writer(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct log_sink *sink = sink_to(ends[1], LOG_FORMAT_WORDS);
    int64_t started_ms = clock_monotonic_ms();
    for (int i = 0; i < 60000; i++)
        say(sink, "a line that nobody reads, long enough to fill what room there is");
    assert_true(clock_monotonic_ms() - started_ms < 10000);
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 64 << 20);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    for (int i = 0; i < 200; i++) {
        read_all(ends[0], &text);
        struct timespec pause = {.tv_nsec = 1000000};
        nanosleep(&pause, NULL);
    }
    say(sink, "read again");
    log_sink_free(sink);
    close(ends[1]);
    read_all(ends[0], &text);
    close(ends[0]);
    assert_int_equal(text.failed, OK);
    assert_non_null(strstr(buf_text(&text), "log lines were dropped"));
    assert_non_null(strstr(buf_text(&text), "read again"));
}

static void a_sink_whose_reader_never_reads_ends_all_the_same(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct log_sink *sink = sink_to(ends[1], LOG_FORMAT_WORDS);
    for (int i = 0; i < 5000; i++)
        say(sink, "a line that nobody reads");
    int64_t started_ms = clock_monotonic_ms();
    log_sink_free(sink);
    assert_true(clock_monotonic_ms() - started_ms < 3000);
    close(ends[0]);
    close(ends[1]);
}

static void a_reader_that_is_gone_is_no_reason_to_die(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    struct log_sink *sink = sink_to(ends[1], LOG_FORMAT_WORDS);
    for (int i = 0; i < 100; i++)
        say(sink, "to nobody");
    log_sink_free(sink);
    close(ends[1]);
}

static void heard(void *self, enum log_event event, struct slice line)
{
    struct buf *text = self;
    assert_int_equal(event, LOG_LIBRDKAFKA_LOG);
    buf_add(text, line);
}

static void a_function_can_take_the_lines(void **state)
{
    (void)state;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 65536);
    struct log_config config = {
        .level = LOG_INFO, .format = LOG_FORMAT_JSON, .write = heard, .self = &text};
    struct log_sink *sink = log_sink_new(&config);
    say(sink, "for a function");
    assert_non_null(strstr(buf_text(&text), "\"words\":\"for a function\""));
    log_sink_free(sink);
}

/* The exit code of a child in which a watchdog is set, and stopped before it bites if asked. */
static int exit_code_with_watchdog(bool stopped)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct watchdog *watchdog = watchdog_new();
        watchdog_set(watchdog, 5000, 9);
        watchdog_set(watchdog, 100, 7);
        if (stopped)
            watchdog_stop(watchdog);
        struct timespec pause = {.tv_nsec = 400000000};
        nanosleep(&pause, NULL);
        watchdog_free(watchdog);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_watchdog_ends_what_hangs_unless_it_was_stopped(void **state)
{
    (void)state;
    assert_int_equal(exit_code_with_watchdog(false), 7);
    assert_int_equal(exit_code_with_watchdog(true), 0);
}

static void clocks_go_on_and_seeds_differ(void **state)
{
    (void)state;
    int64_t before_us = clock_monotonic_us();
    assert_true(clock_monotonic_us() >= before_us);
    assert_true(clock_wall_ms() > 1600000000000);
    assert_true(clock_seed() != clock_seed());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_out_whole_and_in_order),
        cmocka_unit_test(a_reader_that_stops_reading_never_holds_the_writer),
        cmocka_unit_test(a_sink_whose_reader_never_reads_ends_all_the_same),
        cmocka_unit_test(a_reader_that_is_gone_is_no_reason_to_die),
        cmocka_unit_test(a_function_can_take_the_lines),
        cmocka_unit_test(a_watchdog_ends_what_hangs_unless_it_was_stopped),
        cmocka_unit_test(clocks_go_on_and_seeds_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
