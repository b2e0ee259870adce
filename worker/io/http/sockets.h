/* Watches the sockets of a library (curl) with one epoll instance, which the uv loop watches in
 * turn. So a socket needs no handle of uv, the owner reads events when it wants to, and a kept
 * socket stays registered between requests: a kept-alive connection costs no system call per
 * request. A kept socket with an event that its owner does not wait for, such as the end of an idle
 * connection, is unregistered. The library owns the sockets. */
#ifndef IO_HTTP_SOCKETS_H
#define IO_HTTP_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

#define SOCKET_READABLE 1
#define SOCKET_WRITABLE 2

struct uv_loop_s;
struct sockets;

/* NULL: out of memory or of file descriptors. */
MUST_CHECK struct sockets *sockets_new(struct uv_loop_s *loop);
/* Waits for `events` (a sum of the above) of `fd` from now on; `owner` comes back with them. 0
 * waits for nothing, and forgets a socket that is not kept. False: out of memory, or `fd` is no
 * socket. */
MUST_CHECK bool sockets_watch(struct sockets *sockets, int fd, int events, void *owner);
/* Keeps a watched socket registered until sockets_forget. */
void sockets_keep(struct sockets *sockets, int fd);
/* Unregisters a socket; call it before a kept socket is closed. An unknown one is fine. */
void sockets_forget(struct sockets *sockets, int fd);

struct socket_event {
    int fd;
    /* those waited for; all of them when the socket failed, because reading or writing shows how */
    int events;
    void *owner;
};
/* Collects what is ready now, for sockets_next. Does not wait. */
void sockets_look(struct sockets *sockets);
/* The next ready socket; false = none is left. A socket that is not taken, or is still ready, comes
 * with the next sockets_look. */
bool sockets_next(struct sockets *sockets, struct socket_event *ret_event);
/* The number of watched and kept sockets. */
size_t sockets_count(const struct sockets *sockets);

/* The end, in this order: sockets_close forgets all sockets; the caller runs the loop until
 * sockets_are_closed; sockets_free frees the memory (NULL is fine). */
void sockets_close(struct sockets *sockets);
bool sockets_are_closed(const struct sockets *sockets);
void sockets_free(struct sockets *sockets);

#endif
