/* The readers of the families' bodies of InvokeModel, for the list of families. Each reads a body
 * that has the family's shape. Errors: ERR_REJECTED with a reason, ERR_NO_MEMORY. */
#ifndef SIM_BODIES_READERS_H
#define SIM_BODIES_READERS_H

#include "sim/bodies/reading.h"

MUST_CHECK enum err check_anthropic(struct reading *reading, const struct json *root);
MUST_CHECK enum err check_nova(struct reading *reading, const struct json *root);
MUST_CHECK enum err check_chat(struct reading *reading, const struct json *root);
MUST_CHECK enum err check_command(struct reading *reading, const struct json *root);
MUST_CHECK enum err check_prompt(struct reading *reading, const struct json *root);

#endif
