/* The signature under simulated reasoning: the simulator recognizes reasoning of its own that a
 * client changed, as Claude does. */
#ifndef SIM_SIGNATURE_H
#define SIM_SIGNATURE_H

#include <stdbool.h>

#include "base/buf.h"

/* Appends the signature of a text. */
void signature_add(struct buf *buf, struct slice text);
/* False: the simulator made the signature, for another text. */
bool signature_fits(struct slice text, struct slice signature);

#endif
