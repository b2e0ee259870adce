#include "app/client/visit.h"

#include <stdio.h>
#include <string.h>

#include "io/http/once.h"
#include "io/server/server.h"

#define PORT_DEFAULT   ":9464" /* of SERVER_DEFAULT */
#define CONNECT_MS     2000
#define TIMEOUT_MS     5000
#define BODY_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define URL_BYTES_MAX  ((size_t)256 * 1024)

static bool is_address_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || (byte != '\0' && strchr(".:[]-_", byte) != NULL);
}

static bool is_address(struct slice address)
{
    for (size_t i = 0; i < address.len; i++)
        if (!is_address_byte(address.ptr[i]))
            return false;
    return address.len > 0 && address.len < VISIT_ADDRESS_MAX - sizeof PORT_DEFAULT;
}

static bool has_port(struct slice address)
{
    size_t end = address.ptr[0] == '[' ? slice_find(address, ']') : 0;
    return slice_find(slice_sub(address, end, SIZE_MAX), ':') < address.len - end;
}

/* A worker that listens on all addresses is asked on the loopback. */
static void add_host(struct visit *visit, struct slice address)
{
    const char *port = has_port(address) ? "" : PORT_DEFAULT;
    struct slice rest = address;
    const char *host = "";
    if (slice_starts(address, SLICE("0.0.0.0"))) {
        host = "127.0.0.1";
        rest = slice_sub(address, strlen("0.0.0.0"), SIZE_MAX);
    } else if (slice_starts(address, SLICE("[::]"))) {
        host = "[::1]";
        rest = slice_sub(address, strlen("[::]"), SIZE_MAX);
    }
    (void)snprintf(visit->address, sizeof visit->address, "%s%.*s%s", host, SLICE_ARG(rest), port);
}

bool visit_init(struct visit *ret_visit, const char *address, const struct settings *settings)
{
    struct slice text = address != NULL ? slice_of_text(address) : settings->telemetry_http_address;
    ret_visit->status = 0;
    ret_visit->is_worker = false;
    ret_visit->reason[0] = ret_visit->address[0] = '\0';
    buf_init(&ret_visit->body, BODY_BYTES_MAX);
    if (address == NULL && text.len == 0) {
        (void)snprintf(ret_visit->reason, sizeof ret_visit->reason,
                       "telemetry.http.address is empty, so the worker serves no pages");
        return false;
    }
    if (!is_address(text)) {
        (void)snprintf(ret_visit->reason, sizeof ret_visit->reason,
                       "'%.*s' is no address; write HOST:PORT, e.g. 127.0.0.1:9464",
                       (int)(text.len < 100 ? text.len : 100), text.ptr);
        return false;
    }
    add_host(ret_visit, text);
    return true;
}

void visit_done(struct visit *visit)
{
    buf_done(&visit->body);
}

bool visit_get(struct visit *visit, struct slice path)
{
    const struct http_config config = {.connect_ms = CONNECT_MS, .proxy = ""};
    struct buf url OWNED_BY(buf_done);
    struct http_once_answer answer = {.status = 0};
    buf_init(&url, URL_BYTES_MAX);
    buf_init(&answer.head, HTTP_HEAD_BYTES_MAX);
    buf_init(&answer.body, BODY_BYTES_MAX);
    buf_addf(&url, "http://%s%.*s", visit->address, SLICE_ARG(path));
    struct http_request request = {
        .url = slice_of_text(buf_text(&url)), .headers = SLICE(""), .method = HTTP_GET};
    enum err err =
        url.failed != OK ? url.failed : http_once(&config, &request, TIMEOUT_MS, &answer);
    visit->status = err == OK ? answer.status : 0;
    visit->is_worker =
        err == OK && slice_equal_text(http_header(buf_slice(&answer.head), "server"), SERVER_NAME);
    buf_done(&visit->body);
    buf_move(&answer.body, &visit->body);
    if (err != OK)
        (void)snprintf(visit->reason, sizeof visit->reason, "%s",
                       answer.reason[0] != '\0' ? answer.reason : err_words(err));
    buf_done(&answer.head);
    buf_done(&answer.body);
    return err == OK;
}
