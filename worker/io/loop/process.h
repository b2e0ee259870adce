/* What the process uses, as metrics with the names of Prometheus' client libraries: CPU time by
 * getrusage(2), memory and open files by /proc. What the system does not say is left out. */
#ifndef IO_LOOP_PROCESS_H
#define IO_LOOP_PROCESS_H

#include <stdint.h>

struct metrics;

/* Sets the process_ metrics, for one scrape. */
void process_meter(struct metrics *metrics, int64_t started_wall_ms);

#endif
