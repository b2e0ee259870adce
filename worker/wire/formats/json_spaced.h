/* JSON as Python's json.dumps(…, ensure_ascii=False) prints it: a space behind `,` and `:`, no
 * other blanks, and characters for their escapes. Models know this form, and LangChain prints so.
 * Numbers stay as they were written. */
#ifndef WIRE_FORMATS_JSON_SPACED_H
#define WIRE_FORMATS_JSON_SPACED_H

#include "base/buf.h"

/* `json` was scanned before (json_parse). */
void json_add_spaced(struct buf *buf, struct slice json);

#endif
