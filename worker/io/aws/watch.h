/* Keeps the engine's AWS credentials fresh: the chain of credentials.h is asked at the start and
 * again and again, because files change and credentials end. Files are read by libuv's worker
 * threads; the engine hears what every look found. */
#ifndef IO_AWS_WATCH_H
#define IO_AWS_WATCH_H

#include "engine/ports.h"

struct uv_loop_s;
struct credentials_watch;

/* profile: of the settings; "" or NULL = the environment's. Borrowed. NULL: out of memory. */
MUST_CHECK struct credentials_watch *credentials_watch_new(struct uv_loop_s *loop,
                                                           const char *profile);
void credentials_watch_attach(struct credentials_watch *watch, struct engine *engine);
/* Asks soon: in the next step, but not more often than once a second. */
void credentials_watch_refresh(struct credentials_watch *watch);
/* Hands over what was found, asks when it is time. Once a turn. */
void credentials_watch_step(struct credentials_watch *watch, int64_t now_ms);
/* Asks no more; then the loop must run until credentials_watch_is_closed. */
void credentials_watch_close(struct credentials_watch *watch);
bool credentials_watch_is_closed(const struct credentials_watch *watch);
void credentials_watch_free(struct credentials_watch *watch); /* NULL is fine */

#endif
