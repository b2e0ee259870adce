/* Wakes the loop: rooms call it, from any thread, when they have something for the loop to do. */
#ifndef IO_LOOP_WAKE_H
#define IO_LOOP_WAKE_H

struct loop_wake {
    void (*wake)(void *self);
    void *self;
};

#endif
