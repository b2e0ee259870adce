#include "base/timers.h"

#include "base/check.h"
#include "base/memory.h"

enum err timers_init(struct timers *timers, size_t room)
{
    size_t size;
    *timers = (struct timers){0};
    if (__builtin_mul_overflow(room == 0 ? 1 : room, sizeof *timers->heap, &size))
        return ERR_NO_MEMORY;
    timers->heap = memory_new(size);
    if (timers->heap == NULL)
        return ERR_NO_MEMORY;
    timers->room = room;
    return OK;
}

void timers_done(struct timers *timers)
{
    memory_free(timers->heap);
    *timers = (struct timers){0};
}

void timer_init(struct timer *timer)
{
    *timer = (struct timer){.place = TIMER_IDLE};
}

static bool is_before(const struct timer *a, const struct timer *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

static void put(struct timers *timers, struct timer *timer, size_t place)
{
    timers->heap[place] = timer;
    timer->place = place;
}

static void move_up(struct timers *timers, struct timer *timer)
{
    size_t place = timer->place;
    while (place > 0) {
        struct timer *parent = timers->heap[(place - 1) / 2];
        if (!is_before(timer, parent))
            break;
        size_t above = parent->place;
        put(timers, parent, place);
        place = above;
    }
    put(timers, timer, place);
}

static void move_down(struct timers *timers, struct timer *timer)
{
    size_t place = timer->place;
    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= timers->count)
            break;
        if (child + 1 < timers->count && is_before(timers->heap[child + 1], timers->heap[child]))
            child++;
        if (!is_before(timers->heap[child], timer))
            break;
        put(timers, timers->heap[child], place);
        place = child;
    }
    put(timers, timer, place);
}

void timers_set(struct timers *timers, struct timer *timer, int64_t due_ms)
{
    if (timer->place == TIMER_IDLE) {
        CHECK(timers->count < timers->room);
        put(timers, timer, timers->count++);
    }
    CHECK(timer->place < timers->count);
    CHECK(timers->heap[timer->place] == timer);
    timer->due_ms = due_ms;
    timer->order = timers->next_order++;
    move_up(timers, timer);
    move_down(timers, timer);
}

void timers_stop(struct timers *timers, struct timer *timer)
{
    if (timer->place == TIMER_IDLE)
        return;
    size_t place = timer->place;
    CHECK(place < timers->count);
    CHECK(timers->heap[place] == timer);
    struct timer *last = timers->heap[--timers->count];
    timer->place = TIMER_IDLE;
    if (last == timer)
        return;
    put(timers, last, place);
    move_up(timers, last);
    move_down(timers, last);
}

struct timer *timers_pop(struct timers *timers, int64_t now_ms)
{
    if (timers->count == 0 || timers->heap[0]->due_ms > now_ms)
        return NULL;
    struct timer *first = timers->heap[0];
    timers_stop(timers, first);
    return first;
}

int64_t timers_next_ms(const struct timers *timers)
{
    return timers->count == 0 ? INT64_MAX : timers->heap[0]->due_ms;
}
