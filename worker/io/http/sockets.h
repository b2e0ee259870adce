/* The sockets of somebody else's library, watched by an epoll of their own, which the uv loop
 * watches in turn. So a socket has no handle of uv's, what is ready is taken out in the owner's own
 * time and told once, and a kept socket stays registered while nobody waits for its events: a
 * kept-alive connection costs no system call per request. An event that nobody waits for (the peer
 * closed an idle connection) takes it out. */
#ifndef IO_HTTP_SOCKETS_H
#define IO_HTTP_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

#define SOCKET_READABLE 1
#define SOCKET_WRITABLE 2

struct uv_loop_s;
struct sockets;

/* NULL: out of memory or of files. */
MUST_CHECK struct sockets *sockets_new(struct uv_loop_s *loop);
/* Wait for events (a sum of the above) of `fd` for `owner` from now on. With 0 a socket that is not
 * kept is forgotten: it may be closed next. false: out of memory, or no socket. */
MUST_CHECK bool sockets_watch(struct sockets *sockets, int fd, int events, void *owner);
/* The end of this watched socket will be told by sockets_forget. */
void sockets_keep(struct sockets *sockets, int fd);
/* Before a kept socket is closed. Unknown ones are fine. */
void sockets_forget(struct sockets *sockets, int fd);

struct socket_event {
    int fd;
    /* of those waited for; all of them when the socket failed: reading or writing tells how */
    int events;
    void *owner;
};
/* A new look at what is ready, for sockets_next. */
void sockets_look(struct sockets *sockets);
/* The next ready socket; false = none left. What is not taken out, or still ready then, comes with
 * the next look. */
bool sockets_next(struct sockets *sockets, struct socket_event *ret_event);
size_t sockets_count(const struct sockets *sockets);

/* Forgets all; freed when the loop has run until sockets_are_closed. */
void sockets_close(struct sockets *sockets);
bool sockets_are_closed(const struct sockets *sockets);
void sockets_free(struct sockets *sockets); /* NULL is fine */

#endif
