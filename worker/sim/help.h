/* bedrock-sim's page of help: its options (options.def) and faults (faults.def), and the rest. */
#ifndef SIM_HELP_H
#define SIM_HELP_H

/* To standard output. */
void help_print(void);

#endif
