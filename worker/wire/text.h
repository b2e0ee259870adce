/* Small questions about valid UTF-8 text that more than one room asks. */
#ifndef WIRE_TEXT_H
#define WIRE_TEXT_H

#include "base/slice.h"

/* A C0 or C1 control character, or DEL. */
bool text_has_control(struct slice text);
/* Without white space at its end; white space is what Unicode calls so, for Bedrock refuses a blank
 * text whichever characters make it blank. */
struct slice text_trim_end(struct slice text);
/* Empty, or white space alone. */
bool text_is_blank(struct slice text);

#endif
