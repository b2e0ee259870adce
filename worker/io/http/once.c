#include "io/http/once.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "io/http/parts.h"
#include "io/http/reason.h"

static size_t on_body(char *ptr, size_t size, size_t count, void *self)
{
    struct buf *buf = self;
    buf_add(buf, slice_of(ptr, size * count));
    return buf->failed == OK ? size * count : 0;
}

/* Each status line begins a new head; the one after the interim answers counts. */
static size_t on_head(char *ptr, size_t size, size_t count, void *self)
{
    if (slice_starts(slice_of(ptr, size * count), SLICE("HTTP/")))
        buf_reset(self);
    return on_body(ptr, size, count, self);
}

static enum err err_of(CURLcode code)
{
    switch ((int)code) {
    case CURLE_OK:
        return OK;
    case CURLE_OPERATION_TIMEDOUT:
        return ERR_TIMEOUT;
    case CURLE_OUT_OF_MEMORY:
        return ERR_NO_MEMORY;
    case CURLE_WRITE_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
        return ERR_BROKEN_STREAM;
    default:
        return ERR_CONNECTION;
    }
}

/* Writes the reason, with the system's error behind it if there is one. */
static void write_reason(CURL *easy, CURLcode code, const char *text,
                         char ret_reason[HTTP_ONCE_REASON_MAX])
{
    long number = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
    http_reason(easy, code, text, ret_reason, HTTP_ONCE_REASON_MAX);
    const char *cause = code == CURLE_COULDNT_CONNECT ? strerrordesc_np((int)number) : NULL;
    size_t len = strlen(ret_reason);
    if (number != 0 && cause != NULL)
        (void)snprintf(ret_reason + len, HTTP_ONCE_REASON_MAX - len, " (%s)", cause);
}

static enum err exchange(CURL *easy, const struct http_request *request,
                         struct http_once_answer *ret_answer)
{
    char text[CURL_ERROR_SIZE] = "";
    struct curl_slist *lines = http_easy_set_request(easy, request);
    if (lines == NULL)
        return ERR_NO_MEMORY;
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, text);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, &ret_answer->head);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, &ret_answer->body);
    CURLcode code = curl_easy_perform(easy);
    long status = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    ret_answer->status = (int)status;
    if (code != CURLE_OK)
        write_reason(easy, code, text, ret_answer->reason);
    memory_free(lines);
    return err_of(code);
}

enum err http_once(const struct http_config *config, const struct http_request *request,
                   int64_t timeout_ms, struct http_once_answer *ret_answer)
{
    ret_answer->reason[0] = '\0';
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return ERR_NO_MEMORY;
    enum err err = ERR_NO_MEMORY;
    CURL *easy = curl_easy_init();
    if (easy != NULL) {
        http_easy_set_transport(easy, config);
        (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)config->connect_ms);
        (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
        err = exchange(easy, request, ret_answer);
    }
    curl_easy_cleanup(easy);
    curl_global_cleanup();
    return err;
}
