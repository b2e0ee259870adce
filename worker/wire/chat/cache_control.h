/* LangChain's and Anthropic's cache_control, {"type": "ephemeral", "ttl": "1h"}: of a request, a
 * block or a tool. */
#ifndef WIRE_CHAT_CACHE_CONTROL_H
#define WIRE_CHAT_CACHE_CONTROL_H

#include "wire/chat/reader.h"

/* Its JSON, as it was written. ERR_INVALID at `path` or a member of it. */
MUST_CHECK enum err cache_control_read(struct reader *reader, const char *path,
                                       const struct json *control, struct slice *ret_json);
/* The ttl of one that was read: 5m or 1h; null = it says none. */
struct slice cache_control_ttl(struct slice control);

#endif
