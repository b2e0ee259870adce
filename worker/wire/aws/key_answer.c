#include "wire/aws/key_answer.h"

#include "base/instant.h"

/* A member that must be a text, or may be missing or null. False: it is neither. */
static bool read_text(struct arena *arena, const struct json *object, const char *name,
                      struct slice *ret_text)
{
    const struct json *member = json_member(object, name);
    *ret_text = SLICE_NULL;
    if (member == NULL || member->kind == JSON_NULL)
        return true;
    return json_string(arena, member, ret_text);
}

static enum err fail(const char **ret_why, const char *why)
{
    *ret_why = why;
    return ERR_FORMAT;
}

enum err key_answer_read(struct arena *arena, const struct json *object, const char *token_name,
                         struct key_answer *ret_answer, const char **ret_why)
{
    struct slice expires;
    *ret_why = "";
    if (!json_is(object, JSON_OBJECT))
        return fail(ret_why, "it is no JSON object");
    if (!read_text(arena, object, "AccessKeyId", &ret_answer->access_key_id) ||
        ret_answer->access_key_id.len == 0)
        return fail(ret_why, "AccessKeyId is missing or no text");
    if (!read_text(arena, object, "SecretAccessKey", &ret_answer->secret_access_key) ||
        ret_answer->secret_access_key.len == 0)
        return fail(ret_why, "SecretAccessKey is missing or no text");
    if (!read_text(arena, object, token_name, &ret_answer->session_token))
        return fail(ret_why, "the session token is no text");
    if (!read_text(arena, object, "Expiration", &expires))
        return fail(ret_why, "Expiration is no text");
    ret_answer->expires_wall_ms = INT64_MAX;
    if (ret_answer->session_token.len == 0)
        ret_answer->session_token = SLICE_NULL;
    if (expires.ptr != NULL && !instant_from_rfc3339(expires, &ret_answer->expires_wall_ms))
        return fail(ret_why, "Expiration is no RFC 3339 date and time");
    return OK;
}
