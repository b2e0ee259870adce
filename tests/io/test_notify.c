/* The service manager's side is a datagram socket with a path or an abstract name. */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/loop/notify.h"

struct manager {
    int fd;
    char name[64];
    char text[2048]; /* of the last datagram */
};

/* Listens under a name with this first byte, and puts it into the environment. */
static void listen_as(struct manager *manager, char first)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(manager->name, sizeof manager->name,
                   first == '/' ? "/tmp/bedrock-notify-%d" : "@bedrock-notify-%d", getpid());
    memcpy(address.sun_path, manager->name, strlen(manager->name));
    if (first == '@')
        address.sun_path[0] = '\0';
    else
        (void)unlink(manager->name);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(manager->name));
    manager->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(manager->fd >= 0);
    assert_int_equal(bind(manager->fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", manager->name, 1), 0);
}

static void leave(struct manager *manager)
{
    (void)close(manager->fd);
    if (manager->name[0] == '/')
        (void)unlink(manager->name);
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
}

/* The next datagram; "" = there is none. */
static const char *heard(struct manager *manager)
{
    ssize_t len = recv(manager->fd, manager->text, sizeof manager->text - 1, 0);
    manager->text[len > 0 ? len : 0] = '\0';
    return manager->text;
}

static void test_the_manager_hears_of_start_state_and_stop(void **state)
{
    (void)state;
    for (const char *first = "/@"; *first != '\0'; first++) {
        struct manager manager;
        struct notify notify;
        listen_as(&manager, *first);
        notify_open(&notify);
        notify_ready(&notify);
        assert_string_equal(heard(&manager), "READY=1");
        notify_status(&notify, SLICE("4 partitions\nREADY=1"));
        assert_string_equal(heard(&manager), "STATUS=4 partitions");
        notify_stopping(&notify, 140000);
        assert_string_equal(heard(&manager), "STOPPING=1\nEXTEND_TIMEOUT_USEC=140000000");
        notify_close(&notify);
        leave(&manager);
    }
}

static void test_signs_of_life_come_at_half_of_the_watchdogs_time(void **state)
{
    (void)state;
    struct manager manager;
    struct notify notify;
    int signs = 0, lines = 0;
    listen_as(&manager, '@');
    (void)setenv("WATCHDOG_USEC", "60000000", 1);
    notify_open(&notify);
    for (int64_t now_ms = 1000000; now_ms < 1120000; now_ms += 200) {
        lines += notify_step(&notify, now_ms);
        signs += strcmp(heard(&manager), "WATCHDOG=1") == 0;
    }
    assert_int_equal(signs, 4);
    assert_int_equal(lines, 120000 / NOTIFY_STATUS_MS);
    notify_close(&notify);
    leave(&manager);
}

static void test_a_watchdog_of_another_process_or_without_a_number_hears_nothing(void **state)
{
    (void)state;
    static const char *const WRONG[][2] = {
        {"60000000", "1"}, {"soon", NULL}, {"-5", NULL}, {"0", NULL}};
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        struct manager manager;
        struct notify notify;
        listen_as(&manager, '@');
        (void)setenv("WATCHDOG_USEC", WRONG[i][0], 1);
        if (WRONG[i][1] != NULL)
            (void)setenv("WATCHDOG_PID", WRONG[i][1], 1);
        notify_open(&notify);
        assert_true(notify_step(&notify, 1));
        assert_string_equal(heard(&manager), "");
        notify_close(&notify);
        leave(&manager);
    }
}

static void test_a_socket_that_is_away_or_full_delays_nothing(void **state)
{
    (void)state;
    char longer[200];
    memset(longer, 'x', sizeof longer);
    longer[0] = '@', longer[sizeof longer - 1] = '\0';
    const char *wrong[] = {"", "@", "/", "relative", "/no/such/socket", longer};
    struct notify notify;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        (void)setenv("NOTIFY_SOCKET", wrong[i], 1);
        notify_open(&notify);
        assert_int_equal(notify.fd, -1);
        notify_ready(&notify);
        assert_false(notify_step(&notify, 1));
        notify_close(&notify);
    }
    struct manager manager;
    listen_as(&manager, '@');
    notify_open(&notify);
    for (int i = 0; i < 2000; i++)
        notify_status(&notify, SLICE("full"));
    leave(&manager);
    notify_status(&notify, SLICE("gone"));
    notify_close(&notify);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_manager_hears_of_start_state_and_stop),
        cmocka_unit_test(test_signs_of_life_come_at_half_of_the_watchdogs_time),
        cmocka_unit_test(test_a_watchdog_of_another_process_or_without_a_number_hears_nothing),
        cmocka_unit_test(test_a_socket_that_is_away_or_full_delays_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
