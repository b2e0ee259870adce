/* Why an exchange failed, in plain words with a remedy, where curl's own words leave it open:
 * certificates, TLS versions, proxies (reason.def). */
#ifndef IO_HTTP_REASON_H
#define IO_HTTP_REASON_H

#include <curl/curl.h>
#include <stddef.h>

/* Writes the reason; secrets are masked, curl's words stand behind the plain ones. `text` is curl's
 * error buffer, "" = none. */
void http_reason(CURL *easy, CURLcode code, const char *text, char *ret_reason, size_t room);

#endif
