/* The chain: asks the providers of providers.def in order. The first one that has something
 * decides: keys that it names and cannot give are an error, and the later providers do not matter.
 */
#ifndef IO_AWS_CHAIN_H
#define IO_AWS_CHAIN_H

#include "io/aws/provider.h"
#include "wire/aws/sts.h"

/* The rows of providers.def, in their order. */
const struct provider_row *provider_rows(size_t *ret_count);

/* Begins a search for the environment's profile, without a reason. Both are borrowed. */
void search_init(struct search *search, const struct aws_environment *environment,
                 const struct search_ports *ports);

/* As whom the settings call: which keys of the chain, and which role is assumed with them. Texts
 * are NUL-terminated; NULL or "" = none. Borrowed. */
struct chain_identity {
    const char *profile;    /* goes before the environment's keys */
    const char *token_file; /* of a Bedrock API key, which goes before everything else */
    const char *region;     /* of STS, before the environment's */
    struct sts_role role;   /* role_arn null = none */
    bool needs_signature;   /* a bearer token does not serve */
};

/* Reads the environment and searches it for the keys of an identity, with its role. Returns as
 * chain_find, and ERR_NO_CREDENTIALS when the environment is invalid; ret_is_costly: it took
 * requests or a process. */
MUST_CHECK enum err chain_search(const struct chain_identity *identity,
                                 const struct search_ports *ports, struct keys *ret_keys,
                                 bool *ret_is_costly, char ret_reason[SEARCH_REASON_MAX]);
/* The same in an environment that has been read, by a search of search_init. */
MUST_CHECK enum err chain_find_as(struct search *search, const struct chain_identity *identity,
                                  struct keys *ret_keys);
/* Finds the keys, of the whole chain; a bearer token (AWS_BEARER_TOKEN_BEDROCK) goes before all
 * others, and behind the profile that the settings name. ERR_NO_CREDENTIALS: search->reason says
 * why; ERR_CANCELLED; ERR_NO_MEMORY. */
MUST_CHECK enum err chain_find(struct search *search, struct keys *ret_keys);
#endif
