#include "io/http/reason.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/secrets.h"
#include "wire/formats/certificate.h"

static const struct {
    CURLcode code;
    const char *part, *words;
} REASONS[] = {
#define REASON(code, part, words) {(code), (part), (words)},
#include "io/http/reason.def"
#undef REASON
};

static const char *const REMEDIES[] = {
    [CERTIFICATE_TRUST] = "name the file of its CA in bedrock.ca_bundle or AWS_CA_BUNDLE",
    [CERTIFICATE_CLOCK] = "check this machine's clock",
    [CERTIFICATE_RENEW] = "the other side needs another one",
    [CERTIFICATE_HOST] = "check bedrock.endpoint_url and the proxy",
};

static const char *words_of(CURLcode code, const char *text)
{
    for (size_t i = 0; i < COUNT_OF(REASONS); i++) {
        bool is_code = REASONS[i].code == code || REASONS[i].code == CURLE_OK;
        if (is_code && strstr(text, REASONS[i].part) != NULL)
            return REASONS[i].words;
    }
    return NULL;
}

/* What OpenSSL says of the certificate; the proxy's, where that has one. 0 = nothing. */
static long certificate_code(CURL *easy)
{
    long code = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &code);
    if (code == 0)
        (void)curl_easy_getinfo(easy, CURLINFO_PROXY_SSL_VERIFYRESULT, &code);
    return code;
}

void http_reason(CURL *easy, CURLcode code, const char *text, char *ret_reason, size_t room)
{
    enum certificate_remedy remedy;
    if (text[0] == '\0')
        text = curl_easy_strerror(code);
    const char *words = words_of(code, text);
    long fault = code == CURLE_PEER_FAILED_VERIFICATION ? certificate_code(easy) : 0;
    if (words == NULL && fault != 0) {
        const char *what = certificate_fault(fault, &remedy);
        (void)snprintf(ret_reason, room, "the certificate %s; %s (%s)", what, REMEDIES[remedy],
                       text);
    } else if (words != NULL) {
        (void)snprintf(ret_reason, room, "%s (%s)", words, text);
    } else {
        (void)snprintf(ret_reason, room, "%s", text);
    }
    secrets_mask(ret_reason);
}
