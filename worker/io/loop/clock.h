/* The clocks of the process and its only source of entropy. Any thread may call; nothing fails. */
#ifndef IO_LOOP_CLOCK_H
#define IO_LOOP_CLOCK_H

#include <stdint.h>

/* Time since boot, in milliseconds or microseconds. It never goes back, and it counts the time that
 * the machine was suspended. */
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);
/* Wall time in milliseconds since 1970-01-01T00:00:00Z. */
int64_t clock_wall_ms(void);
/* 64 random bits from getrandom(2). */
uint64_t clock_seed(void);

#endif
