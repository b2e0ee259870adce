/* The names of members in AWS's case: LangChain prints Bedrock's blocks with snake_case names and
 * takes them back so (source_content for sourceContent). What the members say stays byte for byte.
 */
#ifndef WIRE_FORMATS_JSON_CAMEL_H
#define WIRE_FORMATS_JSON_CAMEL_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/slice.h"

/* `source` is JSON that was scanned before. Borrows it when there is nothing to rename, else copies
 * into the arena. False: no memory. */
MUST_CHECK bool json_camel(struct arena *arena, struct slice source, struct slice *ret_json);

#endif
