/* Roles: asks STS for a role's keys, signed with other keys or with the token of a web identity. */
#ifndef IO_AWS_PROVIDERS_ASSUME_H
#define IO_AWS_PROVIDERS_ASSUME_H

#include "io/aws/provider.h"
#include "wire/aws/sts.h"

#define ASSUME_WHAT_MAX     640              /* of the words for a role, with their NUL */
#define ASSUME_SESSION_NAME "bedrock-worker" /* unless one is set */

/* Assumes a role. `source` are the keys that sign; NULL: role->web_identity_token does. `what`
 * names the role and where it stands, for people ("role_arn arn:… of profile x"); it becomes the
 * source of the keys. Asks again a little later when the service fails. When this machine's clock
 * is wrong, it signs again by the service's, and the keys' end is corrected. ERR_NO_CREDENTIALS:
 * search->reason says why; ERR_CANCELLED; ERR_NO_MEMORY. */
MUST_CHECK enum err assume_role(struct search *search, const struct sts_role *role,
                                const struct credentials *source, const char *what,
                                struct keys *ret_keys);

#endif
