#include "app/client/login.h"

#include "app/assembly.h"
#include "base/memory.h"
#include "io/aws/alone.h"
#include "io/aws/chain.h"
#include "io/kafka/tokens.h"

struct login {
    const struct settings *settings;
    struct kafka_tokens *tokens; /* NULL until the region is known */
};

/* Finds the credentials as the worker does, and gives them to the tokens. */
static void credentials_find(struct login *login, const struct assembly *assembly)
{
    struct search_ports ports;
    struct search *search = memory_new(sizeof *search);
    struct keys keys OWNED_BY(keys_done);
    keys_init(&keys);
    if (search == NULL)
        return;
    const struct chain_identity *own = &assembly->identities[assembly->io.identity_count];
    alone_ports(&assembly->io.http, &ports);
    search_init(search, &assembly->aws, &ports);
    bool has_some = chain_find_as(search, own, &keys) == OK;
    kafka_tokens_set(login->tokens, has_some ? &keys.credentials : NULL,
                     slice_of_text(search->reason));
    memory_free(search);
}

/* Reads the AWS environment, which may have changed. */
static void environment_read(struct login *login)
{
    char reason[ASSEMBLY_REASON_MAX] = "out of memory";
    struct assembly *assembly = memory_new(sizeof *assembly);
    bool is_made = assembly != NULL && assembly_make(login->settings, assembly, reason);
    if (login->tokens == NULL)
        login->tokens = kafka_tokens_new(is_made ? assembly->io.kafka.auth_region : SLICE_NULL);
    if (login->tokens != NULL && is_made)
        credentials_find(login, assembly);
    else if (login->tokens != NULL)
        kafka_tokens_set(login->tokens, NULL, slice_of_text(reason));
    if (assembly != NULL)
        assembly_done(assembly);
    memory_free(assembly);
}

struct login *login_new(const struct settings *settings)
{
    struct login *login = NULL;
    if (settings_kafka_auth(settings) == KAFKA_AUTH_MSK_IAM)
        login = memory_new(sizeof *login);
    if (login == NULL)
        return NULL;
    login->settings = settings;
    environment_read(login);
    if (login->tokens != NULL)
        return login;
    memory_free(login);
    return NULL;
}

void login_add(struct login *login, struct rd_kafka_s *client)
{
    kafka_tokens_add(login == NULL ? NULL : login->tokens, client);
}

void login_remove(struct login *login, struct rd_kafka_s *client)
{
    if (login != NULL)
        kafka_tokens_remove(login->tokens, client);
}

void login_refresh(struct login *login, struct rd_kafka_s *client)
{
    environment_read(login);
    kafka_tokens_refresh(login->tokens, client);
}

void login_free(struct login *login)
{
    if (login == NULL)
        return;
    kafka_tokens_free(login->tokens);
    memory_free(login);
}
