/* The chain: asks the providers of providers.def in order. The first one that has something
 * decides: keys that it names and cannot give are an error, and the later providers do not matter.
 */
#ifndef IO_AWS_CHAIN_H
#define IO_AWS_CHAIN_H

#include "io/aws/provider.h"

/* The rows of providers.def, in their order. */
const struct provider_row *provider_rows(size_t *ret_count);

/* Begins a search for the environment's profile, without a reason. Both are borrowed. */
void search_init(struct search *search, const struct aws_environment *environment,
                 const struct search_ports *ports);

/* Finds the keys, of the whole chain; a bearer token (AWS_BEARER_TOKEN_BEDROCK) goes before all
 * others, and behind the profile that the settings name. ERR_NO_CREDENTIALS: search->reason says
 * why; ERR_CANCELLED; ERR_NO_MEMORY. */
MUST_CHECK enum err chain_find(struct search *search, struct keys *ret_keys);
#endif
