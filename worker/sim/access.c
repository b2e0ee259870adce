#include "sim/access.h"

#include <stdio.h>
#include <string.h>

#include "base/instant.h"

#define ALGORITHM         "AWS4-HMAC-SHA256"
#define BASIC_LEN         16
#define DATE_LEN          8
#define SIGNATURE_LEN     64
#define SIGNED_MAX        16
#define NAME_MAX_BYTES    64
#define NAMES_BYTES_MAX   512
#define HEADERS_BYTES_OUT 16384

/* The parts of an Authorization header. */
struct authorization {
    struct slice key_id, date, region, service, terminator;
    struct slice signed_headers, signature;
};

static void refuse(struct access_verdict *verdict, const char *type, const char *text)
{
    verdict->type = type;
    (void)snprintf(verdict->text, sizeof verdict->text, "%s", text);
}

static struct slice value_of(struct slice text, struct slice name)
{
    for (size_t at = 0; at < text.len;) {
        struct slice rest = slice_sub(text, at, text.len);
        struct slice part = slice_sub(rest, 0, slice_find(rest, ','));
        at += part.len + 1;
        part = slice_trim(part);
        if (slice_starts(part, name))
            return slice_sub(part, name.len, part.len);
    }
    return SLICE_NULL;
}

/* Removes the text before the next `/` from the front and returns it. */
static struct slice take_part(struct slice *text)
{
    size_t len = slice_find(*text, '/');
    struct slice part = slice_sub(*text, 0, len);
    *text = slice_sub(*text, len + 1, text->len);
    return part;
}

static bool authorization_read(struct slice text, struct authorization *ret_parts)
{
    if (!slice_starts(text, SLICE(ALGORITHM " ")))
        return false;
    text = slice_sub(text, sizeof(ALGORITHM), text.len);
    struct slice credential = value_of(text, SLICE("Credential="));
    ret_parts->signed_headers = value_of(text, SLICE("SignedHeaders="));
    ret_parts->signature = value_of(text, SLICE("Signature="));
    ret_parts->key_id = take_part(&credential);
    ret_parts->date = take_part(&credential);
    ret_parts->region = take_part(&credential);
    ret_parts->service = take_part(&credential);
    ret_parts->terminator = credential;
    return ret_parts->key_id.len > 0 && ret_parts->signed_headers.len > 0 &&
           ret_parts->signature.len == SIGNATURE_LEN &&
           slice_equal(ret_parts->terminator, SLICE("aws4_request"));
}

/* Reads `20240102T030405Z` as milliseconds. */
static bool basic_read(struct slice text, int64_t *ret_wall_ms)
{
    char spread[32];
    if (text.len != BASIC_LEN)
        return false;
    const char *p = text.ptr;
    (void)snprintf(spread, sizeof spread, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", p, p + 4, p + 6, p + 9,
                   p + 11, p + 13);
    return p[8] == 'T' && p[15] == 'Z' && instant_from_rfc3339(slice_of_text(spread), ret_wall_ms);
}

static const struct sim_key *key_find(const struct sim_config *config, struct slice key_id,
                                      size_t *ret_index)
{
    for (size_t i = 0; i < config->key_count; i++) {
        if (slice_equal(config->keys[i].access_key_id, key_id)) {
            *ret_index = i;
            return &config->keys[i];
        }
    }
    return NULL;
}

/* Writes AWS's text, with both times and the tolerance. */
static void refuse_clock(struct access_verdict *verdict, int64_t signed_ms, int64_t wall_ms,
                         int64_t allowed_ms)
{
    struct buf text OWNED_BY(buf_done);
    bool is_old = signed_ms < wall_ms;
    buf_init(&text, ACCESS_TEXT_MAX);
    buf_add_text(&text, is_old ? "Signature expired: " : "Signature not yet current: ");
    instant_add_basic(&text, signed_ms);
    buf_add_text(&text, is_old ? " is now earlier than " : " is still later than ");
    instant_add_basic(&text, is_old ? wall_ms - allowed_ms : wall_ms + allowed_ms);
    buf_add_text(&text, " (");
    instant_add_basic(&text, wall_ms);
    buf_addf(&text, is_old ? " - %d min.)" : " + %d min.)", (int)(allowed_ms / 60000));
    refuse(verdict, "InvalidSignatureException", buf_text(&text));
    verdict->is_clock_off = true;
}

/* Collects the signed headers with their values, without those that the signer adds. */
static bool list_headers(const struct access_request *request, struct slice names, char *room,
                         struct sigv4_header *ret_headers, size_t *ret_count)
{
    size_t count = 0;
    size_t used = 0;
    for (size_t at = 0; at < names.len;) {
        struct slice rest = slice_sub(names, at, names.len);
        struct slice name = slice_sub(rest, 0, slice_find(rest, ';'));
        at += name.len + 1;
        if (name.len == 0 || used + name.len + 1 > NAMES_BYTES_MAX || count == SIGNED_MAX)
            return false;
        char *text = room + used;
        memcpy(text, name.ptr, name.len);
        text[name.len] = '\0';
        used += name.len + 1;
        if (slice_equal_text(name, "host") || slice_equal_text(name, "x-amz-date") ||
            slice_equal_text(name, "x-amz-security-token"))
            continue;
        struct slice value = request->header(request->self, text);
        if (value.ptr == NULL)
            return false;
        ret_headers[count++] = (struct sigv4_header){slice_of(text, name.len), value};
    }
    *ret_count = count;
    return true;
}

/* Signs the request as the client must have done, and compares. */
static bool signature_holds(const struct access_request *request, const struct sim_key *key,
                            const struct authorization *given, int64_t signed_ms,
                            struct sigv4_key *cache)
{
    char names[NAMES_BYTES_MAX];
    struct sigv4_header headers[SIGNED_MAX];
    struct buf ours OWNED_BY(buf_done);
    struct sigv4_request copy = {.method = request->method,
                                 .host = request->header(request->self, "host"),
                                 .path = request->path,
                                 .query = request->query,
                                 .headers = headers,
                                 .body = request->body,
                                 .region = given->region,
                                 .service = given->service,
                                 .wall_ms = signed_ms};
    struct credentials credentials = {
        .access_key_id = key->access_key_id,
        .secret_access_key = key->secret_access_key,
        .session_token = key->session_token.len > 0 ? key->session_token : SLICE_NULL,
        .bearer_token = SLICE_NULL,
        .expires_wall_ms = INT64_MAX};
    buf_init(&ours, HEADERS_BYTES_OUT);
    if (!list_headers(request, given->signed_headers, names, headers, &copy.header_count) ||
        sigv4_add_headers(&ours, &copy, &credentials, cache) != OK)
        return false;
    struct slice text = buf_slice(&ours);
    const char *found = memmem(text.ptr, text.len, ALGORITHM, sizeof(ALGORITHM) - 1);
    struct authorization right;
    if (found == NULL)
        return false;
    size_t at = (size_t)(found - text.ptr);
    return authorization_read(slice_trim(slice_sub(text, at, text.len)), &right) &&
           slice_equal(right.signed_headers, given->signed_headers) &&
           slice_equal(right.signature, given->signature);
}

static void check_signature(const struct sim_config *config, struct access_cache *cache,
                            const struct access_request *request, int64_t wall_ms,
                            struct access_verdict *verdict)
{
    struct authorization given;
    struct slice date = request->header(request->self, "x-amz-date");
    int64_t signed_ms;
    size_t index = 0;
    if (!authorization_read(request->header(request->self, "authorization"), &given) ||
        !basic_read(date, &signed_ms)) {
        refuse(verdict, "IncompleteSignatureException",
               "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' "
               "parameters and an existence of either a 'X-Amz-Date' or a 'Date' header.");
        return;
    }
    const struct sim_key *key = key_find(config, given.key_id, &index);
    struct slice token = request->header(request->self, "x-amz-security-token");
    if (key == NULL || (key->session_token.len > 0 && !slice_equal(token, key->session_token)) ||
        (key->session_token.len == 0 && token.len > 0)) {
        refuse(verdict, "UnrecognizedClientException",
               "The security token included in the request is invalid.");
        return;
    }
    verdict->access_key_id = key->access_key_id;
    if (key->expired) {
        refuse(verdict, "ExpiredTokenException",
               "The security token included in the request is expired");
    } else if (!slice_equal(given.service, SLICE("bedrock"))) {
        refuse(verdict, "InvalidSignatureException",
               "Credential should be scoped to correct service: 'bedrock'.");
    } else if (config->region.len > 0 && !slice_equal(given.region, config->region)) {
        refuse(verdict, "InvalidSignatureException",
               "Credential should be scoped to a valid region.");
    } else if (signed_ms < wall_ms - config->skew_max_ms ||
               signed_ms > wall_ms + config->skew_max_ms) {
        refuse_clock(verdict, signed_ms, wall_ms, config->skew_max_ms);
    } else if (!slice_equal(given.date, slice_sub(date, 0, DATE_LEN)) ||
               !signature_holds(request, key, &given, signed_ms, &cache->keys[index])) {
        refuse(verdict, "InvalidSignatureException",
               "The request signature we calculated does not match the signature you provided. "
               "Check your AWS Secret Access Key and signing method. Consult the service "
               "documentation for details.");
    }
}

static bool bearer_known(const struct sim_config *config, struct slice token)
{
    for (size_t i = 0; i < config->bearers.count; i++)
        if (token.len > 0 && slice_equal(token, config->bearers.list[i]))
            return true;
    return false;
}

void access_check(const struct sim_config *config, struct access_cache *cache,
                  const struct access_request *request, int64_t wall_ms,
                  struct access_verdict *ret_verdict)
{
    struct slice header = request->header(request->self, "authorization");
    *ret_verdict = (struct access_verdict){.type = NULL};
    if (!config->auth_required)
        return;
    if (header.len == 0) {
        refuse(ret_verdict, "MissingAuthenticationTokenException", "Missing Authentication Token");
    } else if (slice_starts(header, SLICE("Bearer "))) {
        if (!bearer_known(config, slice_trim(slice_sub(header, 7, header.len))))
            refuse(ret_verdict, "AccessDeniedException",
                   "Authentication failed: Please make sure your API Key is valid.");
    } else {
        check_signature(config, cache, request, wall_ms, ret_verdict);
    }
}
