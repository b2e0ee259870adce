/* The only clock of the process, and its only source of chance. */
#ifndef IO_LOOP_CLOCK_H
#define IO_LOOP_CLOCK_H

#include <stdint.h>

int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);
int64_t clock_wall_ms(void); /* since 1970-01-01T00:00:00Z */
uint64_t clock_seed(void);   /* from getrandom(2) */

#endif
