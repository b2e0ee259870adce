#include "io/http/names.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/memory.h"

struct names {
    uv_loop_t *loop;
    struct alarm *alarm;
    struct name *all[NAMES_MAX];
    size_t count;
    size_t asking;
    bool is_closing;
};

struct names *names_new(uv_loop_t *loop, struct alarm *alarm)
{
    struct names *names = memory_new(sizeof *names);
    if (names == NULL)
        return NULL;
    names->loop = loop;
    names->alarm = alarm;
    return names;
}

/* Splits `https://host:port/…`; false when the URL has no host name that could need a look-up. */
static bool take_apart(struct slice url, struct slice *ret_host, struct slice *ret_port)
{
    bool is_plain = slice_starts(url, SLICE("http://"));
    size_t from = is_plain ? 7 : 8;
    if (!is_plain && !slice_starts(url, SLICE("https://")))
        return false;
    struct slice rest = slice_sub(url, from, url.len);
    struct slice authority = slice_sub(rest, 0, slice_find(rest, '/'));
    size_t colon = slice_find(authority, ':');
    *ret_host = slice_sub(authority, 0, colon);
    *ret_port = slice_sub(authority, colon + 1, authority.len);
    if (ret_port->len == 0)
        *ret_port = is_plain ? SLICE("80") : SLICE("443");
    return ret_host->len > 0 && ret_host->len < NAME_HOST_MAX && ret_port->len < 6 &&
           ret_host->ptr[0] != '[';
}

static bool is_address_or_local(const char *host)
{
    struct in_addr address;
    struct slice name = slice_of_text(host);
    return inet_pton(AF_INET, host, &address) == 1 ||
           slice_equal_nocase(name, SLICE("localhost")) ||
           (name.len > 10 &&
            slice_equal_nocase(slice_sub(name, name.len - 10, 10), SLICE(".localhost")));
}

/* Writes as many addresses as fit. */
static void write_pairs(struct name *name, const struct addrinfo *addresses)
{
    struct buf pairs OWNED_BY(buf_done);
    size_t whole = 0;
    buf_init(&pairs, NAME_PAIRS_MAX - 1);
    buf_addf(&pairs, "%s:%s:", name->host, name->port);
    for (; addresses != NULL; addresses = addresses->ai_next) {
        char text[INET6_ADDRSTRLEN];
        bool is_v6 = addresses->ai_family == AF_INET6;
        if (getnameinfo(addresses->ai_addr, addresses->ai_addrlen, text, sizeof text, NULL, 0,
                        NI_NUMERICHOST) != 0)
            continue;
        buf_addf(&pairs, is_v6 ? "%s[%s]" : "%s%s", whole > 0 ? "," : "", text);
        if (pairs.failed != OK)
            break;
        whole = pairs.len;
    }
    if (whole == 0) {
        (void)snprintf(name->reason, sizeof name->reason, "%.200s has no address", name->host);
        return;
    }
    pairs.ptr[whole] = '\0';
    name->has_news = name->has_news || strcmp(name->pairs, pairs.ptr) != 0;
    memcpy(name->pairs, pairs.ptr, whole + 1);
}

static void answered(struct name *name, int status, const struct addrinfo *addresses)
{
    if (status == 0)
        write_pairs(name, addresses);
    else
        (void)snprintf(name->reason, sizeof name->reason, "%.150s cannot be looked up: %.80s",
                       name->host, uv_strerror(status));
    name->is_answered = true;
    alarm_set(name->owner->alarm, 0);
}

static void on_addresses(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses)
{
    struct name *name = request->data;
    name->is_asking = false;
    name->owner->asking--;
    if (!name->owner->is_closing)
        answered(name, status, addresses);
    uv_freeaddrinfo(addresses);
}

static void look_up(struct name *name, int64_t now_ms)
{
    struct names *names = name->owner;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    name->asked_ms = now_ms;
    name->request.data = name;
    int status =
        uv_getaddrinfo(names->loop, &name->request, on_addresses, name->host, NULL, &hints);
    if (status != 0) {
        answered(name, status, NULL);
        return;
    }
    name->is_asking = true;
    names->asking++;
}

static struct name *name_new(struct names *names, struct slice host, struct slice port)
{
    if (names->count == NAMES_MAX)
        return NULL;
    struct name *name = memory_new(sizeof *name);
    if (name == NULL)
        return NULL;
    memcpy(name->host, host.ptr, host.len);
    memcpy(name->port, port.ptr, port.len);
    if (is_address_or_local(name->host)) {
        memory_free(name);
        return NULL;
    }
    name->owner = names;
    link_init(&name->waiting);
    names->all[names->count++] = name;
    return name;
}

struct name *names_find(struct names *names, struct slice url, int64_t now_ms)
{
    struct slice host, port;
    if (!take_apart(url, &host, &port))
        return NULL;
    struct name *name = NULL;
    for (size_t i = 0; i < names->count && name == NULL; i++) {
        if (slice_equal_text(host, names->all[i]->host) &&
            slice_equal_text(port, names->all[i]->port))
            name = names->all[i];
    }
    if (name == NULL)
        name = name_new(names, host, port);
    if (name != NULL && !name->is_asking && !name->is_answered &&
        (!name_is_known(name) || now_ms - name->asked_ms >= NAME_FRESH_MS))
        look_up(name, now_ms);
    return name;
}

bool name_is_known(const struct name *name)
{
    return name->pairs[0] != '\0';
}

const char *name_news(struct name *name)
{
    bool has_news = name->has_news;
    name->has_news = false;
    return has_news ? name->pairs : NULL;
}

struct name *names_next_answered(struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        if (names->all[i]->is_answered) {
            names->all[i]->is_answered = false;
            return names->all[i];
        }
    }
    return NULL;
}

void names_close(struct names *names)
{
    names->is_closing = true;
    for (size_t i = 0; i < names->count; i++) {
        if (names->all[i]->is_asking)
            (void)uv_cancel((uv_req_t *)(void *)&names->all[i]->request);
    }
}

bool names_are_closed(const struct names *names)
{
    return names->is_closing && names->asking == 0;
}

void names_free(struct names *names)
{
    if (names == NULL)
        return;
    CHECK(names->asking == 0);
    for (size_t i = 0; i < names->count; i++)
        memory_free(names->all[i]);
    memory_free(names);
}
