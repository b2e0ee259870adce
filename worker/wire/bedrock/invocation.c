#include "wire/bedrock/invocation.h"

#include "base/check.h"

#define HEADER_NAME_MAX 64

void invocation_add_header(struct buf *headers, const char *name, struct slice value)
{
    buf_add_text(headers, name);
    buf_add(headers, SLICE(": "));
    buf_add(headers, value);
    buf_add(headers, SLICE("\r\n"));
}

/* Returns the path: it lies in `url`. */
static struct slice add_url(struct buf *url, const struct invocation *invocation)
{
    const struct endpoint *endpoint = invocation->endpoint;
    buf_add(url, endpoint->scheme);
    buf_add(url, SLICE("://"));
    buf_add(url, endpoint->host);
    size_t path_at = url->len;
    buf_add(url, endpoint->base_path);
    dialect_add_request_path(invocation->dialect, invocation->request, invocation->model,
                             invocation->stream, url);
    size_t path_len = url->len - path_at;
    buf_add_byte(url, '\0');
    return slice_sub(buf_slice(url), path_at, path_len);
}

/* Names in a signature are in lower case. */
static struct slice lower(struct slice name, char *ret_text)
{
    for (size_t i = 0; i < name.len; i++) {
        char byte = name.ptr[i];
        ret_text[i] = byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
    }
    return slice_of(ret_text, name.len);
}

/* Signed over the path and the body. */
static enum err add_headers(struct buf *headers, const struct invocation *invocation,
                            struct slice path, const struct call_headers *own,
                            const struct credentials *credentials, struct sigv4_key *key)
{
    char names[CALL_HEADERS_MAX][HEADER_NAME_MAX];
    struct slice content_type = slice_of_text(invocation->dialect->api->content_type);
    struct sigv4_header signed_headers[1 + CALL_HEADERS_MAX] = {
        {SLICE("content-type"), content_type}};
    for (size_t i = 0; i < own->count; i++) {
        struct slice name = slice_of_text(own->list[i].name);
        CHECK(name.len <= HEADER_NAME_MAX);
        signed_headers[1 + i] = (struct sigv4_header){lower(name, names[i]), own->list[i].value};
    }
    struct sigv4_request request = {
        .method = SLICE("POST"),
        .host = invocation->endpoint->host,
        .path = path,
        .query = SLICE(""),
        .headers = signed_headers,
        .header_count = 1 + own->count,
        .body = invocation->body,
        .region = invocation->region,
        .service = SLICE("bedrock"),
        .wall_ms = invocation->wall_ms,
    };
    enum err err = sigv4_add_headers(headers, &request, credentials, key);
    invocation_add_header(headers, "Content-Type", content_type);
    invocation_add_header(headers, "User-Agent", invocation->user_agent);
    for (size_t i = 0; i < own->count; i++)
        invocation_add_header(headers, own->list[i].name, own->list[i].value);
    return err != OK ? err : headers->failed;
}

static void free_text(struct call_headers *own)
{
    buf_done(&own->text);
}

enum err invocation_add(struct buf *url, struct buf *headers, const struct invocation *invocation,
                        const struct credentials *credentials, struct sigv4_key *key)
{
    struct call_headers own OWNED_BY(free_text) = {.count = 0};
    struct slice path = add_url(url, invocation);
    if (url->failed != OK)
        return url->failed;
    enum err err =
        dialect_add_headers(invocation->dialect, invocation->request, invocation->stream, &own);
    if (err != OK)
        return err;
    return add_headers(headers, invocation, path, &own, credentials, key);
}
