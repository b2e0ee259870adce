#include "wire/bedrock/msk_token.h"

#include <string.h>

#include "wire/formats/base64.h"
#include "wire/formats/text.h"

#define URL_BYTES_MAX 49152

/* Turns base64 into base64url without its padding. */
static void make_url_safe(struct buf *buf, size_t from)
{
    for (size_t i = from; i < buf->len; i++) {
        if (buf->ptr[i] == '+')
            buf->ptr[i] = '-';
        else if (buf->ptr[i] == '/')
            buf->ptr[i] = '_';
    }
    while (buf->len > from && buf->ptr[buf->len - 1] == '=')
        buf_cut(buf, buf->len - 1);
}

enum err msk_token_add(struct buf *buf, const struct credentials *credentials, struct slice region,
                       struct slice user_agent, int64_t wall_ms)
{
    struct buf host OWNED_BY(buf_done), url OWNED_BY(buf_wipe);
    struct sigv4_key key = {0};
    buf_init(&host, 256);
    buf_init(&url, URL_BYTES_MAX);
    buf_addf(&host, "kafka.%.*s.amazonaws.com", SLICE_ARG(region)); /* everywhere, in China too */
    if (buf_reserve(&url, URL_BYTES_MAX) == NULL || buf_reserve(buf, MSK_TOKEN_BYTES_MAX) == NULL)
        return ERR_NO_MEMORY;
    const struct sigv4_request request = {
        .method = SLICE("GET"),
        .host = buf_slice(&host),
        .path = SLICE("/"),
        .query = SLICE("Action=kafka-cluster%3AConnect"),
        .body = SLICE(""),
        .region = region,
        .service = SLICE("kafka-cluster"),
        .wall_ms = wall_ms,
    };
    buf_addf(&url, "https://%.*s/?", SLICE_ARG(request.host));
    enum err err = sigv4_add_query(&url, &request, credentials, MSK_TOKEN_MS / 1000, &key);
    explicit_bzero(&key, sizeof key);
    buf_add_text(&url, "&User-Agent=");
    sigv4_add_label(&url, user_agent);
    if (err != OK || url.failed != OK)
        return err != OK ? err : url.failed;
    size_t from = buf->len;
    base64_add(buf, buf_slice(&url));
    if (buf->failed == OK)
        make_url_safe(buf, from);
    return buf->failed;
}

int64_t msk_token_ends_ms(const struct credentials *credentials, int64_t wall_ms)
{
    int64_t ends_ms = wall_ms + MSK_TOKEN_MS;
    return credentials->expires_wall_ms < ends_ms ? credentials->expires_wall_ms : ends_ms;
}

/* The label behind `kafka` or `kafka-serverless`, in front of amazonaws.com; null = none. */
static struct slice region_of_host(struct slice host)
{
    while (host.len > 0) {
        struct slice label = slice_sub(host, 0, slice_find(host, '.'));
        host = slice_sub(host, label.len + 1, host.len);
        if (!slice_equal_text(label, "kafka") && !slice_equal_text(label, "kafka-serverless"))
            continue;
        struct slice region = slice_sub(host, 0, slice_find(host, '.'));
        struct slice rest = slice_sub(host, region.len + 1, host.len);
        rest = slice_sub(rest, 0, slice_find(rest, ':'));
        bool is_aws =
            slice_equal_text(rest, "amazonaws.com") || slice_equal_text(rest, "amazonaws.com.cn");
        if (is_aws && text_is_region(region))
            return region;
    }
    return SLICE_NULL;
}

struct slice msk_region_of(struct slice bootstrap_servers)
{
    struct slice region = SLICE_NULL;
    while (bootstrap_servers.len > 0 && region.ptr == NULL) {
        struct slice server = slice_sub(bootstrap_servers, 0, slice_find(bootstrap_servers, ','));
        bootstrap_servers = slice_sub(bootstrap_servers, server.len + 1, bootstrap_servers.len);
        region = region_of_host(slice_trim(server));
    }
    return region;
}
