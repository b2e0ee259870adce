/* Can a TCP connection be opened? For `check --connect`; nothing is sent. */
#ifndef APP_PROBE_H
#define APP_PROBE_H

#include "base/attr.h"
#include "base/err.h"
#include "base/slice.h"

#define PROBE_WORDS_MAX 512

/* `host` is host[:port] or [address]:port. OK and the time it took; ERR_IO, ERR_TIMEOUT with words.
 */
MUST_CHECK enum err probe_tcp(struct slice host, const char *default_port, int64_t timeout_ms,
                              int64_t *ret_took_ms, char ret_words[PROBE_WORDS_MAX]);

#endif
