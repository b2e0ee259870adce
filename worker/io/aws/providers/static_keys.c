#include "io/aws/providers/static_keys.h"

#include <stdio.h>

/* Fails with the place of the part that is not clean. */
static enum err fail_unclean(struct search *search, const char *name)
{
    char source[AWS_SOURCE_MAX];
    search_property_source(search, name, source);
    return search_fail_unclean(search, source);
}

enum err take_static_keys(struct search *search, enum profiles_file file, const char *source,
                          struct keys *ret_keys)
{
    struct slice old_token = search_property_in(search, file, "aws_security_token");
    struct keys_parts parts = {
        .access_key_id = search_property_in(search, file, "aws_access_key_id"),
        .secret_access_key = search_property_in(search, file, "aws_secret_access_key"),
        .session_token = old_token.ptr != NULL
                             ? old_token
                             : search_property_in(search, file, "aws_session_token"),
        .expires_wall_ms = INT64_MAX,
    };
    struct profiles_value empty;
    if (parts.access_key_id.ptr == NULL &&
        profiles_find_in(&search->environment->profiles, file, PROFILES_PROFILE,
                         slice_of_text(search->profile), "aws_access_key_id", &empty))
        return search_fail(search,
                           "profile %s has an empty aws_access_key_id in %s; set it or remove it",
                           search->profile, source);
    if (parts.access_key_id.ptr == NULL)
        return ERR_NOT_FOUND;
    if (parts.secret_access_key.ptr == NULL)
        return search_fail(search,
                           "profile %s has an aws_access_key_id, but no aws_secret_access_key in "
                           "%s",
                           search->profile, source);
    char name[64];
    const char *part = "";
    enum err err = keys_set(ret_keys, &parts, &part);
    (void)snprintf(name, sizeof name, "aws_%s", part);
    return err == ERR_FORMAT ? fail_unclean(search, name) : err;
}
