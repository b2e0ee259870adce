#include "wire/bedrock/endpoint.h"

#include "wire/formats/text.h"

/* AWS's partitions: by what their regions begin with, the longest beginning first. */
struct partition {
    const char *region_prefix;
    const char *suffix;
    const char *dual_stack_suffix;
};

static const struct partition PARTITIONS[] = {
    {"us-isob-", "sc2s.sgov.gov", "api.aws.scloud"},
    {"us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
    {"us-iso-", "c2s.ic.gov", "api.aws.ic.gov"},
    {"eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
    {"eusc-", "amazonaws.eu", "api.amazonwebservices.eu"},
    {"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
    {"", "amazonaws.com", "api.aws"},
};

enum err endpoint_add_service_url(struct buf *buf, const char *service, struct slice region,
                                  bool fips, bool dual_stack)
{
    if (!text_is_region(region))
        return ERR_FORMAT;
    const struct partition *partition = PARTITIONS;
    while (!slice_starts(region, slice_of_text(partition->region_prefix)))
        partition++;
    buf_addf(buf, "https://%s%s.", service, fips ? "-fips" : "");
    buf_add(buf, region);
    buf_add_byte(buf, '.');
    buf_add_text(buf, dual_stack ? partition->dual_stack_suffix : partition->suffix);
    return buf->failed;
}

enum err endpoint_add_url(struct buf *buf, struct slice region, bool fips, bool dual_stack)
{
    return endpoint_add_service_url(buf, "bedrock-runtime", region, fips, dual_stack);
}

enum err endpoint_choose_url(struct buf *buf, struct slice own_url, struct slice region, bool fips,
                             bool dual_stack)
{
    if (own_url.ptr == NULL)
        return endpoint_add_url(buf, region, fips, dual_stack);
    buf_add(buf, own_url);
    return buf->failed;
}

/* The bytes that a URL may have as they are (RFC 3986), and the escapes. */
static bool is_url_text(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if (byte <= ' ' || byte >= 0x7f || byte == '"' || byte == '<' || byte == '>' ||
            byte == '\\' || byte == '^' || byte == '`' || byte == '{' || byte == '|' || byte == '}')
            return false;
    }
    return true;
}

static bool is_port(struct slice text)
{
    int64_t port;
    return text.len > 0 && text.ptr[0] != '-' && slice_to_int64(text, &port) && port > 0 &&
           port <= 65535;
}

/* Where the name ends and `:port` begins; the end when there is no port. */
static size_t port_colon(struct slice authority)
{
    size_t from = 0;
    if (authority.len > 0 && authority.ptr[0] == '[')
        from = slice_find(authority, ']');
    return from + slice_find(slice_sub(authority, from, authority.len), ':');
}

/* Takes a default port away: clients leave it out of the Host header. */
static bool read_host(struct slice authority, bool is_https, struct slice *ret_host)
{
    size_t colon = port_colon(authority);
    struct slice name = slice_sub(authority, 0, colon);
    if (name.len == 0 || slice_find(authority, '@') < authority.len)
        return false;
    if (name.ptr[0] == '[' && name.ptr[name.len - 1] != ']')
        return false;
    if (colon == authority.len) {
        *ret_host = authority;
        return true;
    }
    struct slice port = slice_sub(authority, colon + 1, authority.len);
    if (!is_port(port))
        return false;
    *ret_host = slice_equal_text(port, is_https ? "443" : "80") ? name : authority;
    return true;
}

enum err endpoint_read(struct slice url, struct endpoint *ret_endpoint)
{
    size_t colon = slice_find(url, ':');
    struct slice scheme = slice_sub(url, 0, colon);
    struct slice rest = slice_sub(url, colon, url.len);
    bool is_https = slice_equal_nocase(scheme, SLICE("https"));
    if (!is_https && !slice_equal_nocase(scheme, SLICE("http")))
        return ERR_FORMAT;
    if (url.len > ENDPOINT_URL_MAX || !slice_starts(rest, SLICE("://")) || !is_url_text(url))
        return ERR_FORMAT;
    rest = slice_sub(rest, 3, rest.len);
    if (slice_find(rest, '?') < rest.len || slice_find(rest, '#') < rest.len)
        return ERR_FORMAT;
    struct slice authority = slice_sub(rest, 0, slice_find(rest, '/'));
    struct slice path = slice_sub(rest, authority.len, rest.len);
    while (path.len > 0 && path.ptr[path.len - 1] == '/')
        path.len--;
    struct slice host;
    if (!read_host(authority, is_https, &host))
        return ERR_FORMAT;
    *ret_endpoint = (struct endpoint){is_https ? SLICE("https") : SLICE("http"), host, path};
    return OK;
}
