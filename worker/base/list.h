/* An intrusive doubly linked list, as a ring. A `struct link` lies in the object; the list's head
 * is a link as well. The list owns nothing. A link that is in no list points to itself, so that
 * removing it twice is harmless; every link needs link_init first. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct link {
    struct link *next, *prev;
};

/* The object of type `type` whose member `member` is the link. */
#define LINK_OWNER(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

/* Makes an empty head, or a link that is in no list. */
static inline void link_init(struct link *link)
{
    link->next = link->prev = link;
}

/* Is the list of this head empty, or this link in no list? */
static inline bool link_alone(const struct link *link)
{
    return link->next == link;
}

/* Removes the link from its list, if it is in one. */
static inline void link_out(struct link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link_init(link);
}

/* Add a link, which must be in no list, at the end or the beginning. */
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

/* NULL when the list is empty. */
static inline struct link *list_first(struct link *head)
{
    return link_alone(head) ? NULL : head->next;
}

/* Moves all links of `from` to the end of `to`, in their order. */
static inline void list_move_all(struct link *from, struct link *to)
{
    while (!link_alone(from)) {
        struct link *link = from->next;
        link_out(link);
        list_add_last(to, link);
    }
}

#endif
