/* Where credentials come from: a chain of providers, asked in their order (credentials.c has the
 * list). The first one that has something decides: what is broken there is an error, not a reason
 * to go on. Secrets are cleared when they are replaced or done with. */
#ifndef IO_AWS_CREDENTIALS_H
#define IO_AWS_CREDENTIALS_H

#include "base/arena.h"
#include "io/aws/environment.h"
#include "wire/bedrock/sigv4.h"

struct credentials_store {
    struct arena arena;
    struct credentials credentials; /* lie in the arena */
    const char *source;             /* words: "the environment"; NULL = none */
    char words[AWS_WORDS_MAX];      /* why there are none: what was tried; no values */
};

void credentials_init(struct credentials_store *store);
/* ERR_NO_CREDENTIALS with words when no provider has any, or the one that should is broken;
 * ERR_NO_MEMORY. */
MUST_CHECK enum err credentials_load(struct credentials_store *store,
                                     const struct aws_environment *environment);
void credentials_done(struct credentials_store *store);

#endif
