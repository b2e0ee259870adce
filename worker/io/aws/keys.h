/* The keys that a provider found: an access key with its secret, or a bearer token, with their end
 * and their source. The struct owns the texts, which lie in its arena, and overwrites them when
 * they are replaced and at the end. */
#ifndef IO_AWS_KEYS_H
#define IO_AWS_KEYS_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "wire/bedrock/sigv4.h"

#define KEYS_SOURCE_MAX 320
#define KEYS_PART_MAX   65536 /* bytes of one text; session tokens have no fixed limit */

struct keys {
    struct arena arena;
    struct credentials credentials; /* texts lie in the arena */
    char source[KEYS_SOURCE_MAX];   /* for people, such as "the environment"; "" = no keys */
};

/* The parts of keys, borrowed. A null token = none; a null access key = a bearer token's keys. */
struct keys_parts {
    struct slice access_key_id, secret_access_key, session_token, bearer_token;
    int64_t expires_wall_ms; /* INT64_MAX = never */
};

/* Makes an empty struct. */
void keys_init(struct keys *keys);
/* Overwrites and frees the texts; leaves an empty struct that may be used again. */
void keys_done(struct keys *keys);
/* Replaces the keys by copies of `parts`, without white space at their ends. ERR_FORMAT: a part has
 * a blank, a control character or a byte that no key has, which would make an invalid header;
 * ret_part (NULL is fine) is "access_key_id", "secret_access_key", "session_token" or
 * "bearer_token". ERR_NO_MEMORY. On an error there are no keys. */
MUST_CHECK enum err keys_set(struct keys *keys, const struct keys_parts *parts,
                             const char **ret_part);
/* Moves the keys to `ret_owner`, whose own are overwritten, and leaves `keys` empty. */
void keys_move(struct keys *keys, struct keys *ret_owner);
/* Are the two the same credentials, with the same end? */
bool keys_equal(const struct keys *keys, const struct keys *other);

#endif
