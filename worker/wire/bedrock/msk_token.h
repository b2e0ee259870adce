/* Tokens for Amazon MSK's IAM authentication over SASL/OAUTHBEARER: a presigned URL of the action
 * kafka-cluster:Connect in base64url without padding (AWS's aws-msk-iam-sasl-signer libraries). A
 * token serves new connections for MSK_TOKEN_MS, and no longer than the keys that sign it. */
#ifndef WIRE_BEDROCK_MSK_TOKEN_H
#define WIRE_BEDROCK_MSK_TOKEN_H

#include "wire/bedrock/sigv4.h"

#define MSK_TOKEN_MS        900000
#define MSK_TOKEN_BYTES_MAX 65536
#define MSK_MECHANISM       "AWS_MSK_IAM" /* of Java clients, which librdkafka does not have */

/* Appends a token; it is a secret. ERR_NO_CREDENTIALS: the credentials are a bearer token, or no
 * keys. ERR_TOO_LARGE, ERR_NO_MEMORY. */
MUST_CHECK enum err msk_token_add(struct buf *buf, const struct credentials *credentials,
                                  struct slice region, struct slice user_agent, int64_t wall_ms);
/* When a token of that time ends: with its signature, or with the keys. */
int64_t msk_token_ends_ms(const struct credentials *credentials, int64_t wall_ms);
/* The region in the name of the first broker that has one (`b-1.demo.abc.c2.kafka.us-east-1.`
 * `amazonaws.com:9098`, `boot-x.c1.kafka-serverless.us-east-1.amazonaws.com:9098`); null = none. */
struct slice msk_region_of(struct slice bootstrap_servers);

#endif
