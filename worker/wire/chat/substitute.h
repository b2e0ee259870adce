/* A request read for another alias than the one that it names: with that one's model, API, region,
 * identity and defaults. What the request says of its own model does not fit another one, and then
 * the request must stay. */
#ifndef WIRE_CHAT_SUBSTITUTE_H
#define WIRE_CHAT_SUBSTITUTE_H

#include "wire/chat/request.h"

/* Reads the record of `own`, a valid request of an alias, for `alias` of the same catalog. An error
 * says in ret_why why that one cannot take it: the field at fault, as of a request that names it;
 * ERR_NO_MEMORY: the arena is too small. `own` and ret_request borrow the record and the catalog.
 */
MUST_CHECK enum err substitute_read(struct arena *arena, const struct request_source *source,
                                    const struct request *own, struct request *ret_request,
                                    struct why *ret_why);

#endif
