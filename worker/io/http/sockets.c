#include "io/http/sockets.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <uv.h>

#include "base/check.h"
#include "base/memory.h"

#define BY_FD_ROOM_MIN 64
#define LOOK_MAX       1024 /* ready sockets per look, to bound a step of the owner */

/* A file descriptor; `used` false = not watched. */
struct watched {
    void *owner;
    bool used, kept;
    unsigned char wanted;     /* events that the owner waits for */
    unsigned char registered; /* events that epoll waits for; may be more */
};

struct sockets {
    uv_poll_t poll; /* of `epoll` */
    int epoll;
    struct watched *by_fd;
    size_t room, count;
    struct epoll_event ready[LOOK_MAX];
    size_t ready_count, ready_taken;
    bool is_closed;
};

/* Nothing to do: waking the loop is enough. */
static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)poll;
    (void)status;
    (void)events;
}

struct sockets *sockets_new(struct uv_loop_s *loop)
{
    struct sockets *sockets = memory_new(sizeof *sockets);
    if (sockets == NULL)
        return NULL;
    sockets->is_closed = true;
    sockets->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (sockets->epoll < 0 || uv_poll_init(loop, &sockets->poll, sockets->epoll) != 0) {
        sockets_free(sockets);
        return NULL;
    }
    sockets->is_closed = false;
    sockets->poll.data = sockets;
    CHECK(uv_poll_start(&sockets->poll, UV_READABLE, on_ready) == 0);
    return sockets;
}

static bool make_room(struct sockets *sockets, size_t fd)
{
    if (fd < sockets->room)
        return true;
    size_t room = sockets->room < BY_FD_ROOM_MIN ? BY_FD_ROOM_MIN : sockets->room;
    while (room <= fd)
        room *= 2;
    struct watched *by_fd = memory_resize(sockets->by_fd, room * sizeof *by_fd);
    if (by_fd == NULL)
        return false;
    memset(by_fd + sockets->room, 0, (room - sockets->room) * sizeof *by_fd);
    sockets->by_fd = by_fd;
    sockets->room = room;
    return true;
}

static struct watched *find(const struct sockets *sockets, int fd)
{
    if (fd < 0 || (size_t)fd >= sockets->room || !sockets->by_fd[fd].used)
        return NULL;
    return &sockets->by_fd[fd];
}

/* Registers `events` with epoll. A socket that the library closed without notice is no longer in
 * there, hence the second try. */
static bool set_epoll(struct sockets *sockets, int fd, int events)
{
    struct watched *watched = &sockets->by_fd[fd];
    struct epoll_event event = {.data.fd = fd};
    if ((events & SOCKET_READABLE) != 0)
        event.events |= EPOLLIN;
    if ((events & SOCKET_WRITABLE) != 0)
        event.events |= EPOLLOUT;
    bool is_in = watched->registered != 0;
    watched->registered = (unsigned char)events;
    if (events == 0)
        return !is_in || epoll_ctl(sockets->epoll, EPOLL_CTL_DEL, fd, &event) == 0;
    if (is_in && epoll_ctl(sockets->epoll, EPOLL_CTL_MOD, fd, &event) == 0)
        return true;
    if (epoll_ctl(sockets->epoll, EPOLL_CTL_ADD, fd, &event) == 0)
        return true;
    if (errno == EEXIST && epoll_ctl(sockets->epoll, EPOLL_CTL_MOD, fd, &event) == 0)
        return true;
    watched->registered = 0;
    return false;
}

/* The owner waits for nothing now. An idle socket is nearly always writable, so epoll must not
 * report that. */
static void unwatch(struct sockets *sockets, int fd)
{
    struct watched *watched = &sockets->by_fd[fd];
    watched->wanted = 0;
    if ((watched->registered & SOCKET_WRITABLE) != 0)
        (void)set_epoll(sockets, fd, watched->registered & SOCKET_READABLE);
}

bool sockets_watch(struct sockets *sockets, int fd, int events, void *owner)
{
    struct watched *watched = find(sockets, fd);
    if (events == 0) {
        if (watched != NULL && watched->kept)
            unwatch(sockets, fd);
        else
            sockets_forget(sockets, fd);
        return true;
    }
    if (fd < 0 || !make_room(sockets, (size_t)fd))
        return false;
    watched = &sockets->by_fd[fd];
    sockets->count += watched->used ? 0 : 1;
    watched->used = true;
    watched->owner = owner;
    watched->wanted = (unsigned char)events;
    return watched->registered == events || set_epoll(sockets, fd, events);
}

void sockets_keep(struct sockets *sockets, int fd)
{
    struct watched *watched = find(sockets, fd);
    if (watched != NULL)
        watched->kept = true;
}

void sockets_forget(struct sockets *sockets, int fd)
{
    struct watched *watched = find(sockets, fd);
    if (watched == NULL)
        return;
    (void)set_epoll(sockets, fd, 0);
    *watched = (struct watched){0};
    sockets->count--;
}

void sockets_look(struct sockets *sockets)
{
    int count = epoll_wait(sockets->epoll, sockets->ready, LOOK_MAX, 0);
    sockets->ready_count = count > 0 ? (size_t)count : 0;
    sockets->ready_taken = 0;
}

bool sockets_next(struct sockets *sockets, struct socket_event *ret_event)
{
    while (sockets->ready_taken < sockets->ready_count) {
        const struct epoll_event *event = &sockets->ready[sockets->ready_taken++];
        int fd = event->data.fd;
        struct watched *watched = find(sockets, fd);
        if (watched == NULL)
            continue; /* forgotten since the look */
        if (watched->wanted == 0) {
            (void)set_epoll(sockets, fd, 0);
            continue;
        }
        int seen = ((event->events & EPOLLIN) != 0 ? SOCKET_READABLE : 0) |
                   ((event->events & EPOLLOUT) != 0 ? SOCKET_WRITABLE : 0);
        if ((event->events & (EPOLLERR | EPOLLHUP)) != 0)
            seen = SOCKET_READABLE | SOCKET_WRITABLE;
        if ((seen & watched->wanted) == 0)
            continue;
        *ret_event = (struct socket_event){fd, seen & watched->wanted, watched->owner};
        return true;
    }
    return false;
}

size_t sockets_count(const struct sockets *sockets)
{
    return sockets->count;
}

static void on_closed(uv_handle_t *handle)
{
    struct sockets *sockets = handle->data;
    sockets->is_closed = true;
}

void sockets_close(struct sockets *sockets)
{
    for (size_t fd = 0; fd < sockets->room; fd++)
        sockets_forget(sockets, (int)fd);
    uv_close((uv_handle_t *)(void *)&sockets->poll, on_closed);
}

bool sockets_are_closed(const struct sockets *sockets)
{
    return sockets->is_closed;
}

void sockets_free(struct sockets *sockets)
{
    if (sockets == NULL)
        return;
    CHECK(sockets->is_closed);
    if (sockets->epoll >= 0)
        (void)close(sockets->epoll);
    memory_free(sockets->by_fd);
    memory_free(sockets);
}
