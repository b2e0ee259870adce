/* What other interfaces call a field of a request: foreign_names.def. */
#ifndef WIRE_CHAT_FOREIGN_H
#define WIRE_CHAT_FOREIGN_H

#include "base/buf.h"

/* Appends what to write in place of a foreign name. False: it is none. */
bool foreign_add_hint(struct buf *words, struct slice name);

#endif
