/* Log lines to a reader that reads, to one that does not, and to a closed pipe. */
#include "unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "io/loop/clock.h"
#include "io/loop/log_sink.h"

#define PATIENCE_MS 120000

static void say(struct log_sink *sink, const char *words)
{
    struct log_field fields[] = {FIELD_TEXT("client", SLICE("test")),
                                 FIELD_TEXT("text", slice_of_text(words))};
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

static void lines_are_written_whole_and_in_order(void **state)
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
    const char *first = strstr(buf_text(&text), "\"text\":\"first\"");
    const char *second = strstr(buf_text(&text), "\"text\":\"second\"");
    assert_true(first != NULL && second != NULL && first < second);
    assert_null(strstr(buf_text(&text), "stopped"));
    assert_int_equal(text.ptr[0], '{');
}

/* Is there no room for one byte more? */
static bool is_full(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    return poll(&ready, 1, 0) == 0;
}

/* Logs until the pipe is full, and as many lines again as the sink has room for. Nothing reads
 * meanwhile: a sink that waited for its reader would never come back. */
static void log_into_a_full_pipe(struct log_sink *sink, int fd)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (!is_full(fd) && clock_monotonic_ms() < until_ms)
        say(sink, "a line that nobody reads, long enough to fill what room there is");
    assert_true(is_full(fd));
    for (size_t bytes = 0; bytes < 2 * LOG_SINK_BYTES_MAX; bytes += 64)
        say(sink, "a line that nobody reads, long enough to fill what room there is");
    assert_true(is_full(fd));
}

static void read_until(int fd, const char *words, struct buf *text)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    while (strstr(buf_text(text), words) == NULL) {
        assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
        char *room = buf_reserve(text, 65536);
        assert_non_null(room);
        ssize_t got = read(fd, room, 65536);
        assert_true(got > 0);
        text->len += (size_t)got;
    }
}

static void a_reader_that_stops_reading_never_blocks_the_writer(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct log_sink *sink = sink_to(ends[1], LOG_FORMAT_TEXT);
    log_into_a_full_pipe(sink, ends[1]);
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 64 << 20);
    read_until(ends[0], "log lines were dropped", &text);
    say(sink, "read again");
    read_until(ends[0], "read again", &text);
    log_sink_free(sink);
    close(ends[0]);
    close(ends[1]);
}

static void a_sink_whose_reader_never_reads_still_ends(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct log_sink *sink = sink_to(ends[1], LOG_FORMAT_TEXT);
    log_into_a_full_pipe(sink, ends[1]);
    log_sink_free(sink);
    assert_true(is_full(ends[1]));
    close(ends[0]);
    close(ends[1]);
}

static void a_closed_pipe_does_not_end_the_process(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    struct log_sink *sink = sink_to(ends[1], LOG_FORMAT_TEXT);
    for (int i = 0; i < 100; i++)
        say(sink, "to a closed pipe");
    log_sink_free(sink);
    close(ends[1]);
}

static void until_dropped(const struct log_sink *sink, int64_t gaps)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (log_sink_count(sink, LOG_LOG_LINES_DROPPED) < gaps && clock_monotonic_ms() < until_ms)
        (void)usleep(1000);
    assert_int_equal(log_sink_count(sink, LOG_LOG_LINES_DROPPED), gaps);
}

static void set_file_limit(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A limit on the file's size takes the place of the full disk. */
static void lines_that_a_full_disk_loses_are_counted_and_reported_when_there_is_room(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    FILE *file = tmpfile();
    assert_non_null(file);
    struct log_sink *sink = sink_to(fileno(file), LOG_FORMAT_TEXT);
    set_file_limit(40); /* in the first line */
    say(sink, "one");
    until_dropped(sink, 1);
    for (int i = 0; i < 9; i++)
        say(sink, "more");
    set_file_limit(RLIM_INFINITY);
    say(sink, "room again");
    log_sink_free(sink);
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 65536);
    assert_int_equal(lseek(fileno(file), 0, SEEK_SET), 0);
    read_all(fileno(file), &text);
    (void)fclose(file);
    print_message("%s", buf_text(&text));
    /* What was cut ends its line; some of the nine may have met the limit, some not. */
    const char *report = strstr(buf_text(&text), "log lines were dropped: File too large");
    assert_non_null(report);
    assert_non_null(strstr(report, "room again\n"));
    assert_int_equal(buf_text(&text)[40], '\n');
}

static void a_disk_that_stays_full_ends_nothing_and_counts_each_gap_once(void **state)
{
    (void)state;
    int fd = open("/dev/full", O_WRONLY);
    assert_true(fd >= 0);
    struct log_sink *sink = sink_to(fd, LOG_FORMAT_TEXT);
    say(sink, "first");
    until_dropped(sink, 1);
    for (int i = 0; i < 1000; i++)
        say(sink, "to a full disk");
    log_sink_free(sink);
    (void)close(fd);
}

static void heard(void *self, enum log_event event, struct slice line)
{
    struct buf *text = self;
    assert_int_equal(event, LOG_LIBRDKAFKA_LOG);
    buf_add(text, line);
}

static void a_function_can_receive_the_lines(void **state)
{
    (void)state;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 65536);
    struct log_config config = {
        .level = LOG_INFO, .format = LOG_FORMAT_JSON, .write = heard, .self = &text};
    struct log_sink *sink = log_sink_new(&config);
    say(sink, "for a function");
    assert_non_null(strstr(buf_text(&text), "\"text\":\"for a function\""));
    log_sink_free(sink);
}

static void clocks_advance_and_seeds_differ(void **state)
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
        cmocka_unit_test(lines_are_written_whole_and_in_order),
        cmocka_unit_test(a_reader_that_stops_reading_never_blocks_the_writer),
        cmocka_unit_test(a_sink_whose_reader_never_reads_still_ends),
        cmocka_unit_test(a_closed_pipe_does_not_end_the_process),
        cmocka_unit_test(lines_that_a_full_disk_loses_are_counted_and_reported_when_there_is_room),
        cmocka_unit_test(a_disk_that_stays_full_ends_nothing_and_counts_each_gap_once),
        cmocka_unit_test(a_function_can_receive_the_lines),
        cmocka_unit_test(clocks_advance_and_seeds_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
