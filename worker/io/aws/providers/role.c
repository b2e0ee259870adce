/* The profile's role_arn: assumed with the keys of its source_profile, which may have a role of its
 * own, or of its credential_source. The rules for chains are botocore's (AssumeRoleProvider). */
#include <stdio.h>
#include <string.h>

#include "io/aws/providers/assume.h"

static bool has_property(const struct search *search, const char *name)
{
    struct profiles_value found;
    return profiles_find(&search->environment->profiles, PROFILES_PROFILE,
                         slice_of_text(search->profile), name, &found);
}

/* A profile with a web identity has its role from there. */
static bool has_role(const struct search *search)
{
    return has_property(search, "role_arn") && !has_property(search, "web_identity_token_file");
}

static bool has_static_keys(const struct search *search)
{
    return has_property(search, "aws_access_key_id") ||
           has_property(search, "aws_secret_access_key");
}

static bool was_visited(const struct search *search, struct slice name)
{
    for (size_t i = 0; i < search->visited_count; i++) {
        if (slice_equal(name, search->visited[i]))
            return true;
    }
    return false;
}

static void change_profile(struct search *search, struct slice name)
{
    slice_write(name, search->profile, sizeof search->profile);
}

/* What is wrong with the role's settings beside its source. */
static enum err check_role(struct search *search)
{
    if (search_property(search, "role_arn").ptr == NULL)
        return search_fail(search, "role_arn of profile %s is empty", search->profile);
    if (has_property(search, "mfa_serial"))
        return search_fail(search,
                           "profile %s needs an MFA code (mfa_serial), which a service cannot ask "
                           "for; use a role whose trust policy works without MFA, or a "
                           "credential_process",
                           search->profile);
    return OK;
}

/* Whether search->profile may take its keys from `source`. A profile may name itself for its own
 * keys. */
static enum err check_source(struct search *search, struct slice source)
{
    if (!profiles_have(&search->environment->profiles, PROFILES_PROFILE, source) ||
        source.len >= AWS_PROFILE_MAX)
        return search_fail(search, "source_profile %.*s of profile %s does not exist",
                           SLICE_ARG(slice_sub(source, 0, AWS_PROFILE_MAX)), search->profile);
    bool names_itself = slice_equal_text(source, search->profile);
    if (was_visited(search, source) && !(names_itself && has_static_keys(search)))
        return search_fail(search,
                           "source_profile of profile %s leads back to profile %.*s; end the "
                           "circle in a profile with keys",
                           search->profile, SLICE_ARG(source));
    if (search->visited_count == SEARCH_CHAIN_MAX)
        return search_fail(search,
                           "source_profile of profile %s makes a chain of more than %d profiles; "
                           "assume the role from fewer",
                           search->profile, SEARCH_CHAIN_MAX);
    return OK;
}

static enum err find_at_source(struct search *search, struct slice name, struct keys *ret_keys)
{
    char reason[SEARCH_REASON_MAX] = "";
    enum err err = search_at(search, name, ret_keys);
    if (err == ERR_INVALID)
        return search_fail(search,
                           "credential_source %.*s of profile %s is none of Environment, "
                           "Ec2InstanceMetadata and EcsContainer",
                           SLICE_ARG(slice_sub(name, 0, 64)), search->profile);
    if (err != ERR_NOT_FOUND)
        return err;
    (void)snprintf(reason, sizeof reason, "%s", search->reason);
    return search_fail(search, "credential_source %.*s of profile %s has no keys: %s",
                       SLICE_ARG(slice_sub(name, 0, 64)), search->profile, reason);
}

static enum err find_in_source(struct search *search, struct keys *ret_keys)
{
    bool used_variables = search->uses_variables;
    search->uses_variables = false;
    search->reason[0] = '\0';
    enum err err = search_in_profile(search, ret_keys);
    search->uses_variables = used_variables;
    if (err != ERR_NOT_FOUND)
        return err;
    return search_fail(search, "source_profile %s has no keys, and no other source of them",
                       search->profile);
}

/* Finds the keys that the innermost role is assumed with. search->visited then holds the profiles
 * with roles, the outermost first. */
static enum err find_source(struct search *search, struct keys *ret_keys)
{
    struct slice name = slice_of_text(search->environment->profile);
    for (search->visited_count = 0;;) {
        struct slice source = search_property(search, "source_profile");
        struct slice place = search_property(search, "credential_source");
        enum err err = check_role(search);
        if (err != OK)
            return err;
        search->visited[search->visited_count++] = name;
        if ((source.ptr == NULL) == (place.ptr == NULL))
            return search_fail(search,
                               source.ptr == NULL
                                   ? "role_arn of profile %s needs a source_profile or a "
                                     "credential_source"
                                   : "profile %s has both source_profile and credential_source; "
                                     "keep one",
                               search->profile);
        if (place.ptr != NULL)
            return find_at_source(search, place, ret_keys);
        if ((err = check_source(search, source)) != OK)
            return err;
        name = source;
        change_profile(search, name);
        if (has_static_keys(search) || !has_role(search))
            return find_in_source(search, ret_keys);
    }
}

/* Assumes the role of search->profile. */
static enum err assume(struct search *search, const struct keys *source, struct keys *ret_keys)
{
    char what[ASSUME_WHAT_MAX];
    struct slice arn = search_property(search, "role_arn");
    struct sts_role role = {
        .role_arn = arn,
        .session_name = search_property(search, "role_session_name"),
        .external_id = search_property(search, "external_id"),
    };
    /* As botocore, which ignores a duration that is no number. */
    if (!slice_to_int64(search_property(search, "duration_seconds"), &role.duration_s))
        role.duration_s = 0;
    (void)snprintf(what, sizeof what, "role_arn %.*s of profile %s",
                   SLICE_ARG(slice_sub(arn, 0, 256)), search->profile);
    return assume_role(search, &role, &source->credentials, what, ret_keys);
}

enum err provider_role(struct search *search, struct keys *ret_keys)
{
    if (!has_role(search))
        return search_lacks(search, "profile %s has no role_arn", search->profile);
    struct keys source OWNED_BY(keys_done);
    keys_init(&source);
    enum err err = find_source(search, &source);
    while (err == OK && search->visited_count > 0) {
        change_profile(search, search->visited[--search->visited_count]);
        err = assume(search, &source, ret_keys);
        if (err == OK && search->visited_count > 0)
            keys_move(ret_keys, &source);
    }
    return err;
}
