/* Keeps the engine's AWS credentials fresh. It loads them (io/aws/credentials.h) at the start and
 * then periodically, because files change and credentials expire. libuv's thread pool reads the
 * files; engine_credentials gets each result. All functions are for the loop's thread. */
#ifndef IO_AWS_WATCH_H
#define IO_AWS_WATCH_H

#include "engine/ports.h"

struct uv_loop_s;
struct credentials_watch;

/* Makes a watch; `profile` is that of the settings, borrowed; "" or NULL = the environment's. NULL:
 * out of memory. */
MUST_CHECK struct credentials_watch *credentials_watch_new(struct uv_loop_s *loop,
                                                           const char *profile);
/* Sets the engine that receives the credentials. */
void credentials_watch_attach(struct credentials_watch *watch, struct engine *engine);
/* Makes the next step load the credentials, but at most once a second. */
void credentials_watch_refresh(struct credentials_watch *watch);
/* Passes a result to the engine, and starts loading when it is time. Call it once per turn. */
void credentials_watch_step(struct credentials_watch *watch, int64_t now_ms);
/* The end, in this order: credentials_watch_close stops loading; the caller runs the loop until
 * credentials_watch_is_closed; credentials_watch_free frees the memory (NULL is fine). */
void credentials_watch_close(struct credentials_watch *watch);
bool credentials_watch_is_closed(const struct credentials_watch *watch);
void credentials_watch_free(struct credentials_watch *watch);

#endif
