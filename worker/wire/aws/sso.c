#include "wire/aws/sso.h"

#include "wire/formats/hash.h"

#define EXPIRATION_MAX INT64_C(253402300799999) /* the end of the year 9999, in ms */

void sso_add_file_name(struct buf *buf, struct slice name)
{
    uint8_t digest[SHA1_LEN];
    hash_sha1(name, digest);
    hash_add_hex(buf, digest, sizeof digest);
    buf_add_text(buf, ".json");
}

enum err sso_read_login(struct arena *arena, struct slice text, struct sso_login *ret_login,
                        struct document_fault *ret_fault)
{
    struct document_fault ignored;
    *ret_login = (struct sso_login){.registration_expires_wall_ms = INT64_MIN};
    enum err err = document_parse(arena, text, &ret_login->root, ret_fault);
    if (err == OK)
        err = document_read_texts(arena, ret_login->root, ret_fault, "accessToken",
                                  &ret_login->access_token, (const char *)NULL);
    if (err == OK)
        err = document_read_instant(arena, ret_login->root, "expiresAt",
                                    &ret_login->expires_wall_ms, ret_fault);
    if (err != OK)
        return err;
    err = document_read_instant(arena, ret_login->root, "registrationExpiresAt",
                                &ret_login->registration_expires_wall_ms, &ignored);
    bool is_read =
        err != ERR_NO_MEMORY &&
        document_read_optional(arena, ret_login->root, "refreshToken", &ret_login->refresh_token) &&
        document_read_optional(arena, ret_login->root, "clientId", &ret_login->client_id) &&
        document_read_optional(arena, ret_login->root, "clientSecret", &ret_login->client_secret);
    return is_read ? OK : ERR_NO_MEMORY;
}

bool sso_is_renewable(const struct sso_login *login, int64_t wall_ms)
{
    return login->refresh_token.ptr != NULL && login->client_id.ptr != NULL &&
           login->client_secret.ptr != NULL && login->registration_expires_wall_ms > wall_ms;
}

void sso_add_renewal(struct buf *buf, const struct sso_login *login)
{
    buf_add_byte(buf, '{');
    json_add_text_member(buf, "clientId", login->client_id);
    json_add_text_member(buf, "clientSecret", login->client_secret);
    json_add_text_member(buf, "grantType", SLICE("refresh_token"));
    json_add_text_member(buf, "refreshToken", login->refresh_token);
    buf_add_byte(buf, '}');
}

enum err sso_read_renewal(struct arena *arena, struct slice text, int64_t wall_ms,
                          struct sso_login *login, struct document_fault *ret_fault)
{
    const struct json *root;
    struct slice access_token, refresh_token = SLICE_NULL;
    int64_t expires_wall_ms = 0;
    enum err err = document_parse(arena, text, &root, ret_fault);
    if (err == OK)
        err = document_read_texts(arena, root, ret_fault, "accessToken", &access_token,
                                  (const char *)NULL);
    if (err == OK)
        err = document_read_seconds(root, "expiresIn", wall_ms, &expires_wall_ms, ret_fault);
    if (err == OK && !document_read_optional(arena, root, "refreshToken", &refresh_token))
        err = ERR_NO_MEMORY;
    if (err != OK)
        return err;
    if (refresh_token.ptr == NULL)
        refresh_token = login->refresh_token;
    if (!arena_copy(arena, access_token, &login->access_token) ||
        !arena_copy(arena, refresh_token, &login->refresh_token))
        return ERR_NO_MEMORY;
    login->expires_wall_ms = expires_wall_ms;
    return OK;
}

void sso_add_login(struct buf *buf, const struct sso_login *login)
{
    static const char *const NEW[] = {"accessToken", "expiresAt", "refreshToken"};
    struct buf instant OWNED_BY(buf_done);
    buf_init(&instant, 64);
    document_add_instant(&instant, login->expires_wall_ms);
    buf_add_byte(buf, '{');
    for (const struct json *member = login->root->first; member != NULL; member = member->next) {
        if (!slice_is_one_of(member->name, NEW, COUNT_OF(NEW)))
            json_add_copy(buf, member);
    }
    json_add_text_member(buf, "accessToken", login->access_token);
    json_add_text_member(buf, "expiresAt", buf_slice(&instant));
    json_add_text_member(buf, "refreshToken", login->refresh_token);
    buf_add_byte(buf, '}');
}

void sso_add_keys_path(struct buf *buf, struct slice account_id, struct slice role_name)
{
    buf_add_text(buf, "/federation/credentials?role_name=");
    document_add_escaped(buf, role_name);
    buf_add_text(buf, "&account_id=");
    document_add_escaped(buf, account_id);
}

enum err sso_read_keys(struct arena *arena, struct slice text, struct key_answer *ret_keys,
                       struct document_fault *ret_fault)
{
    const struct json *root;
    enum err err = document_parse(arena, text, &root, ret_fault);
    if (err != OK)
        return err;
    const struct json *keys = json_member(root, "roleCredentials");
    if (!json_is(keys, JSON_OBJECT))
        return document_fail(ret_fault, "it has no roleCredentials");
    err = document_read_texts(arena, keys, ret_fault, "accessKeyId", &ret_keys->access_key_id,
                              "secretAccessKey", &ret_keys->secret_access_key, "sessionToken",
                              &ret_keys->session_token, (const char *)NULL);
    if (err != OK)
        return err;
    int64_t *expires_wall_ms = &ret_keys->expires_wall_ms;
    if (!json_int64(json_member(keys, "expiration"), expires_wall_ms) || *expires_wall_ms < 0 ||
        *expires_wall_ms > EXPIRATION_MAX)
        return document_fail(ret_fault, "its expiration is not an instant in milliseconds");
    return OK;
}
