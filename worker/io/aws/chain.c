#include "io/aws/chain.h"

#include <stdio.h>
#include <string.h>

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

/* AWS_BEARER_TOKEN_BEDROCK: a key for Bedrock only, without a signature. */
static enum err find_bearer_token(struct search *search, struct keys *ret_keys)
{
    const char *token = aws_variable(search->environment, "AWS_BEARER_TOKEN_BEDROCK");
    if (token == NULL)
        return ERR_NOT_FOUND;
    const struct keys_parts parts = {.bearer_token = slice_of_text(token),
                                     .expires_wall_ms = INT64_MAX};
    return search_take(search, ret_keys, &parts, "AWS_BEARER_TOKEN_BEDROCK");
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

enum err chain_find(struct search *search, struct keys *ret_keys)
{
    enum err err = ask_all(search, ret_keys);
    if (err == OK && ret_keys->credentials.expires_wall_ms <= search_wall_ms(search))
        err = search_fail(search, "the keys from %s have expired; renew them", ret_keys->source);
    if (err != OK)
        keys_done(ret_keys);
    return err == ERR_NOT_FOUND ? ERR_NO_CREDENTIALS : err;
}
