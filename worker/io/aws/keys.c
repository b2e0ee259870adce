#include "io/aws/keys.h"

#include <string.h>

#include "base/secrets.h"

#define KEYS_BYTES_MAX ((size_t)4 * KEYS_PART_MAX + 8192)

static void clear(struct keys *keys)
{
    arena_wipe(&keys->arena);
    keys->credentials = (struct credentials){.expires_wall_ms = INT64_MAX};
    keys->source[0] = '\0';
}

void keys_init(struct keys *keys)
{
    memset(keys, 0, sizeof *keys);
    arena_init(&keys->arena, KEYS_BYTES_MAX);
    keys->credentials.expires_wall_ms = INT64_MAX;
}

void keys_done(struct keys *keys)
{
    clear(keys);
    arena_done(&keys->arena);
}

/* Is the value printable ASCII without blanks, as keys and tokens are? Other bytes get in when a
 * person copies a key. A missing value is fine. */
static bool is_clean(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] <= ' ' || value.ptr[i] > '~')
            return false;
    }
    return value.len <= KEYS_PART_MAX;
}

/* From here on no foreign text shows them. */
static void learn(const struct credentials *credentials)
{
    secrets_learn(credentials->secret_access_key, false);
    secrets_learn(credentials->session_token, false);
    secrets_learn(credentials->bearer_token, false);
}

enum err keys_set(struct keys *keys, const struct keys_parts *parts, const char **ret_part)
{
    clear(keys);
    struct credentials *own = &keys->credentials;
    const struct {
        const char *name;
        struct slice value;
        struct slice *place;
    } all[] = {
        {"access_key_id", parts->access_key_id, &own->access_key_id},
        {"secret_access_key", parts->secret_access_key, &own->secret_access_key},
        {"session_token", parts->session_token, &own->session_token},
        {"bearer_token", parts->bearer_token, &own->bearer_token},
    };
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        struct slice value = all[i].value.ptr == NULL ? SLICE_NULL : slice_trim(all[i].value);
        enum err err = !is_clean(value)                                 ? ERR_FORMAT
                       : !arena_copy(&keys->arena, value, all[i].place) ? ERR_NO_MEMORY
                                                                        : OK;
        if (err == ERR_FORMAT && ret_part != NULL)
            *ret_part = all[i].name;
        if (err != OK) {
            clear(keys);
            return err;
        }
    }
    own->expires_wall_ms = parts->expires_wall_ms;
    learn(own);
    return OK;
}

void keys_move(struct keys *keys, struct keys *ret_owner)
{
    keys_done(ret_owner);
    *ret_owner = *keys;
    keys_init(keys);
}

bool keys_equal(const struct keys *keys, const struct keys *other)
{
    const struct credentials *a = &keys->credentials, *b = &other->credentials;
    return slice_equal(a->access_key_id, b->access_key_id) &&
           slice_equal(a->secret_access_key, b->secret_access_key) &&
           slice_equal(a->session_token, b->session_token) &&
           slice_equal(a->bearer_token, b->bearer_token) &&
           a->expires_wall_ms == b->expires_wall_ms;
}
