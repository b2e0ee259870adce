#include "io/aws/credentials.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CREDENTIALS_BYTES_MAX (64 * 1024)

/* A provider. OK: it has credentials. ERR_NOT_FOUND: it has none, try the next one. Any other error
 * ends the chain. */
typedef enum err provider(struct credentials_store *store,
                          const struct aws_environment *environment);

static void add_reason(struct credentials_store *store, const char *format, ...) PRINTF(2, 3);

/* Adds a clause to the reason. */
static void add_reason(struct credentials_store *store, const char *format, ...)
{
    size_t len = strnlen(store->reason, sizeof store->reason);
    if (len > 0 && len + 2 < sizeof store->reason) {
        memcpy(store->reason + len, "; ", 3);
        len += 2;
    }
    va_list args;
    va_start(args, format);
    (void)vsnprintf(store->reason + len, sizeof store->reason - len, format, args);
    va_end(args);
}

static enum err fail(struct credentials_store *store, const char *reason)
{
    store->reason[0] = '\0';
    add_reason(store, "%s", reason);
    return ERR_NO_CREDENTIALS;
}

/* Is the value printable ASCII without blanks, as keys and tokens are? Other bytes get in when a
 * person copies a key, and would make an invalid HTTP header. A missing value is fine. */
static bool is_clean(struct slice value)
{
    if (value.ptr == NULL)
        return true;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] <= ' ' || value.ptr[i] > '~')
            return false;
    }
    return true;
}

/* Names the source of the value, never the value. */
static enum err fail_unclean(struct credentials_store *store, const char *source)
{
    char reason[AWS_REASON_MAX];
    (void)snprintf(reason, sizeof reason,
                   "%s holds a blank, a control character or a byte that no key has; set it again",
                   source);
    return fail(store, reason);
}

/* ---- AWS_BEARER_TOKEN_BEDROCK ---- */

static enum err from_bearer_token(struct credentials_store *store,
                                  const struct aws_environment *environment)
{
    struct slice token = slice_of_text(aws_variable(environment, "AWS_BEARER_TOKEN_BEDROCK"));
    if (token.ptr == NULL)
        return ERR_NOT_FOUND;
    if (!is_clean(slice_trim(token)))
        return fail_unclean(store, "AWS_BEARER_TOKEN_BEDROCK");
    return arena_copy(&store->arena, slice_trim(token), &store->credentials.bearer_token)
               ? OK
               : ERR_NO_MEMORY;
}

/* ---- AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN ---- */

static enum err from_variables(struct credentials_store *store,
                               const struct aws_environment *environment)
{
    struct slice id = slice_of_text(aws_variable(environment, "AWS_ACCESS_KEY_ID"));
    struct slice secret = slice_of_text(aws_variable(environment, "AWS_SECRET_ACCESS_KEY"));
    struct slice token = slice_of_text(aws_variable(environment, "AWS_SESSION_TOKEN"));
    if (id.ptr == NULL && secret.ptr == NULL) {
        add_reason(store, "AWS_ACCESS_KEY_ID is not set");
        return ERR_NOT_FOUND;
    }
    if (id.ptr == NULL || secret.ptr == NULL)
        return fail(store, id.ptr == NULL
                               ? "AWS_SECRET_ACCESS_KEY is set, but not AWS_ACCESS_KEY_ID"
                               : "AWS_ACCESS_KEY_ID is set, but not AWS_SECRET_ACCESS_KEY");
    const struct {
        const char *name;
        struct slice value;
    } parts[] = {
        {"AWS_ACCESS_KEY_ID", id}, {"AWS_SECRET_ACCESS_KEY", secret}, {"AWS_SESSION_TOKEN", token}};
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (!is_clean(slice_trim(parts[i].value)))
            return fail_unclean(store, parts[i].name);
    }
    struct credentials *credentials = &store->credentials;
    return arena_copy(&store->arena, slice_trim(id), &credentials->access_key_id) &&
                   arena_copy(&store->arena, slice_trim(secret), &credentials->secret_access_key) &&
                   arena_copy(&store->arena, slice_trim(token), &credentials->session_token)
               ? OK
               : ERR_NO_MEMORY;
}

/* ---- static keys of the profile ---- */

/* Copies a property of the profile; a missing or empty one gives the null slice. False: out of
 * memory. */
static bool copy_property(struct credentials_store *store,
                          const struct aws_environment *environment, const char *name,
                          struct slice *ret_value)
{
    struct buf value;
    buf_init(&value, AWS_VALUE_BYTES_MAX);
    char *room = buf_reserve(&value, AWS_VALUE_BYTES_MAX);
    enum err err = room == NULL ? ERR_NO_MEMORY : aws_property(environment, name, &value);
    bool copied = true;
    *ret_value = SLICE_NULL;
    if (err == OK && value.len > 0)
        copied = arena_copy(&store->arena, buf_slice(&value), ret_value);
    if (value.ptr != NULL)
        explicit_bzero(value.ptr, value.room);
    buf_done(&value);
    return copied && err != ERR_NO_MEMORY;
}

/* The first property that asks for a provider that this version does not have; NULL = none. */
static const char *other_way(struct credentials_store *store,
                             const struct aws_environment *environment)
{
    static const char *const WAYS[] = {"role_arn", "sso_session", "sso_start_url",
                                       "credential_process", "login_session"};
    struct slice value;
    for (size_t i = 0; i < COUNT_OF(WAYS); i++) {
        if (copy_property(store, environment, WAYS[i], &value) && value.ptr != NULL)
            return WAYS[i];
    }
    return NULL;
}

static enum err no_keys(struct credentials_store *store, const struct aws_environment *environment)
{
    const char *way = other_way(store, environment);
    if (way != NULL)
        add_reason(
            store,
            "profile %s uses %s, which this version does not support; give the profile keys, or "
            "set keys in the environment",
            environment->profile, way);
    else if (environment->credentials.is_there || environment->config.is_there)
        add_reason(store, "profile %s has no aws_access_key_id", environment->profile);
    else if (environment->credentials.path[0] != '\0')
        add_reason(store, "there is no %s", environment->credentials.path);
    else
        add_reason(store, "HOME is not set, so there is no credentials file");
    return ERR_NOT_FOUND;
}

/* The first part of the profile's keys with an invalid character; NULL = none. */
static const char *unclean_part(const struct credentials *credentials)
{
    return !is_clean(credentials->access_key_id)       ? "aws_access_key_id"
           : !is_clean(credentials->secret_access_key) ? "aws_secret_access_key"
           : !is_clean(credentials->session_token)     ? "aws_session_token"
                                                       : NULL;
}

static enum err from_profile(struct credentials_store *store,
                             const struct aws_environment *environment)
{
    struct credentials *credentials = &store->credentials;
    if (!copy_property(store, environment, "aws_access_key_id", &credentials->access_key_id) ||
        !copy_property(store, environment, "aws_secret_access_key",
                       &credentials->secret_access_key) ||
        !copy_property(store, environment, "aws_session_token", &credentials->session_token))
        return ERR_NO_MEMORY;
    if (credentials->access_key_id.ptr == NULL && credentials->secret_access_key.ptr == NULL)
        return no_keys(store, environment);
    const char *part = unclean_part(credentials);
    if (part != NULL) {
        char source[AWS_SOURCE_MAX];
        aws_property_source(environment, part, source);
        return fail_unclean(store, source);
    }
    if (credentials->access_key_id.ptr != NULL && credentials->secret_access_key.ptr != NULL)
        return OK;
    char reason[AWS_REASON_MAX];
    (void)snprintf(reason, sizeof reason,
                   "profile %s has only one of aws_access_key_id and aws_secret_access_key",
                   environment->profile);
    return fail(store, reason);
}

/* ---- the chain ---- */

enum { SOURCE_TOKEN, SOURCE_VARIABLES, SOURCE_PROFILE, SOURCE_COUNT };

static const struct {
    const char *name;
    provider *find;
} SOURCES[SOURCE_COUNT] = {
    [SOURCE_TOKEN] = {"AWS_BEARER_TOKEN_BEDROCK", from_bearer_token},
    [SOURCE_VARIABLES] = {"the environment", from_variables},
    [SOURCE_PROFILE] = {"the shared credentials file", from_profile},
};

static const int USUAL[SOURCE_COUNT] = {SOURCE_TOKEN, SOURCE_VARIABLES, SOURCE_PROFILE};
/* When the settings name a profile. */
static const int CHOSEN[SOURCE_COUNT] = {SOURCE_PROFILE, SOURCE_TOKEN, SOURCE_VARIABLES};

static void clear(struct credentials_store *store)
{
    arena_wipe(&store->arena);
    store->credentials = (struct credentials){.expires_wall_ms = INT64_MAX};
    store->source = NULL;
}

void credentials_init(struct credentials_store *store)
{
    memset(store, 0, sizeof *store);
    arena_init(&store->arena, CREDENTIALS_BYTES_MAX);
    store->credentials.expires_wall_ms = INT64_MAX;
}

enum err credentials_load(struct credentials_store *store,
                          const struct aws_environment *environment)
{
    const int *order = environment->is_chosen ? CHOSEN : USUAL;
    store->reason[0] = '\0';
    for (size_t i = 0; i < SOURCE_COUNT; i++) {
        clear(store);
        enum err err = SOURCES[order[i]].find(store, environment);
        if (err == OK) {
            store->source = SOURCES[order[i]].name;
            return OK;
        }
        if (err != ERR_NOT_FOUND) {
            clear(store);
            return err;
        }
    }
    clear(store);
    return ERR_NO_CREDENTIALS;
}

void credentials_done(struct credentials_store *store)
{
    clear(store);
    arena_done(&store->arena);
}
