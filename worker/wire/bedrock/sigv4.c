#include "wire/bedrock/sigv4.h"

#include <string.h>

#include "base/check.h"
#include "base/instant.h"
#include "wire/formats/hash.h"

#define ALGORITHM           "AWS4-HMAC-SHA256"
#define CANONICAL_BYTES_MAX (256 * 1024)
#define BASIC_INSTANT_LEN   16
#define DATE_LEN            8
#define PATH_SEGMENTS_MAX   64

/* The headers to sign, in the order of their names. */
struct header_list {
    struct sigv4_header rows[SIGV4_HEADERS_MAX + 3];
    size_t count;
};

static bool is_unreserved(char byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

static void add_encoded(struct buf *buf, struct slice text, bool keep_slash)
{
    static const char DIGITS[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        if (is_unreserved(byte) || (keep_slash && byte == '/')) {
            buf_add_byte(buf, byte);
            continue;
        }
        const char escape[3] = {'%', DIGITS[(uint8_t)byte >> 4], DIGITS[(uint8_t)byte & 15]};
        buf_add(buf, slice_of(escape, sizeof escape));
    }
}

void sigv4_add_label(struct buf *buf, struct slice text)
{
    add_encoded(buf, text, false);
}

/* Adds the path with `.`, `..` and empty segments resolved (RFC 3986, 5.2.4), as the service does
 * before it verifies. */
static void add_resolved_path(struct buf *buf, struct slice path)
{
    struct slice kept[PATH_SEGMENTS_MAX];
    size_t count = 0;
    size_t at = 0;
    while (at < path.len) {
        struct slice rest = slice_sub(path, at, path.len);
        struct slice segment = slice_sub(rest, 0, slice_find(rest, '/'));
        at += segment.len + 1;
        if (slice_equal(segment, SLICE("..")))
            count -= count > 0 ? 1 : 0;
        else if (segment.len > 0 && !slice_equal(segment, SLICE("."))) {
            if (count == PATH_SEGMENTS_MAX) {
                buf->failed = ERR_TOO_LARGE;
                return;
            }
            kept[count++] = segment;
        }
    }
    for (size_t i = 0; i < count; i++) {
        buf_add_byte(buf, '/');
        add_encoded(buf, kept[i], false);
    }
    if (count == 0 || path.ptr[path.len - 1] == '/')
        buf_add_byte(buf, '/');
}

static bool is_plain_path(struct slice path)
{
    if (path.len == 0 || path.ptr[0] != '/')
        return false;
    for (size_t i = 0; i + 1 < path.len; i++) {
        if (path.ptr[i] == '/' && (path.ptr[i + 1] == '/' || path.ptr[i + 1] == '.'))
            return false;
    }
    return true;
}

static void add_path(struct buf *buf, struct slice path)
{
    if (is_plain_path(path))
        add_encoded(buf, path, true);
    else
        add_resolved_path(buf, path);
}

struct parameter {
    struct slice name, value;
};

static int parameter_compare(const struct parameter *a, const struct parameter *b)
{
    int order = slice_compare(a->name, b->name);
    return order != 0 ? order : slice_compare(a->value, b->value);
}

/* Sorted by name, then value; a parameter without a value is signed with an empty one. */
static void add_query(struct buf *buf, struct slice query)
{
    struct parameter sorted[SIGV4_PARAMETERS_MAX];
    size_t count = 0;
    for (size_t at = 0; at < query.len;) {
        struct slice rest = slice_sub(query, at, query.len);
        struct slice pair = slice_sub(rest, 0, slice_find(rest, '&'));
        at += pair.len + 1;
        if (count == SIGV4_PARAMETERS_MAX) {
            buf->failed = ERR_TOO_LARGE;
            return;
        }
        size_t equals = slice_find(pair, '=');
        struct parameter row = {slice_sub(pair, 0, equals), slice_sub(pair, equals + 1, pair.len)};
        size_t place = count++;
        for (; place > 0 && parameter_compare(&sorted[place - 1], &row) > 0; place--)
            sorted[place] = sorted[place - 1];
        sorted[place] = row;
    }
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_byte(buf, '&');
        buf_add(buf, sorted[i].name);
        buf_add_byte(buf, '=');
        buf_add(buf, sorted[i].value);
    }
}

/* Stable, so that values of one name keep their order. */
static void list_insert(struct header_list *list, struct slice name, struct slice value)
{
    size_t at = list->count++;
    while (at > 0 && slice_compare(list->rows[at - 1].name, name) > 0) {
        list->rows[at] = list->rows[at - 1];
        at--;
    }
    list->rows[at] = (struct sigv4_header){name, value};
}

static bool is_space(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* Runs of white space become one blank, those at the ends nothing. */
static void add_folded(struct buf *buf, struct slice value)
{
    bool gap = false;
    bool begun = false;
    for (size_t i = 0; i < value.len; i++) {
        if (is_space(value.ptr[i])) {
            gap = begun;
            continue;
        }
        if (gap)
            buf_add_byte(buf, ' ');
        buf_add_byte(buf, value.ptr[i]);
        gap = false;
        begun = true;
    }
}

static void add_headers(struct buf *buf, const struct header_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        bool again = i > 0 && slice_equal(list->rows[i].name, list->rows[i - 1].name);
        if (again) {
            buf_add_byte(buf, ',');
        } else {
            if (i > 0)
                buf_add_byte(buf, '\n');
            buf_add(buf, list->rows[i].name);
            buf_add_byte(buf, ':');
        }
        add_folded(buf, list->rows[i].value);
    }
    buf_add_byte(buf, '\n');
}

static void add_names(struct buf *buf, const struct header_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0 && slice_equal(list->rows[i].name, list->rows[i - 1].name))
            continue;
        if (i > 0)
            buf_add_byte(buf, ';');
        buf_add(buf, list->rows[i].name);
    }
}

/* 20240102T030405Z; `buf` is where it is made, and is left as it was. */
static bool write_instant(struct buf *buf, int64_t wall_ms, char ret_text[BASIC_INSTANT_LEN])
{
    size_t start = buf->len;
    instant_add_basic(buf, wall_ms);
    if (buf->failed != OK)
        return false;
    CHECK(buf->len - start == BASIC_INSTANT_LEN);
    memcpy(ret_text, buf->ptr + start, BASIC_INSTANT_LEN);
    buf_cut(buf, start);
    return true;
}

static void list_headers(const struct sigv4_request *request, struct slice date,
                         struct slice session_token, struct header_list *ret_list)
{
    ret_list->count = 0;
    for (size_t i = 0; i < request->header_count; i++)
        list_insert(ret_list, request->headers[i].name, request->headers[i].value);
    list_insert(ret_list, SLICE("host"), request->host);
    list_insert(ret_list, SLICE("x-amz-date"), date);
    if (session_token.ptr != NULL)
        list_insert(ret_list, SLICE("x-amz-security-token"), session_token);
}

static void add_canonical(struct buf *buf, const struct sigv4_request *request,
                          const struct header_list *list)
{
    uint8_t digest[SHA256_LEN];
    hash_sha256(request->body, digest);
    buf_add(buf, request->method);
    buf_add_byte(buf, '\n');
    add_path(buf, request->path);
    buf_add_byte(buf, '\n');
    add_query(buf, request->query);
    buf_add_byte(buf, '\n');
    add_headers(buf, list);
    buf_add_byte(buf, '\n');
    add_names(buf, list);
    buf_add_byte(buf, '\n');
    hash_add_hex(buf, digest, sizeof digest);
}

static void add_scope(struct buf *buf, const struct sigv4_request *request, const char *date)
{
    buf_add(buf, slice_of(date, DATE_LEN));
    buf_add_byte(buf, '/');
    buf_add(buf, request->region);
    buf_add_byte(buf, '/');
    buf_add(buf, request->service);
    buf_add_text(buf, "/aws4_request");
}

static void add_string_to_sign(struct buf *buf, const struct sigv4_request *request,
                               struct slice canonical, const char *date)
{
    uint8_t digest[SHA256_LEN];
    hash_sha256(canonical, digest); /* first: `canonical` may lie in `buf` */
    buf_add_text(buf, ALGORITHM "\n");
    buf_add(buf, slice_of(date, BASIC_INSTANT_LEN));
    buf_add_byte(buf, '\n');
    add_scope(buf, request, date);
    buf_add_byte(buf, '\n');
    hash_add_hex(buf, digest, sizeof digest);
}

void sigv4_add_canonical(struct buf *buf, const struct sigv4_request *request,
                         struct slice session_token)
{
    struct header_list list;
    char date[BASIC_INSTANT_LEN];
    if (request->header_count > SIGV4_HEADERS_MAX) {
        buf->failed = ERR_TOO_LARGE;
        return;
    }
    if (!write_instant(buf, request->wall_ms, date))
        return;
    list_headers(request, slice_of(date, sizeof date), session_token, &list);
    add_canonical(buf, request, &list);
}

void sigv4_add_string_to_sign(struct buf *buf, const struct sigv4_request *request,
                              struct slice canonical)
{
    char date[BASIC_INSTANT_LEN];
    if (write_instant(buf, request->wall_ms, date))
        add_string_to_sign(buf, request, canonical, date);
}

/* The chain of keys: secret, date, region, service, aws4_request. */
static void derive_key(struct slice secret, const struct sigv4_request *request, const char *date,
                       uint8_t ret_key[SHA256_LEN])
{
    char first[4 + SIGV4_SECRET_BYTES_MAX] = "AWS4";
    CHECK(secret.len <= SIGV4_SECRET_BYTES_MAX);
    memcpy(first + 4, secret.ptr, secret.len);
    const struct slice steps[] = {slice_of(date, DATE_LEN), request->region, request->service,
                                  SLICE("aws4_request")};
    uint8_t key[SHA256_LEN];
    struct slice from = slice_of(first, 4 + secret.len);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        hash_hmac_sha256(from, steps[i], ret_key);
        memcpy(key, ret_key, sizeof key);
        from = slice_of(key, sizeof key);
    }
    explicit_bzero(key, sizeof key);
    explicit_bzero(first, sizeof first);
}

/* Derives the key again when its day, region, service or secret changes. */
static void refresh_key(struct sigv4_key *key, struct slice secret,
                        const struct sigv4_request *request, const char *date, struct slice scope)
{
    uint8_t secret_hash[SHA256_LEN];
    hash_sha256(secret, secret_hash);
    if (slice_equal(slice_of(key->scope, strnlen(key->scope, sizeof key->scope)), scope) &&
        memcmp(key->secret_hash, secret_hash, sizeof secret_hash) == 0)
        return;
    derive_key(secret, request, date, key->key);
    memset(key->scope, 0, sizeof key->scope);
    memcpy(key->scope, scope.ptr, scope.len);
    memcpy(key->secret_hash, secret_hash, sizeof secret_hash);
}

/* true when the text can stand in a header line. */
static bool is_line_safe(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\r' || text.ptr[i] == '\n' || text.ptr[i] == '\0')
            return false;
    }
    return true;
}

static bool is_signing_pair(const struct credentials *credentials)
{
    return credentials->access_key_id.len > 0 && credentials->secret_access_key.len > 0 &&
           credentials->secret_access_key.len <= SIGV4_SECRET_BYTES_MAX &&
           is_line_safe(credentials->access_key_id) && is_line_safe(credentials->session_token);
}

/* Signs the request with these headers. `scratch` holds scope, canonical request and string to sign
 * one behind the other from its end on; slices of it are taken again after every addition, which
 * may move it. The scope is left at *ret_scope_at. */
static enum err sign(struct buf *scratch, const struct sigv4_request *request,
                     const struct header_list *list, const char *date, struct slice secret,
                     struct sigv4_key *key, uint8_t ret_signature[SHA256_LEN])
{
    size_t scope_at = scratch->len;
    add_scope(scratch, request, date);
    size_t canonical_at = scratch->len;
    add_canonical(scratch, request, list);
    size_t canonical_end = scratch->len;
    struct slice canonical =
        slice_sub(buf_slice(scratch), canonical_at, canonical_end - canonical_at);
    add_string_to_sign(scratch, request, canonical, date);
    if (scratch->failed != OK)
        return scratch->failed;
    struct slice all = buf_slice(scratch);
    struct slice scope = slice_sub(all, scope_at, canonical_at - scope_at);
    if (scope.len >= sizeof key->scope)
        return ERR_TOO_LARGE;
    refresh_key(key, secret, request, date, scope);
    hash_hmac_sha256(slice_of(key->key, sizeof key->key),
                     slice_sub(all, canonical_end, all.len - canonical_end), ret_signature);
    return OK;
}

static enum err add_signature(struct buf *buf, struct buf *scratch,
                              const struct sigv4_request *request,
                              const struct credentials *credentials, struct sigv4_key *key)
{
    struct header_list list;
    char date[BASIC_INSTANT_LEN];
    uint8_t signature[SHA256_LEN];
    if (!write_instant(scratch, request->wall_ms, date))
        return scratch->failed;
    list_headers(request, slice_of(date, sizeof date), credentials->session_token, &list);
    enum err err =
        sign(scratch, request, &list, date, credentials->secret_access_key, key, signature);
    if (err != OK)
        return err;
    buf_add_text(buf, "X-Amz-Date: ");
    buf_add(buf, slice_of(date, sizeof date));
    if (credentials->session_token.ptr != NULL) {
        buf_add_text(buf, "\r\nX-Amz-Security-Token: ");
        buf_add(buf, credentials->session_token);
    }
    buf_add_text(buf, "\r\nAuthorization: " ALGORITHM " Credential=");
    buf_add(buf, credentials->access_key_id);
    buf_add_byte(buf, '/');
    add_scope(buf, request, date);
    buf_add_text(buf, ", SignedHeaders=");
    add_names(buf, &list);
    buf_add_text(buf, ", Signature=");
    hash_add_hex(buf, signature, sizeof signature);
    buf_add_text(buf, "\r\n");
    return buf->failed;
}

enum err sigv4_add_headers(struct buf *buf, const struct sigv4_request *request,
                           const struct credentials *credentials, struct sigv4_key *key)
{
    if (credentials->bearer_token.len > 0) {
        if (!is_line_safe(credentials->bearer_token))
            return ERR_NO_CREDENTIALS;
        buf_add_text(buf, "Authorization: Bearer ");
        buf_add(buf, credentials->bearer_token);
        buf_add_text(buf, "\r\n");
        return buf->failed;
    }
    if (!is_signing_pair(credentials))
        return ERR_NO_CREDENTIALS;
    if (request->header_count > SIGV4_HEADERS_MAX)
        return ERR_TOO_LARGE;
    struct buf scratch OWNED_BY(buf_done);
    buf_init(&scratch, CANONICAL_BYTES_MAX);
    return add_signature(buf, &scratch, request, credentials, key);
}

/* Adds everything that is signed of the query, behind the request's own parameters. */
static void add_signed_query(struct buf *buf, const struct sigv4_request *request,
                             const struct credentials *credentials, const char *date,
                             int64_t expires_s)
{
    buf_add(buf, request->query);
    buf_add_text(buf, request->query.len > 0 ? "&" : "");
    buf_add_text(buf, "X-Amz-Algorithm=" ALGORITHM "&X-Amz-Credential=");
    size_t at = buf->len;
    buf_add(buf, credentials->access_key_id);
    buf_add_byte(buf, '/');
    add_scope(buf, request, date);
    struct buf scope OWNED_BY(buf_done);
    buf_init(&scope, CANONICAL_BYTES_MAX);
    buf_add(&scope, slice_sub(buf_slice(buf), at, buf->len - at));
    buf_cut(buf, at);
    sigv4_add_label(buf, buf_slice(&scope));
    buf_addf(buf, "&X-Amz-Date=%.*s&X-Amz-Expires=%lld&X-Amz-SignedHeaders=host", BASIC_INSTANT_LEN,
             date, (long long)expires_s);
    if (credentials->session_token.len > 0) {
        buf_add_text(buf, "&X-Amz-Security-Token=");
        sigv4_add_label(buf, credentials->session_token);
    }
    if (scope.failed != OK)
        buf->failed = scope.failed;
}

enum err sigv4_add_query(struct buf *buf, const struct sigv4_request *request,
                         const struct credentials *credentials, int64_t expires_s,
                         struct sigv4_key *key)
{
    char date[BASIC_INSTANT_LEN];
    uint8_t signature[SHA256_LEN];
    struct header_list list = {.count = 0};
    struct sigv4_request with_query = *request;
    struct buf scratch OWNED_BY(buf_wipe), query OWNED_BY(buf_wipe);
    buf_init(&scratch, CANONICAL_BYTES_MAX);
    buf_init(&query, CANONICAL_BYTES_MAX);
    if (credentials->bearer_token.len > 0 || !is_signing_pair(credentials))
        return ERR_NO_CREDENTIALS;
    if (!write_instant(&scratch, request->wall_ms, date))
        return scratch.failed;
    add_signed_query(&query, request, credentials, date, expires_s);
    if (query.failed != OK)
        return query.failed;
    with_query.query = buf_slice(&query);
    list_insert(&list, SLICE("host"), request->host);
    enum err err =
        sign(&scratch, &with_query, &list, date, credentials->secret_access_key, key, signature);
    if (err != OK)
        return err;
    buf_add(buf, buf_slice(&query));
    buf_add_text(buf, "&X-Amz-Signature=");
    hash_add_hex(buf, signature, sizeof signature);
    return buf->failed;
}
