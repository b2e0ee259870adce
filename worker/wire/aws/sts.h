/* AWS Security Token Service, API version 2011-06-15, by the Query protocol: a POST of a form, and
 * an answer in XML. */
#ifndef WIRE_AWS_STS_H
#define WIRE_AWS_STS_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/aws/key_answer.h"

#define STS_CONTENT_TYPE "application/x-www-form-urlencoded; charset=utf-8"
#define STS_TAGS_MAX     50   /* session tags of one session */
#define STS_CODE_MAX     128  /* of an error's code, with its NUL */
#define STS_MESSAGE_MAX  1024 /* of an error's message, with its NUL */

struct sts_tag {
    struct slice key, value;
};

/* Null slices and zeros are not sent. */
struct sts_role {
    struct slice role_arn;
    struct slice session_name;
    struct slice external_id;   /* AssumeRole only */
    int64_t duration_s;         /* 0 = the role's default, an hour */
    const struct sts_tag *tags; /* AssumeRole only */
    size_t tag_count;
    struct slice web_identity_token; /* not null: AssumeRoleWithWebIdentity, which is not signed */
};

/* The service's refusal. */
struct sts_error {
    char code[STS_CODE_MAX];       /* "AccessDenied"; "" = the answer is no error of STS */
    char message[STS_MESSAGE_MAX]; /* for people */
};

/* Who the keys are. */
struct sts_caller {
    struct slice account, arn, user_id;
};

/* Append the form of AssumeRole or AssumeRoleWithWebIdentity, and of GetCallerIdentity. */
void sts_add_assume_role(struct buf *buf, const struct sts_role *role);
void sts_add_get_caller_identity(struct buf *buf);
/* Read an answer with status 200, whose texts lie in the arena. ERR_FORMAT: *ret_why says what is
 * wrong with it; ERR_NO_MEMORY. */
MUST_CHECK enum err sts_read_keys(struct arena *arena, struct slice body,
                                  struct key_answer *ret_keys, const char **ret_why);
MUST_CHECK enum err sts_read_caller(struct arena *arena, struct slice body,
                                    struct sts_caller *ret_caller, const char **ret_why);
/* Reads an answer with another status. Controls in the message become blanks. */
void sts_read_error(struct slice body, struct sts_error *ret_error);

#endif
