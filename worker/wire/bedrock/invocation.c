#include "wire/bedrock/invocation.h"

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
    dialect_add_path(invocation->dialect, invocation->model, invocation->stream, url);
    size_t path_len = url->len - path_at;
    buf_add_byte(url, '\0');
    return slice_sub(buf_slice(url), path_at, path_len);
}

/* Signed over the path and the body. */
static enum err add_headers(struct buf *headers, const struct invocation *invocation,
                            struct slice path, const struct credentials *credentials,
                            struct sigv4_key *key)
{
    struct slice content_type = slice_of_text(invocation->dialect->api->content_type);
    struct sigv4_header signed_headers[] = {{SLICE("content-type"), content_type}};
    struct sigv4_request request = {
        .method = SLICE("POST"),
        .host = invocation->endpoint->host,
        .path = path,
        .query = SLICE(""),
        .headers = signed_headers,
        .header_count = COUNT_OF(signed_headers),
        .body = invocation->body,
        .region = invocation->region,
        .service = SLICE("bedrock"),
        .wall_ms = invocation->wall_ms,
    };
    enum err err = sigv4_add_headers(headers, &request, credentials, key);
    invocation_add_header(headers, "Content-Type", content_type);
    invocation_add_header(headers, "User-Agent", invocation->user_agent);
    return err != OK ? err : headers->failed;
}

enum err invocation_add(struct buf *url, struct buf *headers, const struct invocation *invocation,
                        const struct credentials *credentials, struct sigv4_key *key)
{
    struct slice path = add_url(url, invocation);
    if (url->failed != OK)
        return url->failed;
    return add_headers(headers, invocation, path, credentials, key);
}
