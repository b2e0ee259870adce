/* The URL of a proxy, as the settings, HTTPS_PROXY and curl have it:
 * [scheme://][user[:password]@]host[:port][/…], where the user and the password are percent-encoded
 * (RFC 3986) and the schemes are curl's. It is checked before curl gets it, because curl's errors
 * quote it. */
#ifndef WIRE_FORMATS_PROXY_H
#define WIRE_FORMATS_PROXY_H

#include "base/slice.h"

#define PROXY_BYTES_MAX 2048

/* What is wrong with the URL, as the end of a sentence with a remedy and without a piece of it;
 * NULL = nothing. Without `may_lack_scheme` it must begin with one. */
const char *proxy_fault(struct slice url, bool may_lack_scheme);
/* The password as it is written, and `user:password`; null = none. */
struct slice proxy_password(struct slice url);
struct slice proxy_userinfo(struct slice url);

#endif
