#include "io/aws/chain.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "io/aws/file.h"
#include "io/aws/providers/assume.h"
#include "wire/aws/api_key.h"

static const struct provider_row ROWS[] = {
#define PROVIDER(name, part, canonical, source, needs)                                             \
    {#name, provider_##name, part, canonical, source, needs},
#include "io/aws/providers.def"
#undef PROVIDER
};

const struct provider_row *provider_rows(size_t *ret_count)
{
    *ret_count = COUNT_OF(ROWS);
    return ROWS;
}

/* Asks the rows from `first` to `last` that take part, in their order. */
static enum err ask_rows(struct search *search, enum provider_part first, enum provider_part last,
                         struct keys *ret_keys)
{
    size_t count;
    const struct provider_row *rows = provider_rows(&count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].part < first || rows[i].part > last)
            continue;
        enum err err = rows[i].find(search, ret_keys);
        if (err == OK && ret_keys->source[0] == '\0')
            (void)snprintf(ret_keys->source, sizeof ret_keys->source, "%s", rows[i].source);
        if (err != ERR_NOT_FOUND)
            return err;
    }
    return ERR_NOT_FOUND;
}

static enum err find_in_profile(struct search *search, struct keys *ret_keys)
{
    return ask_rows(search, PROVIDER_PROFILE, PROVIDER_PROFILE, ret_keys);
}

static enum err find_at(struct search *search, struct slice credential_source,
                        struct keys *ret_keys)
{
    size_t count;
    const struct provider_row *rows = provider_rows(&count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].canonical != NULL && slice_equal_text(credential_source, rows[i].canonical))
            return rows[i].find(search, ret_keys);
    }
    return ERR_INVALID;
}

void search_init(struct search *search, const struct aws_environment *environment,
                 const struct search_ports *ports)
{
    memset(search, 0, sizeof *search);
    search->environment = environment;
    search->ports = ports;
    search->find_in_profile = find_in_profile;
    search->find_at = find_at;
    search->uses_variables = !environment->is_chosen;
    (void)snprintf(search->profile, sizeof search->profile, "%s", environment->profile);
    (void)snprintf(search->region, sizeof search->region, "%s", environment->region);
}

/* A short-term API key of Bedrock says itself when it ends. */
static enum err take_token(struct search *search, struct slice token, const char *source,
                           struct keys *ret_keys)
{
    const struct keys_parts parts = {.bearer_token = token,
                                     .expires_wall_ms = api_key_expires_ms(slice_trim(token))};
    return search_take(search, ret_keys, &parts, source);
}

/* AWS_BEARER_TOKEN_BEDROCK: a key for Bedrock only, without a signature. */
static enum err find_bearer_token(struct search *search, struct keys *ret_keys)
{
    const char *token = aws_variable(search->environment, "AWS_BEARER_TOKEN_BEDROCK");
    if (token == NULL || search->needs_signature)
        return ERR_NOT_FOUND;
    return take_token(search, slice_of_text(token), "AWS_BEARER_TOKEN_BEDROCK", ret_keys);
}

/* The files are asked only when they can be read. */
static enum err ask_files(struct search *search, struct keys *ret_keys)
{
    if (search->environment->trouble[0] != '\0')
        return search_fail(search, "%s", search->environment->trouble);
    return ask_rows(search, PROVIDER_ROLE, PROVIDER_PROFILE, ret_keys);
}

static enum err ask_all(struct search *search, struct keys *ret_keys)
{
    enum err err = search->uses_variables ? find_bearer_token(search, ret_keys) : ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND && search->uses_variables)
        err = ask_rows(search, PROVIDER_VARIABLES, PROVIDER_VARIABLES, ret_keys);
    if (err == ERR_NOT_FOUND)
        err = ask_files(search, ret_keys);
    if (err == ERR_NOT_FOUND && !search->uses_variables)
        err = find_bearer_token(search, ret_keys);
    if (err == ERR_NOT_FOUND)
        err = ask_rows(search, PROVIDER_MACHINE, PROVIDER_MACHINE, ret_keys);
    return err;
}

static enum err check_end(struct search *search, struct keys *keys)
{
    if (keys->credentials.expires_wall_ms > search_wall_ms(search))
        return OK;
    enum err err = search_fail(
        search, "the keys from %s have expired; renew them, and check this machine's clock",
        keys->source);
    keys_done(keys);
    return err;
}

enum err chain_find(struct search *search, struct keys *ret_keys)
{
    enum err err = ask_all(search, ret_keys);
    if (err == OK)
        return check_end(search, ret_keys);
    keys_done(ret_keys);
    return err == ERR_NOT_FOUND ? ERR_NO_CREDENTIALS : err;
}

/* ---- the settings' identity ---- */

#define TOKEN_FILE_MAX ((size_t)64 * 1024)

/* The API key in a file that something renews. */
static enum err find_in_token_file(struct search *search, const char *path, struct keys *ret_keys)
{
    char reason[AWS_REASON_MAX] = "", source[KEYS_SOURCE_MAX];
    struct buf token;
    buf_init(&token, TOKEN_FILE_MAX);
    (void)snprintf(source, sizeof source, "bedrock.identity.token_file %s", path);
    enum err err = search_read_file(search, slice_of_text(path), TOKEN_FILE_MAX, &token, reason);
    if (err != OK)
        err = search_fail_with(search, err, "bedrock.identity.token_file", reason);
    else if (slice_trim(buf_slice(&token)).len == 0)
        err = search_fail(search, "%s is empty; it must hold a Bedrock API key", source);
    else
        err = take_token(search, buf_slice(&token), source, ret_keys);
    file_wipe(&token);
    return err;
}

/* Assumes the settings' role with the keys of the chain. */
static enum err assume(struct search *search, const struct chain_identity *identity,
                       struct keys *ret_keys)
{
    char what[ASSUME_WHAT_MAX];
    struct keys source OWNED_BY(keys_done);
    keys_init(&source);
    keys_move(ret_keys, &source);
    (void)snprintf(what, sizeof what, "role %.*s of bedrock.identity, with the keys from %s",
                   SLICE_ARG(slice_sub(identity->role.role_arn, 0, 256)), source.source);
    return assume_role(search, &identity->role, &source.credentials, what, ret_keys);
}

static bool is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

enum err chain_find_as(struct search *search, const struct chain_identity *identity,
                       struct keys *ret_keys)
{
    bool has_role = identity->role.role_arn.len > 0;
    search->needs_signature = has_role || identity->needs_signature;
    if (is_set(identity->region))
        (void)snprintf(search->region, sizeof search->region, "%s", identity->region);
    if (is_set(identity->token_file) && !search->needs_signature) {
        enum err err = find_in_token_file(search, identity->token_file, ret_keys);
        return err == OK ? check_end(search, ret_keys) : err;
    }
    enum err err = chain_find(search, ret_keys);
    if (err == OK && has_role)
        err = assume(search, identity, ret_keys);
    return err == OK ? check_end(search, ret_keys) : err;
}

enum err chain_search(const struct chain_identity *identity, const struct search_ports *ports,
                      struct keys *ret_keys, bool *ret_is_costly,
                      char ret_reason[SEARCH_REASON_MAX])
{
    struct aws_environment *environment = memory_new(sizeof *environment);
    struct search *search = memory_new(sizeof *search);
    enum err err = ERR_NO_MEMORY;
    ret_reason[0] = '\0';
    *ret_is_costly = false;
    if (environment != NULL && search != NULL) {
        err = aws_environment_load(environment, aws_lookup_process, NULL, identity->profile,
                                   ret_reason);
        if (err == OK) {
            search_init(search, environment, ports);
            err = chain_find_as(search, identity, ret_keys);
            memcpy(ret_reason, search->reason, sizeof search->reason);
            *ret_is_costly = search->is_costly;
        } else if (err != ERR_NO_MEMORY) {
            err = ERR_NO_CREDENTIALS;
        }
        aws_environment_done(environment);
    }
    memory_free(environment);
    memory_free(search);
    return err;
}
