/* Keys as JSON: what credential_process prints ("Sourcing credentials with an external process"),
 * what the container endpoint and the instance metadata service answer, and what the caches of the
 * AWS CLI hold. An object with AccessKeyId, SecretAccessKey, a token and Expiration, an RFC 3339
 * date and time; unknown members are ignored. */
#ifndef WIRE_AWS_KEY_ANSWER_H
#define WIRE_AWS_KEY_ANSWER_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "wire/formats/json.h"

struct key_answer {
    struct slice access_key_id, secret_access_key;
    struct slice session_token; /* the null slice = none */
    int64_t expires_wall_ms;    /* INT64_MAX = never */
};

/* Reads the object, whose token has the name `token_name` (SessionToken, Token). ERR_FORMAT:
 * *ret_why says what is wrong with it, without values; ERR_NO_MEMORY. The texts borrow `object` and
 * the arena. */
MUST_CHECK enum err key_answer_read(struct arena *arena, const struct json *object,
                                    const char *token_name, struct key_answer *ret_answer,
                                    const char **ret_why);

#endif
