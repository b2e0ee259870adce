#include "app/probe.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/clock.h"

#define NAME_BYTES_MAX 256

/* host[:port] or [v6 address][:port]; false when it is too long. */
static bool split(struct slice host, const char *default_port, char *ret_name, char *ret_port)
{
    bool is_bracketed = host.len > 0 && host.ptr[0] == '[';
    size_t close = is_bracketed ? slice_find(host, ']') : 0;
    struct slice name =
        is_bracketed ? slice_sub(host, 1, close - 1) : slice_sub(host, 0, slice_find(host, ':'));
    struct slice rest = slice_sub(host, is_bracketed ? close + 1 : name.len, host.len);
    struct slice port =
        slice_starts(rest, SLICE(":")) ? slice_sub(rest, 1, rest.len) : slice_of_text(default_port);
    if (name.len == 0 || name.len >= NAME_BYTES_MAX || port.len >= 8)
        return false;
    (void)snprintf(ret_name, NAME_BYTES_MAX, "%.*s", SLICE_ARG(name));
    (void)snprintf(ret_port, 8, "%.*s", SLICE_ARG(port));
    return true;
}

/* 0 when the connection stands, else errno. */
static int try_address(const struct addrinfo *address, int64_t timeout_ms)
{
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                    address->ai_protocol);
    if (fd < 0)
        return errno;
    int code = connect(fd, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
    if (code == EINPROGRESS) {
        struct pollfd waiting = {.fd = fd, .events = POLLOUT};
        socklen_t size = sizeof code;
        int ready = poll(&waiting, 1, (int)timeout_ms);
        if (ready <= 0)
            code = ready == 0 ? ETIMEDOUT : errno;
        else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) != 0)
            code = errno;
    }
    close(fd);
    return code;
}

enum err probe_tcp(struct slice host, const char *default_port, int64_t timeout_ms,
                   int64_t *ret_took_ms, char ret_words[PROBE_WORDS_MAX])
{
    char name[NAME_BYTES_MAX], port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *addresses = NULL;
    int64_t begun_ms = clock_monotonic_ms();
    if (!split(host, default_port, name, port)) {
        (void)snprintf(ret_words, PROBE_WORDS_MAX, "not a host and port");
        return ERR_IO;
    }
    int code = getaddrinfo(name, port, &hints, &addresses);
    if (code != 0) {
        (void)snprintf(ret_words, PROBE_WORDS_MAX, "%s cannot be resolved: %s", name,
                       gai_strerror(code));
        return ERR_IO;
    }
    code = ETIMEDOUT;
    for (const struct addrinfo *address = addresses; address != NULL; address = address->ai_next) {
        int64_t left_ms = begun_ms + timeout_ms - clock_monotonic_ms();
        if (left_ms <= 0)
            break;
        code = try_address(address, left_ms);
        if (code == 0)
            break;
    }
    freeaddrinfo(addresses);
    *ret_took_ms = clock_monotonic_ms() - begun_ms;
    if (code == 0)
        return OK;
    (void)snprintf(ret_words, PROBE_WORDS_MAX, "no connection to %s port %s: %s", name, port,
                   strerrordesc_np(code));
    return code == ETIMEDOUT ? ERR_TIMEOUT : ERR_IO;
}
