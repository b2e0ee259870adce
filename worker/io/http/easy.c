#include "io/http/parts.h"
#include "io/http/reason.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/memory.h"

/* NAT gateways and load balancers forget idle connections after 350 s. */
#define KEEPALIVE_S         45L
#define UPLOAD_BUFFER_BYTES 16384L /* per running call with TLS */
/* Per running call; curl takes no less than 1024. */
#define RECEIVE_BYTES(calls) ((calls) > 4096 ? 1024L : (calls) > 1024 ? 2048L : 16384L)
/* Up to this size curl copies the body behind the head and sends both together. */
#define BODY_AT_ONCE_BYTES_MAX 65535
#define REQUEST_LINES_MAX      64

_Static_assert(sizeof(((struct exchange *)0)->carrier_error) >= CURL_ERROR_SIZE,
               "curl's error buffer must fit");

static curl_socket_t open_socket(void *self, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    struct exchange *exchange = self;
    exchange->is_connected = false;
    struct http *http = http_of(exchange);
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    sockets_forget(http->sockets, fd); /* curl may have closed a failed attempt of this number */
    http->stats.connections++;
    return fd;
}

static int close_socket(void *self, curl_socket_t fd)
{
    struct http *http = self;
    sockets_forget(http->sockets, fd);
    return close(fd);
}

static long request_size(const struct exchange *exchange)
{
    long size = 0;
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_REQUEST_SIZE, &size);
    return size;
}

/* curl calls this before it sends a request, also before it sends it again because a kept
 * connection ended before the first byte of the answer. Bedrock may have begun, and billed, the
 * first one; so a request may be sent again only if none of its bytes has left. */
static int before_sending(void *self, char *remote, char *local, int remote_port, int local_port)
{
    (void)remote;
    (void)local;
    (void)remote_port;
    (void)local_port;
    struct exchange *exchange = self;
    if (exchange->step != EXCHANGE_RUNNING)
        return CURL_PREREQFUNC_ABORT;
    if (exchange->due_to_send && request_size(exchange) > exchange->sent_before) {
        exchange->resend_refused = true;
        http_of(exchange)->stats.resends_refused++;
        return CURL_PREREQFUNC_ABORT;
    }
    exchange->is_connected = exchange->due_to_send = true;
    exchange->sent_before = request_size(exchange);
    return CURL_PREREQFUNC_OK;
}

static size_t on_read(char *ptr, size_t size, size_t count, void *self)
{
    struct exchange *exchange = self;
    if (exchange->step != EXCHANGE_RUNNING)
        return CURL_READFUNC_ABORT;
    struct slice piece = slice_sub(exchange->request.body, exchange->body_at, size * count);
    if (piece.len > 0)
        memcpy(ptr, piece.ptr, piece.len);
    exchange->body_at += piece.len;
    return piece.len;
}

static size_t on_head(char *ptr, size_t size, size_t count, void *self)
{
    struct exchange *exchange = self;
    struct slice line = slice_of(ptr, size * count);
    return exchange_receive_line(exchange, line, http_now_ms(http_of(exchange))) ? line.len : 0;
}

static size_t on_body(char *ptr, size_t size, size_t count, void *self)
{
    struct exchange *exchange = self;
    struct slice bytes = slice_of(ptr, size * count);
    return exchange_receive_body(exchange, bytes, http_now_ms(http_of(exchange))) ? bytes.len : 0;
}

void http_easy_set_transport(CURL *easy, const struct http_config *config)
{
    if (config->ca_bundle != NULL)
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, config->ca_bundle);
    (void)curl_easy_setopt(easy, CURLOPT_SSLCERT, config->client_certificate);
    (void)curl_easy_setopt(easy, CURLOPT_SSLKEY, config->client_key);
    (void)curl_easy_setopt(easy, CURLOPT_KEYPASSWD, config->client_key_password);
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, config->proxy);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

/* Makes an easy handle with the options that are the same for all calls. */
static CURL *easy_new(struct exchange *exchange)
{
    struct http *http = http_of(exchange);
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        return NULL;
    http_easy_set_transport(easy, &http->config);
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_SHARE, http->share);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->carrier_error);
    (void)curl_easy_setopt(easy, CURLOPT_DNS_SHUFFLE_ADDRESSES, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER_BYTES);
    (void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_BYTES(http->config.max_in_flight));
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_S);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_S);
    (void)curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)(http->config.max_idle_age_ms / 1000));
    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    (void)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, http);
    (void)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_sending);
    (void)curl_easy_setopt(easy, CURLOPT_PREREQDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    (void)curl_easy_setopt(easy, CURLOPT_READDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    return easy;
}

static size_t count_lines(struct slice headers)
{
    size_t count = 0;
    for (size_t at = 0; at < headers.len; count++)
        at += slice_find(slice_sub(headers, at, headers.len), '\n') + 1;
    return count;
}

/* curl needs `Name;` for a header without a value: `Name:` would remove a header that it adds. */
static void write_header(struct slice line, char *ret_text)
{
    line = slice_trim(line);
    memcpy(ret_text, line.ptr, line.len);
    if (line.len > 0 && slice_find(line, ':') == line.len - 1)
        ret_text[line.len - 1] = ';';
    ret_text[line.len] = '\0';
}

/* The request's headers, and lines that remove those that curl would add, in one block for
 * memory_free. NULL: out of memory. */
static struct curl_slist *lines_new(struct slice headers)
{
    static char removed[][16] = {"Accept:", "Expect:", "Content-Type:"};
    size_t lines = count_lines(headers);
    CHECK(lines <= REQUEST_LINES_MAX);
    size_t count = lines + COUNT_OF(removed);
    struct curl_slist *nodes = memory_new(count * sizeof *nodes + headers.len + 1);
    if (nodes == NULL)
        return NULL;
    for (size_t i = 0; i < COUNT_OF(removed); i++)
        nodes[lines + i].data = removed[i];
    char *text = (char *)(nodes + count);
    for (size_t i = 0, at = 0; i < lines; i++) {
        struct slice line = slice_sub(headers, at, headers.len);
        line = slice_sub(line, 0, slice_find(line, '\n'));
        nodes[i].data = text + at;
        write_header(line, text + at);
        at += line.len + 1;
    }
    for (size_t i = 0; i + 1 < count; i++)
        nodes[i].next = &nodes[i + 1];
    return nodes;
}

/* Sets the method; the handle may have served another request. A PUT is sent as a POST of that
 * name, so that its body is in memory, too. */
static void set_method(CURL *easy, enum http_method method)
{
    (void)curl_easy_setopt(easy, method == HTTP_GET ? CURLOPT_HTTPGET : CURLOPT_POST, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method == HTTP_PUT ? "PUT" : NULL);
}

struct curl_slist *http_easy_set_request(CURL *easy, const struct http_request *request)
{
    struct slice body = request->body;
    struct curl_slist *lines = lines_new(request->headers);
    if (lines == NULL || curl_easy_setopt(easy, CURLOPT_URL, request->url.ptr) != CURLE_OK) {
        memory_free(lines);
        return NULL;
    }
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, lines);
    (void)curl_easy_setopt(easy, CURLOPT_NOPROXY, request->is_direct ? "*" : NULL);
    set_method(easy, request->method);
    if (request->method == HTTP_GET)
        return lines;
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.len == 0 ? "" : body.ptr);
    return lines;
}

static bool set_request(struct exchange *exchange)
{
    exchange->lines = http_easy_set_request(exchange->easy, &exchange->request);
    (void)curl_easy_setopt(exchange->easy, CURLOPT_CONNECTTIMEOUT_MS,
                           (long)exchange->limits.connect_ms);
    /* curl reads a big body piece by piece, so that a cancel can stop the sending. */
    if (exchange->request.body.len > BODY_AT_ONCE_BYTES_MAX)
        (void)curl_easy_setopt(exchange->easy, CURLOPT_POSTFIELDS, NULL);
    return exchange->lines != NULL;
}

/* Adds addresses that curl does not have yet to the cache that all calls share. */
static bool set_addresses(struct exchange *exchange, struct name *name)
{
    const char *news = name == NULL ? NULL : name_news(name);
    if (news == NULL)
        return true;
    struct curl_slist *pairs = memory_new(sizeof *pairs);
    exchange->pairs = pairs;
    if (pairs == NULL) {
        name->has_news = true;
        return false;
    }
    pairs->data = name->pairs;
    return curl_easy_setopt(exchange->easy, CURLOPT_RESOLVE, pairs) == CURLE_OK;
}

bool http_easy_prepare(struct exchange *exchange, struct name *name)
{
    if (exchange->easy == NULL)
        exchange->easy = easy_new(exchange);
    return exchange->easy != NULL && set_request(exchange) && set_addresses(exchange, name);
}

void http_easy_clear(struct exchange *exchange)
{
    if (exchange->pairs != NULL)
        (void)curl_easy_setopt(exchange->easy, CURLOPT_RESOLVE, NULL);
    memory_free(exchange->pairs);
    memory_free(exchange->lines);
    exchange->pairs = exchange->lines = NULL;
}

static enum err err_of(const struct exchange *exchange, CURLcode result)
{
    if (exchange->verdict != OK)
        return exchange->verdict;
    if (exchange->head_done)
        return result == CURLE_OK ? OK : ERR_BROKEN_STREAM;
    if (result == CURLE_OPERATION_TIMEDOUT)
        return ERR_TIMEOUT;
    if (result == CURLE_WEIRD_SERVER_REPLY || result == CURLE_UNSUPPORTED_PROTOCOL)
        return ERR_BAD_ANSWER;
    /* curl reports a header line over 100 KiB as out of memory. */
    return result == CURLE_OUT_OF_MEMORY && exchange->due_to_send ? ERR_TOO_LARGE : ERR_CONNECTION;
}

static void write_reason(const struct exchange *exchange, CURLcode result,
                         char ret_reason[EXCHANGE_REASON_MAX])
{
    if (result == CURLE_OK)
        (void)snprintf(ret_reason, EXCHANGE_REASON_MAX, "closed within the answer's head");
    else
        http_reason(exchange->easy, result, exchange->carrier_error, ret_reason,
                    EXCHANGE_REASON_MAX);
}

bool http_easy_was_sent(const struct exchange *exchange)
{
    return exchange->has_received ||
           (exchange->due_to_send && request_size(exchange) > exchange->sent_before);
}

void http_easy_judge(const struct exchange *exchange, CURLcode result, char *reason,
                     struct call_end *ret_end)
{
    char words[EXCHANGE_REASON_MAX];
    ret_end->err = err_of(exchange, result);
    ret_end->was_sent = http_easy_was_sent(exchange);
    write_reason(exchange, result, words);
    exchange_write_reason(exchange, ret_end->err, words, reason);
    ret_end->words = slice_of_text(reason);
}

struct exchange *http_easy_exchange(CURL *easy)
{
    struct exchange *exchange = NULL;
    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &exchange);
    CHECK(exchange != NULL);
    return exchange;
}
