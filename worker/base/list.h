/* An intrusive doubly linked ring. A `struct link` lies in the object; the list's head is a link
 * too. A link that is in no list points to itself (after link_init or link_out), so taking it out
 * twice is harmless. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct link {
    struct link *next, *prev;
};

/* The object of type `type` whose member `member` is the link. */
#define LINK_OWNER(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void link_init(struct link *link)
{
    link->next = link->prev = link;
}

static inline bool link_alone(const struct link *link)
{
    return link->next == link;
}

static inline void link_out(struct link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link_init(link);
}

static inline void list_add_last(struct link *head, struct link *link)
{
    link->next = head;
    link->prev = head->prev;
    head->prev->next = link;
    head->prev = link;
}

static inline void list_add_first(struct link *head, struct link *link)
{
    list_add_last(head->next, link);
}

static inline struct link *list_first(struct link *head) /* NULL when empty */
{
    return link_alone(head) ? NULL : head->next;
}

/* Moves all of `from` behind the last of `to`. */
static inline void list_move_all(struct link *from, struct link *to)
{
    while (!link_alone(from)) {
        struct link *link = from->next;
        link_out(link);
        list_add_last(to, link);
    }
}

#endif
