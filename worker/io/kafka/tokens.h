/* Tokens of Amazon MSK's IAM authentication for the Kafka clients (SASL/OAUTHBEARER). librdkafka
 * asks each client for a token at its start and after four fifths of the token's life, in a thread
 * of its own, so that a call that blocks a client's own thread keeps no connection from logging in.
 * Until there are AWS credentials the clients wait; they get tokens at the moment when the
 * credentials come, and new tokens when those change. Any thread may call. */
#ifndef IO_KAFKA_TOKENS_H
#define IO_KAFKA_TOKENS_H

#include "base/attr.h"
#include "base/slice.h"
#include "wire/bedrock/sigv4.h"

#define KAFKA_TOKEN_CLIENTS_MAX 8

struct kafka_tokens;
struct rd_kafka_s;
struct rd_kafka_conf_s;

/* Makes a room without credentials for the region of the cluster. NULL: out of memory. */
MUST_CHECK struct kafka_tokens *kafka_tokens_new(struct slice region);
/* Overwrites the credentials. All clients must have been removed. NULL is fine. */
void kafka_tokens_free(struct kafka_tokens *tokens);
/* Sets the credentials, which it copies, and gives each client a token; NULL: there are none for
 * this reason. The same ones again change nothing. */
void kafka_tokens_set(struct kafka_tokens *tokens, const struct credentials *credentials,
                      struct slice reason);

/* Lets a client be asked for tokens in a thread of its own, and by `refresh` if it is not NULL,
 * which calls kafka_tokens_refresh. For configurations with OAUTHBEARER. */
void kafka_tokens_prepare(struct rd_kafka_conf_s *conf,
                          void (*refresh)(struct rd_kafka_s *client, const char *config,
                                          void *opaque));
/* Adds a client that was just made from such a configuration, and removes it before its end.
 * `tokens` NULL: the client makes its tokens itself. */
void kafka_tokens_add(struct kafka_tokens *tokens, struct rd_kafka_s *client);
void kafka_tokens_remove(struct kafka_tokens *tokens, struct rd_kafka_s *client);
/* Gives the client a new token, or tells it why there is none. */
void kafka_tokens_refresh(struct kafka_tokens *tokens, struct rd_kafka_s *client);

#endif
