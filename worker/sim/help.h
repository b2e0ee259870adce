/* The help page of bedrock-sim: usage, options (options.def) and faults (faults.def). */
#ifndef SIM_HELP_H
#define SIM_HELP_H

/* Prints the page to standard output. */
void help_print(void);

#endif
