/* What the process shows of itself. Its memory: a core dump and a debugger see keys, prompts and
 * answers. What it uses, as metrics with the names of Prometheus' client libraries: CPU time by
 * getrusage(2), memory and open files by /proc. What the system does not say is left out. */
#ifndef IO_LOOP_PROCESS_H
#define IO_LOOP_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

struct metrics;

/* Forbids core dumps (PR_SET_DUMPABLE, RLIMIT_CORE), and other processes of the user to look into
 * the memory, or allows both again as far as the limit allows it. Call it before there is a secret.
 */
void process_hide(bool is_hidden);
/* Sets the process_ metrics, for one scrape. */
void process_meter(struct metrics *metrics, int64_t started_wall_ms);

#endif
