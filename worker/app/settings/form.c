/* The forms of texts, such as topic names and URLs: checks a text, and says what to do about a
 * wrong one. */
#include "app/settings/parts.h"

#include <sys/stat.h>
#include <unistd.h>

#include "app/settings/pairs.h"
#include "base/glob.h"
#include "io/server/server.h"
#include "wire/bedrock/endpoint.h"
#include "wire/formats/proxy.h"
#include "wire/formats/text.h"

#define NAME_MAX_BYTES 200
#define MODEL_MAX      2048

static bool is_printable(struct slice text, size_t max)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
            return false;
    }
    return text.len <= max;
}

/* Is the text a broker: [protocol://]host[:port], where host may be an IPv6 address in brackets? */
static bool is_server(struct slice server)
{
    for (size_t i = 0; i + 2 < server.len; i++) {
        if (slice_starts(slice_sub(server, i, server.len), SLICE("://")))
            server = slice_sub(server, i + 3, server.len);
    }
    size_t close = slice_find(server, ']');
    size_t from = close < server.len ? close + 1 : 0;
    size_t colon = from + slice_find(slice_sub(server, from, server.len), ':');
    int64_t port = 9092;
    if (colon < server.len && !slice_to_int64(slice_sub(server, colon + 1, server.len), &port))
        return false;
    return colon > 0 && port >= 1 && port <= 65535 && is_printable(server, NAME_MAX_BYTES);
}

static bool are_servers(struct slice text)
{
    while (text.len > 0) {
        size_t comma = slice_find(text, ',');
        if (!is_server(slice_trim(slice_sub(text, 0, comma))) || comma + 1 == text.len)
            return false;
        text = slice_sub(text, comma + 1, text.len);
    }
    return true;
}

static bool is_file(const char *path)
{
    struct stat stat_of;
    return stat(path, &stat_of) == 0 && !S_ISDIR(stat_of.st_mode) && access(path, R_OK) == 0;
}

static bool are_headers(struct slice text)
{
    struct buf headers OWNED_BY(buf_done);
    buf_init(&headers, PAIRS_BYTES_MAX);
    return pairs_add_headers(text, &headers);
}

/* The forms of telemetry.traces. */
static const char *traces_fault(enum setting_form form, struct slice text)
{
    struct endpoint endpoint;
    double ratio;
    if (form == FORM_HEADERS)
        return are_headers(text) ? NULL
                                 : "is not a list of headers; write name=value,name=value, at most "
                                   "8 KiB";
    if (form == FORM_RATIO)
        return pairs_read_ratio(text, &ratio) ? NULL : "is not a number from 0 to 1, such as 0.1";
    return slice_equal_text(text, "off") || endpoint_read(text, &endpoint) == OK
               ? NULL
               : "is not a collector; write a URL such as http://collector:4318, or off";
}

/* Letters, digits, and these. */
static bool is_made_of(struct slice text, const char *others, size_t least, size_t most)
{
    struct slice rest = slice_of_text(others);
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                        (byte >= '0' && byte <= '9') || byte == '_';
        if (!is_plain && slice_find(rest, byte) == rest.len)
            return false;
    }
    return text.len >= least && text.len <= most;
}

/* The forms of a role, by the API reference of AWS STS (AssumeRole). */
static const char *role_fault(enum setting_form form, struct slice text)
{
    static const char EXTERNAL_ID[] = "+=,.@:/-", SESSION[] = "+=,.@-";
    if (form == FORM_EXTERNAL_ID)
        return is_made_of(text, EXTERNAL_ID, 2, 1224)
                   ? NULL
                   : "is not an external id; use 2 to 1224 letters, digits and _+=,.@:/-";
    if (form == FORM_SESSION)
        return is_made_of(text, SESSION, 2, 64)
                   ? NULL
                   : "is not a session name; use 2 to 64 letters, digits and _+=,.@-";
    return is_printable(text, MODEL_MAX) && glob_match(SLICE("arn:*:iam::*:role/?*"), text, false)
               ? NULL
               : "is not a role; write its ARN, such as arn:aws:iam::111122223333:role/worker";
}

const char *settings_form_fault(enum setting_form form, struct slice text)
{
    struct endpoint endpoint;
    switch (form) {
    case FORM_ANY:
    case FORM_PASSWORD:
        return NULL;
    case FORM_SERVERS:
        return are_servers(text) ? NULL
                                 : "is not a list of brokers; write host:port with commas between, "
                                   "without spaces in them";
    case FORM_TOPIC:
        return text_is_topic(text)
                   ? NULL
                   : "is not a topic name; use letters, digits, '.', '_' and '-', at most 249";
    case FORM_GLOB:
        return is_printable(text, TEXT_TOPIC_MAX)
                   ? NULL
                   : "is not a pattern; use printable characters, '*' and '?', at most 249";
    case FORM_NAME:
    case FORM_GROUP_NAME:
        return is_printable(text, NAME_MAX_BYTES)
                   ? NULL
                   : "is not a name; use printable ASCII without spaces, at most 200";
    case FORM_REGION:
        return text_is_region(text) ? NULL : "is not an AWS region; write one such as us-east-1";
    case FORM_URL:
        return endpoint_read(text, &endpoint) == OK
                   ? NULL
                   : "is not an endpoint; write https://host[:port][/path], or http://…, at "
                     "most 2047 bytes";
    case FORM_PROXY:
        return proxy_fault(text, false);
    case FORM_LISTEN:
        return text.len == 0 || server_knows_address(text.ptr)
                   ? NULL
                   : "is not an IP address with a port; write one such as 127.0.0.1:9464";
    case FORM_FILE:
        return is_file(text.ptr) ? NULL
                                 : "names a file that cannot be read; check path and permissions";
    case FORM_MODEL:
        return is_printable(text, MODEL_MAX)
                   ? NULL
                   : "is not a model; write an alias, a model id or an ARN, without spaces";
    case FORM_ROLE:
    case FORM_EXTERNAL_ID:
    case FORM_SESSION:
        return role_fault(form, text);
    case FORM_COLLECTOR:
    case FORM_HEADERS:
    case FORM_RATIO:
        return traces_fault(form, text);
    }
    return NULL;
}
