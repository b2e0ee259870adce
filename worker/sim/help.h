/* The help page of bedrock-sim: usage, options (options.def) and faults (faults.def). */
#ifndef SIM_HELP_H
#define SIM_HELP_H

#include <stdbool.h>

/* Prints the page to standard output: as text, or as the manual page bedrock-sim(1). */
void help_print(bool is_manual);

#endif
