/* The part of `bedrock-worker check --connect` that asks Bedrock. */
#ifndef APP_COMMANDS_CHECK_BEDROCK_H
#define APP_COMMANDS_CHECK_BEDROCK_H

#include "app/assembly.h"
#include "app/commands/checking.h"

/* Finds the keys of each identity, and calls each model of the settings with a request that Bedrock
 * rejects and does not bill. */
void check_bedrock(struct checking *checking, const struct assembly *assembly);

#endif
