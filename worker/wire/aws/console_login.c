#include "wire/aws/console_login.h"

#include "wire/formats/base64.h"
#include "wire/formats/hash.h"
#include "wire/formats/text.h"

#define PART_BYTES_MAX 4096 /* of a proof */
#define COORDINATE     32

void console_login_add_file_name(struct buf *buf, struct slice session)
{
    uint8_t digest[SHA256_LEN];
    hash_sha256(session, digest);
    hash_add_hex(buf, digest, sizeof digest);
    buf_add_text(buf, ".json");
}

/* The access token of the file and of an answer: temporary keys. */
static enum err read_keys(struct arena *arena, const struct json *object,
                          struct key_answer *ret_keys, struct document_fault *ret_fault)
{
    if (!json_is(object, JSON_OBJECT))
        return document_fail(ret_fault, "it has no accessToken");
    return document_read_texts(arena, object, ret_fault, "accessKeyId", &ret_keys->access_key_id,
                               "secretAccessKey", &ret_keys->secret_access_key, "sessionToken",
                               &ret_keys->session_token, (const char *)NULL);
}

enum err console_login_read(struct arena *arena, struct slice text, struct console_login *ret_login,
                            struct document_fault *ret_fault)
{
    *ret_login = (struct console_login){.root = NULL};
    enum err err = document_parse(arena, text, &ret_login->root, ret_fault);
    if (err != OK)
        return err;
    const struct json *keys = json_member(ret_login->root, "accessToken");
    err = read_keys(arena, keys, &ret_login->keys, ret_fault);
    if (err == OK)
        err = document_read_instant(arena, keys, "expiresAt", &ret_login->keys.expires_wall_ms,
                                    ret_fault);
    if (err == OK)
        err = document_read_texts(arena, ret_login->root, ret_fault, "refreshToken",
                                  &ret_login->refresh_token, "dpopKey", &ret_login->dpop_key,
                                  "clientId", &ret_login->client_id, (const char *)NULL);
    if (err != OK)
        return err;
    return document_read_optional(arena, ret_login->root, "signInRegion",
                                  &ret_login->sign_in_region)
               ? OK
               : ERR_NO_MEMORY;
}

void console_login_add_renewal(struct buf *buf, const struct console_login *login)
{
    buf_add_byte(buf, '{');
    json_add_text_member(buf, "clientId", login->client_id);
    json_add_text_member(buf, "grantType", SLICE("refresh_token"));
    json_add_text_member(buf, "refreshToken", login->refresh_token);
    buf_add_byte(buf, '}');
}

enum err console_login_read_renewal(struct arena *arena, struct slice text, int64_t wall_ms,
                                    struct console_login *login, struct document_fault *ret_fault)
{
    const struct json *root;
    struct key_answer keys;
    struct slice refresh_token;
    enum err err = document_parse(arena, text, &root, ret_fault);
    if (err == OK)
        err = read_keys(arena, json_member(root, "accessToken"), &keys, ret_fault);
    if (err == OK)
        err = document_read_seconds(root, "expiresIn", wall_ms, &keys.expires_wall_ms, ret_fault);
    if (err == OK)
        err = document_read_texts(arena, root, ret_fault, "refreshToken", &refresh_token,
                                  (const char *)NULL);
    if (err != OK)
        return err;
    login->keys.expires_wall_ms = keys.expires_wall_ms;
    return arena_copy(arena, keys.access_key_id, &login->keys.access_key_id) &&
                   arena_copy(arena, keys.secret_access_key, &login->keys.secret_access_key) &&
                   arena_copy(arena, keys.session_token, &login->keys.session_token) &&
                   arena_copy(arena, refresh_token, &login->refresh_token)
               ? OK
               : ERR_NO_MEMORY;
}

enum err console_login_read_refusal(struct arena *arena, struct slice text, struct slice *ret_error)
{
    const struct json *root;
    struct document_fault ignored;
    *ret_error = SLICE("");
    enum err err = document_parse(arena, text, &root, &ignored);
    if (err == OK && json_is(json_member(root, "error"), JSON_STRING) &&
        !json_string(arena, json_member(root, "error"), ret_error))
        err = ERR_NO_MEMORY;
    *ret_error = document_code(*ret_error);
    return err == ERR_NO_MEMORY ? err : OK;
}

/* The accessToken of the file, with the new keys. */
static void add_keys(struct buf *buf, const struct console_login *login)
{
    static const char *const NEW[] = {"accessKeyId", "secretAccessKey", "sessionToken",
                                      "expiresAt"};
    struct buf instant OWNED_BY(buf_done);
    buf_init(&instant, 64);
    document_add_instant(&instant, login->keys.expires_wall_ms);
    buf_add_byte(buf, '{');
    for (const struct json *member = json_member(login->root, "accessToken")->first; member != NULL;
         member = member->next) {
        if (!slice_is_one_of(member->name, NEW, COUNT_OF(NEW)))
            json_add_copy(buf, member);
    }
    json_add_text_member(buf, "accessKeyId", login->keys.access_key_id);
    json_add_text_member(buf, "secretAccessKey", login->keys.secret_access_key);
    json_add_text_member(buf, "sessionToken", login->keys.session_token);
    json_add_text_member(buf, "expiresAt", buf_slice(&instant));
    buf_add_byte(buf, '}');
}

void console_login_add(struct buf *buf, const struct console_login *login)
{
    static const char *const NEW[] = {"accessToken", "refreshToken"};
    buf_add_byte(buf, '{');
    json_add_name(buf, "accessToken");
    add_keys(buf, login);
    for (const struct json *member = login->root->first; member != NULL; member = member->next) {
        if (!slice_is_one_of(member->name, NEW, COUNT_OF(NEW)))
            json_add_copy(buf, member);
    }
    json_add_text_member(buf, "refreshToken", login->refresh_token);
    buf_add_byte(buf, '}');
}

/* AWS Sign-In's hosts, by what the region begins with; the longest beginning first. */
static const struct {
    const char *region_prefix, *suffix;
} PARTITIONS[] = {
    {"us-isob-", ".signin.sc2shome.sgov.gov"}, {"us-isof-", ".signin.csphome.hci.ic.gov"},
    {"us-iso-", ".signin.c2shome.ic.gov"},     {"us-gov-", ".signin.amazonaws-us-gov.com"},
    {"eu-isoe-", ".signin.csphome.adc-e.uk"},  {"eusc-", ".signin.amazonaws-eusc.eu"},
    {"cn-", ".signin.amazonaws.cn"},           {"", ".signin.aws.amazon.com"},
};

enum err console_login_add_url(struct buf *buf, struct slice region)
{
    size_t i = 0;
    if (!text_is_region(region))
        return ERR_FORMAT;
    while (!slice_starts(region, slice_of_text(PARTITIONS[i].region_prefix)))
        i++;
    buf_add_text(buf, "https://");
    buf_add(buf, region);
    buf_add_text(buf, PARTITIONS[i].suffix);
    return buf->failed;
}

/* ---- the proof ---- */

void dpop_add_base64url(struct buf *buf, struct slice bytes)
{
    size_t start = buf->len;
    base64_add(buf, bytes);
    if (buf->failed != OK)
        return;
    while (buf->len > start && buf->ptr[buf->len - 1] == '=')
        buf_cut(buf, buf->len - 1);
    for (size_t i = start; i < buf->len; i++) {
        if (buf->ptr[i] == '+')
            buf->ptr[i] = '-';
        if (buf->ptr[i] == '/')
            buf->ptr[i] = '_';
    }
}

static void add_coordinate(struct buf *buf, const char *name, const uint8_t *bytes)
{
    json_add_name(buf, name);
    buf_add_byte(buf, '"');
    dpop_add_base64url(buf, slice_of(bytes, COORDINATE));
    buf_add_byte(buf, '"');
}

void dpop_add_signed_text(struct buf *buf, const struct dpop_proof *proof)
{
    struct buf part OWNED_BY(buf_done);
    buf_init(&part, PART_BYTES_MAX);
    buf_add_text(&part, "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\"");
    add_coordinate(&part, "x", proof->x);
    add_coordinate(&part, "y", proof->y);
    json_add_text_member(&part, "crv", SLICE("P-256"));
    buf_add_text(&part, "}}");
    dpop_add_base64url(buf, buf_slice(&part));
    buf_add_byte(buf, '.');
    enum err failed = part.failed;
    buf_reset(&part);
    buf_add_byte(&part, '{');
    json_add_text_member(&part, "htm", SLICE("POST"));
    json_add_text_member(&part, "htu", proof->url);
    json_add_int_member(&part, "iat", proof->wall_ms / 1000);
    json_add_text_member(&part, "jti", proof->id);
    buf_add_byte(&part, '}');
    dpop_add_base64url(buf, buf_slice(&part));
    if (buf->failed == OK)
        buf->failed = failed != OK ? failed : part.failed;
}
