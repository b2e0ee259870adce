#include "io/kafka/tokens.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/memory.h"
#include "base/secrets.h"
#include "io/loop/clock.h"
#include "wire/bedrock/msk_token.h"

#define KEYS_BYTES_MAX   ((size_t)256 * 1024)
#define REASON_BYTES_MAX 512
#define USER_AGENT       "bedrock-worker/" BEDROCK_VERSION

struct kafka_tokens {
    char region[64];
    pthread_mutex_t lock;
    /* Under the lock: */
    struct arena arena; /* of the credentials */
    struct credentials credentials;
    bool has_credentials;
    char reason[REASON_BYTES_MAX]; /* why there are none */
    rd_kafka_t *clients[KAFKA_TOKEN_CLIENTS_MAX];
    size_t client_count;
};

struct kafka_tokens *kafka_tokens_new(struct slice region)
{
    struct kafka_tokens *tokens = memory_new(sizeof *tokens);
    if (tokens == NULL)
        return NULL;
    slice_write(region, tokens->region, sizeof tokens->region);
    (void)snprintf(tokens->reason, sizeof tokens->reason, "the worker still looks for them");
    arena_init(&tokens->arena, KEYS_BYTES_MAX);
    CHECK(pthread_mutex_init(&tokens->lock, NULL) == 0);
    return tokens;
}

void kafka_tokens_free(struct kafka_tokens *tokens)
{
    if (tokens == NULL)
        return;
    CHECK(tokens->client_count == 0);
    arena_wipe(&tokens->arena);
    (void)pthread_mutex_destroy(&tokens->lock);
    memory_free(tokens);
}

/* ---- one token ---- */

static void fail(rd_kafka_t *client, const char *what, const char *why)
{
    char text[REASON_BYTES_MAX + 128];
    (void)snprintf(text, sizeof text, "%s: %s", what, why);
    secrets_mask(text);
    (void)rd_kafka_oauthbearer_set_token_failure(client, text);
}

/* Under the lock. */
static void token_give(struct kafka_tokens *tokens, rd_kafka_t *client)
{
    struct buf token OWNED_BY(buf_wipe);
    char error[REASON_BYTES_MAX] = "";
    int64_t wall_ms = clock_wall_ms();
    int64_t ends_ms = msk_token_ends_ms(&tokens->credentials, wall_ms);
    buf_init(&token, MSK_TOKEN_BYTES_MAX);
    if (!tokens->has_credentials) {
        fail(client, "no AWS credentials", tokens->reason);
        return;
    }
    if (ends_ms <= wall_ms) {
        fail(client, "no token for MSK", "the AWS credentials have expired");
        return;
    }
    enum err err = msk_token_add(&token, &tokens->credentials, slice_of_text(tokens->region),
                                 SLICE(USER_AGENT), wall_ms);
    if (err != OK) {
        fail(client, "no token for MSK",
             err == ERR_NO_CREDENTIALS
                 ? "IAM takes keys, and AWS_BEARER_TOKEN_BEDROCK is none; name the "
                   "profile of the keys in bedrock.profile"
                 : err_words(err));
        return;
    }
    secrets_learn(buf_slice(&token), false);
    if (rd_kafka_oauthbearer_set_token(client, buf_text(&token), ends_ms, "bedrock-worker", NULL, 0,
                                       error, sizeof error) != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail(client, "librdkafka does not take the token for MSK", error);
}

void kafka_tokens_refresh(struct kafka_tokens *tokens, rd_kafka_t *client)
{
    (void)pthread_mutex_lock(&tokens->lock);
    token_give(tokens, client);
    (void)pthread_mutex_unlock(&tokens->lock);
}

/* ---- the credentials ---- */

static bool is_same(const struct credentials *a, const struct credentials *b)
{
    return slice_equal(a->access_key_id, b->access_key_id) &&
           slice_equal(a->secret_access_key, b->secret_access_key) &&
           slice_equal(a->session_token, b->session_token) &&
           slice_equal(a->bearer_token, b->bearer_token) &&
           a->expires_wall_ms == b->expires_wall_ms;
}

/* Under the lock. */
static void credentials_copy(struct kafka_tokens *tokens, const struct credentials *credentials)
{
    struct credentials *own = &tokens->credentials;
    struct arena *arena = &tokens->arena;
    arena_wipe(arena);
    *own = *credentials;
    tokens->has_credentials =
        arena_copy(arena, credentials->access_key_id, &own->access_key_id) &&
        arena_copy(arena, credentials->secret_access_key, &own->secret_access_key) &&
        arena_copy(arena, credentials->session_token, &own->session_token) &&
        arena_copy(arena, credentials->bearer_token, &own->bearer_token);
    if (!tokens->has_credentials)
        (void)snprintf(tokens->reason, sizeof tokens->reason, "out of memory");
}

void kafka_tokens_set(struct kafka_tokens *tokens, const struct credentials *credentials,
                      struct slice reason)
{
    (void)pthread_mutex_lock(&tokens->lock);
    if (credentials == NULL && !tokens->has_credentials) {
        slice_write(reason, tokens->reason, sizeof tokens->reason);
    } else if (credentials != NULL &&
               (!tokens->has_credentials || !is_same(&tokens->credentials, credentials))) {
        credentials_copy(tokens, credentials);
        for (size_t i = 0; i < tokens->client_count; i++)
            token_give(tokens, tokens->clients[i]);
    }
    (void)pthread_mutex_unlock(&tokens->lock);
}

/* ---- the clients ---- */

void kafka_tokens_prepare(rd_kafka_conf_t *conf,
                          void (*refresh)(rd_kafka_t *client, const char *config, void *opaque))
{
    rd_kafka_conf_enable_sasl_queue(conf, 1);
    if (refresh != NULL)
        rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, refresh);
}

void kafka_tokens_add(struct kafka_tokens *tokens, rd_kafka_t *client)
{
    rd_kafka_error_t *error = rd_kafka_sasl_background_callbacks_enable(client);
    if (error != NULL) /* another mechanism */
        rd_kafka_error_destroy(error);
    if (tokens == NULL)
        return;
    (void)pthread_mutex_lock(&tokens->lock);
    CHECK(tokens->client_count < KAFKA_TOKEN_CLIENTS_MAX);
    tokens->clients[tokens->client_count++] = client;
    if (tokens->has_credentials)
        token_give(tokens, client);
    (void)pthread_mutex_unlock(&tokens->lock);
}

void kafka_tokens_remove(struct kafka_tokens *tokens, rd_kafka_t *client)
{
    if (tokens == NULL || client == NULL)
        return;
    (void)pthread_mutex_lock(&tokens->lock);
    for (size_t i = 0; i < tokens->client_count; i++) {
        if (tokens->clients[i] == client)
            tokens->clients[i--] = tokens->clients[--tokens->client_count];
    }
    (void)pthread_mutex_unlock(&tokens->lock);
}
