/* AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN (or its old name,
 * AWS_SECURITY_TOKEN), and AWS_CREDENTIAL_EXPIRATION, as botocore reads them. */
#include <string.h>

#include "base/instant.h"
#include "io/aws/provider.h"

/* The variable that holds the part. */
static const char *variable_of(const char *part, bool has_old_token)
{
    if (strcmp(part, "access_key_id") == 0)
        return "AWS_ACCESS_KEY_ID";
    if (strcmp(part, "secret_access_key") == 0)
        return "AWS_SECRET_ACCESS_KEY";
    return has_old_token ? "AWS_SECURITY_TOKEN" : "AWS_SESSION_TOKEN";
}

enum err provider_variables(struct search *search, struct keys *ret_keys)
{
    const struct aws_environment *environment = search->environment;
    const char *id = aws_variable(environment, "AWS_ACCESS_KEY_ID");
    const char *secret = aws_variable(environment, "AWS_SECRET_ACCESS_KEY");
    const char *old_token = aws_variable(environment, "AWS_SECURITY_TOKEN");
    const char *token = aws_variable(environment, "AWS_SESSION_TOKEN");
    const char *expires = aws_variable(environment, "AWS_CREDENTIAL_EXPIRATION");
    if (id == NULL)
        return search_lacks(search, "AWS_ACCESS_KEY_ID is not set%s",
                            secret == NULL ? "" : ", though AWS_SECRET_ACCESS_KEY is");
    if (secret == NULL)
        return search_fail(search, "AWS_ACCESS_KEY_ID is set, but not AWS_SECRET_ACCESS_KEY");
    struct keys_parts parts = {
        .access_key_id = slice_of_text(id),
        .secret_access_key = slice_of_text(secret),
        .session_token = slice_of_text(old_token != NULL ? old_token : token),
        .expires_wall_ms = INT64_MAX,
    };
    if (expires != NULL && !instant_from_rfc3339(slice_of_text(expires), &parts.expires_wall_ms))
        return search_fail(search, "AWS_CREDENTIAL_EXPIRATION is not an RFC 3339 date and time");
    const char *part = "";
    enum err err = keys_set(ret_keys, &parts, &part);
    if (err == ERR_FORMAT)
        return search_fail_unclean(search, variable_of(part, old_token != NULL));
    return err;
}
