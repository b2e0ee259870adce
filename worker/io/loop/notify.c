#include "io/loop/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE_MAX 1024

/* The number in a variable of the environment; 0 = there is none. */
static int64_t number_of(const char *variable)
{
    int64_t number = 0;
    const char *text = getenv(variable);
    return text != NULL && slice_to_int64(slice_of_text(text), &number) && number > 0 ? number : 0;
}

/* A socket that is connected to the one with this name; -1 = there is none. */
static int connect_to(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || len < 2 || len >= sizeof address.sun_path)
        return -1;
    memcpy(address.sun_path, name, len);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, size) == 0)
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

void notify_open(struct notify *notify)
{
    const char *name = getenv("NOTIFY_SOCKET");
    int64_t pid = number_of("WATCHDOG_PID");
    *notify = (struct notify){.fd = name == NULL ? -1 : connect_to(name)};
    if (notify->fd >= 0 && (pid == 0 || pid == getpid()))
        notify->watchdog_ms = number_of("WATCHDOG_USEC") / 2000;
}

static void send_text(const struct notify *notify, const char *text)
{
    if (notify->fd >= 0)
        (void)!send(notify->fd, text, strlen(text), MSG_NOSIGNAL);
}

void notify_ready(const struct notify *notify)
{
    send_text(notify, "READY=1");
}

void notify_stopping(const struct notify *notify, int64_t most_ms)
{
    char text[MESSAGE_MAX];
    (void)snprintf(text, sizeof text, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%lld",
                   (long long)most_ms * 1000);
    send_text(notify, text);
}

bool notify_step(struct notify *notify, int64_t now_ms)
{
    if (notify->fd < 0)
        return false;
    if (notify->watchdog_ms > 0 && now_ms >= notify->watchdog_due_ms) {
        notify->watchdog_due_ms = now_ms + notify->watchdog_ms;
        send_text(notify, "WATCHDOG=1");
    }
    if (now_ms < notify->status_due_ms)
        return false;
    notify->status_due_ms = now_ms + NOTIFY_STATUS_MS;
    return true;
}

void notify_status(const struct notify *notify, struct slice text)
{
    char message[MESSAGE_MAX];
    int len = (int)(text.len < MESSAGE_MAX / 2 ? text.len : MESSAGE_MAX / 2);
    (void)snprintf(message, sizeof message, "STATUS=%.*s", len, text.ptr == NULL ? "" : text.ptr);
    message[strcspn(message, "\n")] = '\0';
    send_text(notify, message);
}

void notify_close(struct notify *notify)
{
    if (notify->fd > 0)
        (void)close(notify->fd);
    notify->fd = -1;
}
