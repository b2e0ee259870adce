/* A role by the token of a web identity, such as a Kubernetes service account's (EKS): named by
 * AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN and AWS_ROLE_SESSION_NAME, each of which goes before
 * the profile's web_identity_token_file, role_arn and role_session_name. The token is read anew for
 * each call, because something renews its file. */
#include <stdio.h>

#include "io/aws/file.h"
#include "io/aws/providers/assume.h"

#define TOKEN_MAX ((size_t)32 * 1024)

/* A variable that is set goes before the property, even when it is empty. */
static struct slice find_setting(const struct search *search, const char *variable,
                                 const char *property)
{
    const struct aws_environment *environment = search->environment;
    const char *value =
        search->uses_variables ? environment->lookup(environment->self, variable) : NULL;
    if (value == NULL)
        return search_property(search, property);
    return value[0] == '\0' ? SLICE_NULL : slice_of_text(value);
}

/* A token of printable characters only: what else is in its file is no token. */
static bool is_token(struct slice token)
{
    for (size_t i = 0; i < token.len; i++) {
        if (token.ptr[i] <= ' ' || token.ptr[i] > '~')
            return false;
    }
    return token.len > 0;
}

static enum err assume(struct search *search, struct sts_role *role, struct slice path,
                       struct buf *token, struct keys *ret_keys)
{
    char reason[AWS_REASON_MAX] = "", what[ASSUME_WHAT_MAX];
    (void)snprintf(what, sizeof what, "role %.*s by the web identity token in %.*s",
                   SLICE_ARG(slice_sub(role->role_arn, 0, 256)),
                   SLICE_ARG(slice_sub(path, 0, 256)));
    enum err err = search_read_file(search, path, TOKEN_MAX, token, reason);
    if (err != OK)
        return search_fail_with(search, err, what, reason);
    role->web_identity_token = slice_trim(buf_slice(token));
    if (!is_token(role->web_identity_token))
        return search_fail(search, "%s: the file holds no token, or more than one line", what);
    return assume_role(search, role, NULL, what, ret_keys);
}

enum err provider_web_identity(struct search *search, struct keys *ret_keys)
{
    struct slice path =
        find_setting(search, "AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file");
    struct sts_role role = {
        .role_arn = find_setting(search, "AWS_ROLE_ARN", "role_arn"),
        .session_name = find_setting(search, "AWS_ROLE_SESSION_NAME", "role_session_name"),
    };
    if (path.ptr == NULL)
        return search_lacks(search, "%sprofile %s has no web_identity_token_file",
                            search->uses_variables ? "AWS_WEB_IDENTITY_TOKEN_FILE is not set and "
                                                   : "",
                            search->profile);
    if (role.role_arn.ptr == NULL)
        return search_fail(search,
                           "there is a web identity token file, %.*s, and no role for it: set "
                           "AWS_ROLE_ARN, or role_arn in profile %s",
                           SLICE_ARG(slice_sub(path, 0, 256)), search->profile);
    struct buf token;
    buf_init(&token, TOKEN_MAX);
    enum err err = assume(search, &role, path, &token, ret_keys);
    file_wipe(&token);
    return err;
}
