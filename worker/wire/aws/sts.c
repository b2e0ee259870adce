#include "wire/aws/sts.h"

#include <stdio.h>

#include "base/instant.h"
#include "wire/formats/why.h"
#include "wire/formats/xml.h"

#define ERROR_ARENA_MAX ((size_t)1024 * 1024)

#define KEYS_PATH(result) result "Response/" result "Result/Credentials/"

/* ---- forms ---- */

/* Percent-encodes as botocore's forms do: unreserved characters stay, a blank is `+`. */
static void add_escaped(struct buf *buf, struct slice text)
{
    static const char DIGITS[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                        (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '.' ||
                        byte == '~';
        if (is_plain || byte == ' ') {
            buf_add_byte(buf, is_plain ? (char)byte : '+');
            continue;
        }
        buf_add_byte(buf, '%');
        buf_add_byte(buf, DIGITS[byte >> 4]);
        buf_add_byte(buf, DIGITS[byte & 15]);
    }
}

static void add_parameter(struct buf *buf, const char *name, struct slice value)
{
    if (value.ptr == NULL)
        return;
    buf_addf(buf, "&%s=", name);
    add_escaped(buf, value);
}

static void add_tags(struct buf *buf, const struct sts_role *role)
{
    for (size_t i = 0; i < role->tag_count; i++) {
        char name[48];
        (void)snprintf(name, sizeof name, "Tags.member.%zu.Key", i + 1);
        add_parameter(buf, name, role->tags[i].key);
        (void)snprintf(name, sizeof name, "Tags.member.%zu.Value", i + 1);
        add_parameter(buf, name, role->tags[i].value);
    }
}

void sts_add_assume_role(struct buf *buf, const struct sts_role *role)
{
    bool is_web = role->web_identity_token.ptr != NULL;
    buf_addf(buf, "Action=%s&Version=2011-06-15",
             is_web ? "AssumeRoleWithWebIdentity" : "AssumeRole");
    add_parameter(buf, "RoleArn", role->role_arn);
    add_parameter(buf, "RoleSessionName", role->session_name);
    add_parameter(buf, "ExternalId", role->external_id);
    if (role->duration_s > 0)
        buf_addf(buf, "&DurationSeconds=%lld", (long long)role->duration_s);
    add_tags(buf, role);
    add_parameter(buf, "WebIdentityToken", role->web_identity_token);
}

void sts_add_get_caller_identity(struct buf *buf)
{
    buf_add_text(buf, "Action=GetCallerIdentity&Version=2011-06-15");
}

/* ---- answers ---- */

static enum err fail(const char **ret_why, const char *why)
{
    *ret_why = why;
    return ERR_FORMAT;
}

/* The text of a member of AssumeRole's or AssumeRoleWithWebIdentity's credentials. */
static struct slice key_text(const struct xml_leaf *first, const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof path, KEYS_PATH("AssumeRole") "%s", name);
    struct slice text = xml_text(first, path);
    if (text.ptr != NULL)
        return text;
    (void)snprintf(path, sizeof path, KEYS_PATH("AssumeRoleWithWebIdentity") "%s", name);
    return xml_text(first, path);
}

enum err sts_read_keys(struct arena *arena, struct slice body, struct key_answer *ret_keys,
                       const char **ret_why)
{
    const struct xml_leaf *first;
    enum err err = xml_parse(arena, body, &first, ret_why);
    if (err != OK)
        return err;
    *ret_keys = (struct key_answer){
        .access_key_id = key_text(first, "AccessKeyId"),
        .secret_access_key = key_text(first, "SecretAccessKey"),
        .session_token = key_text(first, "SessionToken"),
    };
    if (ret_keys->access_key_id.len == 0 || ret_keys->secret_access_key.len == 0 ||
        ret_keys->session_token.len == 0)
        return fail(ret_why, "it has no credentials");
    if (!instant_from_rfc3339(key_text(first, "Expiration"), &ret_keys->expires_wall_ms))
        return fail(ret_why, "its Expiration is no RFC 3339 date and time");
    return OK;
}

enum err sts_read_caller(struct arena *arena, struct slice body, struct sts_caller *ret_caller,
                         const char **ret_why)
{
    const struct xml_leaf *first;
    enum err err = xml_parse(arena, body, &first, ret_why);
    if (err != OK)
        return err;
    *ret_caller = (struct sts_caller){
        .account = xml_text(first, "GetCallerIdentityResponse/GetCallerIdentityResult/Account"),
        .arn = xml_text(first, "GetCallerIdentityResponse/GetCallerIdentityResult/Arn"),
        .user_id = xml_text(first, "GetCallerIdentityResponse/GetCallerIdentityResult/UserId"),
    };
    return ret_caller->account.len > 0 && ret_caller->arn.len > 0
               ? OK
               : fail(ret_why, "it does not name account and ARN");
}

void sts_read_error(struct slice body, struct sts_error *ret_error)
{
    struct arena arena OWNED_BY(arena_done);
    const struct xml_leaf *first;
    const char *why;
    arena_init(&arena, ERROR_ARENA_MAX);
    *ret_error = (struct sts_error){.code = ""};
    if (xml_parse(&arena, body, &first, &why) != OK)
        return;
    why_copy(ret_error->code, sizeof ret_error->code, xml_text(first, "ErrorResponse/Error/Code"));
    why_copy(ret_error->message, sizeof ret_error->message,
             xml_text(first, "ErrorResponse/Error/Message"));
}
