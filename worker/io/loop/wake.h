/* How a room tells the loop, from any thread, that it has something to do. */
#ifndef IO_LOOP_WAKE_H
#define IO_LOOP_WAKE_H

struct loop_wake {
    void (*wake)(void *self);
    void *self;
};

#endif
