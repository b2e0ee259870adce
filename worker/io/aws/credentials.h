/* Loads AWS credentials from a chain of providers, in the order of the AWS SDKs and Tools Reference
 * Guide: bearer token, environment variables, keys of the profile; a profile that the settings name
 * comes first. The first provider that has anything decides: if that is broken, loading fails and
 * the later providers do not matter. The store owns the credentials and overwrites them when they
 * are replaced and at the end. */
#ifndef IO_AWS_CREDENTIALS_H
#define IO_AWS_CREDENTIALS_H

#include "base/arena.h"
#include "io/aws/environment.h"
#include "wire/bedrock/sigv4.h"

struct credentials_store {
    struct arena arena;
    struct credentials credentials; /* texts lie in the arena */
    const char *source;             /* for people, such as "the environment"; NULL = none */
    char reason[AWS_REASON_MAX];    /* why there are none: what each provider lacks; no values */
};

/* Makes an empty store. */
void credentials_init(struct credentials_store *store);
/* Replaces the credentials. ERR_NO_CREDENTIALS: no provider has any, or the one that decides is
 * broken; store->reason says why. ERR_NO_MEMORY. */
MUST_CHECK enum err credentials_load(struct credentials_store *store,
                                     const struct aws_environment *environment);
/* Overwrites and frees the credentials. */
void credentials_done(struct credentials_store *store);

#endif
