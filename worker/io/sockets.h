/* The sockets of somebody else's library, watched in the uv loop. The watcher of a kept socket
 * lives as long as the socket and stays registered while nobody waits for events, so that a
 * kept-alive connection costs no system call per request; an event that nobody waits for (the peer
 * closed an idle connection) pauses it. uv's callback only takes a note: what is ready is taken out
 * by sockets_next in the owner's own time. */
#ifndef IO_SOCKETS_H
#define IO_SOCKETS_H

#include "base/attr.h"
#include "base/list.h"

#define SOCKET_READABLE 1
#define SOCKET_WRITABLE 2

struct uv_loop_s;
struct sockets;

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
    int events; /* both when the socket failed: reading or writing tells how */
    void *owner;
};
/* The next ready socket; false = none left. Sockets that are still ready come again in the next
 * turn of the loop. */
bool sockets_next(struct sockets *sockets, struct socket_event *ret_event);
size_t sockets_count(const struct sockets *sockets);

/* Forgets all; freed when the loop has run until sockets_are_closed. */
void sockets_close(struct sockets *sockets);
bool sockets_are_closed(const struct sockets *sockets);
void sockets_free(struct sockets *sockets); /* NULL is fine */

#endif
