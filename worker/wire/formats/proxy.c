#include "wire/formats/proxy.h"

#include <string.h>

#define FORM "write http://[user:password@]host:port"

static bool has_scheme(struct slice url)
{
    static const char *const SCHEMES[] = {"http://",    "https://",  "socks4://",
                                          "socks4a://", "socks5://", "socks5h://"};
    for (size_t i = 0; i < sizeof SCHEMES / sizeof SCHEMES[0]; i++) {
        if (slice_equal_nocase(slice_sub(url, 0, strlen(SCHEMES[i])), slice_of_text(SCHEMES[i])))
            return true;
    }
    return false;
}

/* What stands behind `://`. */
static struct slice rest_of(struct slice url)
{
    for (size_t i = 0; i + 3 <= url.len; i++) {
        if (memcmp(url.ptr + i, "://", 3) == 0)
            return slice_sub(url, i + 3, url.len);
    }
    return url;
}

static bool has_any_scheme(struct slice url)
{
    return rest_of(url).ptr != url.ptr;
}

/* The last @ ends the user and the password. */
static size_t at_sign(struct slice rest)
{
    size_t at = rest.len;
    for (size_t i = 0; i < rest.len && rest.ptr[i] != '/' && rest.ptr[i] != '?'; i++)
        at = rest.ptr[i] == '@' ? i : at;
    return at;
}

static bool is_host(struct slice host)
{
    if (host.len > 2 && host.ptr[0] == '[')
        return host.ptr[host.len - 1] == ']';
    for (size_t i = 0; i < host.len; i++) {
        char byte = host.ptr[i], letter = (char)(byte | 0x20);
        bool is_plain = (letter >= 'a' && letter <= 'z') || (byte >= '0' && byte <= '9');
        if (!is_plain && byte != '.' && byte != '-' && byte != '_')
            return false;
    }
    return host.len > 0;
}

static bool is_encoded(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '%')
            continue;
        if (i + 2 >= text.len || strchr("0123456789abcdefABCDEF", text.ptr[i + 1]) == NULL ||
            strchr("0123456789abcdefABCDEF", text.ptr[i + 2]) == NULL)
            return false;
    }
    return true;
}

/* host[:port], and a path that says nothing. */
static const char *place_fault(struct slice place)
{
    int64_t port;
    place = slice_sub(place, 0, slice_find(place, '/'));
    size_t close = slice_find(place, ']');
    size_t from = close < place.len ? close : 0;
    size_t colon = from + slice_find(slice_sub(place, from, place.len), ':');
    if (!is_host(slice_sub(place, 0, colon)))
        return "names no host that can be; " FORM ", and percent-encode what is no letter or digit "
               "in user and password";
    if (colon < place.len && (!slice_to_int64(slice_sub(place, colon + 1, place.len), &port) ||
                              port < 1 || port > 65535))
        return "has a port that is none; write 1 to 65535";
    return NULL;
}

const char *proxy_fault(struct slice url, bool may_lack_scheme)
{
    if (url.len > PROXY_BYTES_MAX)
        return "is not a proxy: it is over 2048 bytes; " FORM;
    for (size_t i = 0; i < url.len; i++) {
        if (url.ptr[i] <= ' ' || url.ptr[i] > '~')
            return "is not a proxy: it holds a blank or a byte that no URL has; percent-encode it";
    }
    if (has_any_scheme(url) ? !has_scheme(url) : !may_lack_scheme)
        return "is not a proxy; " FORM;
    struct slice rest = rest_of(url), info = proxy_userinfo(url);
    if (!is_encoded(info))
        return "has a % in user or password that begins no %XX; write %25";
    return place_fault(info.ptr == NULL ? rest : slice_sub(rest, info.len + 1, rest.len));
}

struct slice proxy_userinfo(struct slice url)
{
    struct slice rest = rest_of(url);
    size_t at = at_sign(rest);
    return at < rest.len ? slice_sub(rest, 0, at) : SLICE_NULL;
}

struct slice proxy_password(struct slice url)
{
    struct slice info = proxy_userinfo(url);
    size_t colon = slice_find(info, ':');
    return colon < info.len ? slice_sub(info, colon + 1, info.len) : SLICE_NULL;
}
