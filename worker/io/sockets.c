#include "io/sockets.h"

#include <string.h>
#include <uv.h>

#include "base/check.h"
#include "base/memory.h"

#define BY_FD_ROOM_MIN 64

struct watched {
    uv_poll_t poll; /* first: uv's callbacks get it */
    struct sockets *sockets;
    struct link ready;
    void *owner;
    int fd;
    int wanted; /* what the owner waits for */
    int asked;  /* what uv waits for: may be more */
    int seen;   /* since it was last taken out */
    bool kept;
};

struct sockets {
    uv_loop_t *loop;
    struct watched **by_fd;
    size_t room;
    struct link ready;
    size_t count;
    size_t closing;
};

struct sockets *sockets_new(struct uv_loop_s *loop)
{
    struct sockets *sockets = memory_new(sizeof *sockets);
    if (sockets == NULL)
        return NULL;
    sockets->loop = loop;
    link_init(&sockets->ready);
    return sockets;
}

static bool make_room(struct sockets *sockets, size_t fd)
{
    if (fd < sockets->room)
        return true;
    size_t room = sockets->room < BY_FD_ROOM_MIN ? BY_FD_ROOM_MIN : sockets->room;
    while (room <= fd)
        room *= 2;
    struct watched **by_fd = memory_resize(sockets->by_fd, room * sizeof *by_fd);
    if (by_fd == NULL)
        return false;
    memset(by_fd + sockets->room, 0, (room - sockets->room) * sizeof *by_fd);
    sockets->by_fd = by_fd;
    sockets->room = room;
    return true;
}

static void watched_closed(uv_handle_t *handle)
{
    struct watched *watched = (struct watched *)(void *)handle;
    watched->sockets->closing--;
    memory_free(watched);
}

static struct watched *find(const struct sockets *sockets, int fd)
{
    return fd >= 0 && (size_t)fd < sockets->room ? sockets->by_fd[fd] : NULL;
}

static struct watched *watched_new(struct sockets *sockets, int fd)
{
    if (fd < 0 || !make_room(sockets, (size_t)fd))
        return NULL;
    CHECK(sockets->by_fd[fd] == NULL);
    struct watched *watched = memory_new(sizeof *watched);
    if (watched == NULL)
        return NULL;
    if (uv_poll_init(sockets->loop, &watched->poll, fd) != 0) {
        memory_free(watched);
        return NULL;
    }
    watched->sockets = sockets;
    watched->fd = fd;
    link_init(&watched->ready);
    sockets->by_fd[fd] = watched;
    sockets->count++;
    return watched;
}

static void ask(struct watched *watched, int events);

static void on_event(uv_poll_t *poll, int status, int events)
{
    struct watched *watched = (struct watched *)(void *)poll;
    int seen = ((events & UV_READABLE) != 0 ? SOCKET_READABLE : 0) |
               ((events & UV_WRITABLE) != 0 ? SOCKET_WRITABLE : 0);
    if (status < 0) {
        watched->asked = 0; /* uv has stopped it */
        watched->seen = watched->wanted != 0 ? SOCKET_READABLE | SOCKET_WRITABLE : 0;
    } else if ((seen & watched->wanted) == 0) {
        ask(watched, watched->wanted);
    }
    watched->seen |= seen & watched->wanted;
    if (watched->seen != 0 && link_alone(&watched->ready))
        list_add_last(&watched->sockets->ready, &watched->ready);
}

static void ask(struct watched *watched, int events)
{
    watched->asked = events;
    if (events == 0) {
        (void)uv_poll_stop(&watched->poll);
        return;
    }
    int uv_events = ((events & SOCKET_READABLE) != 0 ? UV_READABLE : 0) |
                    ((events & SOCKET_WRITABLE) != 0 ? UV_WRITABLE : 0);
    CHECK(uv_poll_start(&watched->poll, uv_events, on_event) == 0);
}

void sockets_keep(struct sockets *sockets, int fd)
{
    struct watched *watched = find(sockets, fd);
    if (watched != NULL)
        watched->kept = true;
}

/* Nobody waits for it now. Being writable is nearly always true: it would spin. */
static void rest(struct watched *watched)
{
    watched->wanted = 0;
    watched->seen = 0;
    link_out(&watched->ready);
    if ((watched->asked & SOCKET_WRITABLE) != 0)
        ask(watched, watched->asked & SOCKET_READABLE);
}

bool sockets_watch(struct sockets *sockets, int fd, int events, void *owner)
{
    struct watched *watched = find(sockets, fd);
    if (events == 0) {
        if (watched != NULL && watched->kept)
            rest(watched);
        else
            sockets_forget(sockets, fd);
        return true;
    }
    if (watched == NULL)
        watched = watched_new(sockets, fd);
    if (watched == NULL)
        return false;
    watched->owner = owner;
    watched->wanted = events;
    if (watched->asked != events)
        ask(watched, events);
    return true;
}

void sockets_forget(struct sockets *sockets, int fd)
{
    struct watched *watched = find(sockets, fd);
    if (watched == NULL)
        return;
    sockets->by_fd[fd] = NULL;
    sockets->count--;
    sockets->closing++;
    link_out(&watched->ready);
    uv_close((uv_handle_t *)(void *)&watched->poll, watched_closed);
}

bool sockets_next(struct sockets *sockets, struct socket_event *ret_event)
{
    struct link *link = list_first(&sockets->ready);
    if (link == NULL)
        return false;
    struct watched *watched = LINK_OWNER(link, struct watched, ready);
    link_out(link);
    *ret_event = (struct socket_event){watched->fd, watched->seen, watched->owner};
    watched->seen = 0;
    return true;
}

size_t sockets_count(const struct sockets *sockets)
{
    return sockets->count;
}

void sockets_close(struct sockets *sockets)
{
    for (size_t fd = 0; fd < sockets->room; fd++)
        sockets_forget(sockets, (int)fd);
}

bool sockets_are_closed(const struct sockets *sockets)
{
    return sockets->count == 0 && sockets->closing == 0;
}

void sockets_free(struct sockets *sockets)
{
    if (sockets == NULL)
        return;
    CHECK(sockets_are_closed(sockets));
    memory_free(sockets->by_fd);
    memory_free(sockets);
}
