/* The manual pages of bedrock-worker, made from the tables of the help and of the settings. */
#ifndef APP_COMMANDS_MAN_H
#define APP_COMMANDS_MAN_H

#include "base/buf.h"

/* bedrock-worker(1): the program and all its commands. */
void man_add_program(struct buf *page);
/* bedrock-worker.yaml(5): the settings file. */
void man_add_settings(struct buf *page);

#endif
