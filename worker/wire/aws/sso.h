/* IAM Identity Center (AWS SSO): the file in which `aws sso login` keeps a login, its renewal by
 * CreateToken, and the keys that the portal gives for it (IAM Identity Center OIDC and Portal API
 * References). Texts are secrets; they lie in the arena or in the text that was read. */
#ifndef WIRE_AWS_SSO_H
#define WIRE_AWS_SSO_H

#include "wire/aws/document.h"

struct sso_login {
    struct slice access_token;
    int64_t expires_wall_ms;
    /* For its renewal: null = the file has none. */
    struct slice refresh_token, client_id, client_secret;
    int64_t registration_expires_wall_ms; /* INT64_MIN = unknown */
    const struct json *root;              /* the whole file */
};

/* Appends the name of the file of a session (or, before there were sessions, of a start URL),
 * without its folder: the SHA-1 of the name, and `.json`. */
void sso_add_file_name(struct buf *buf, struct slice name);
/* Reads the file. ERR_FORMAT: ret_fault says why, without data; ERR_NO_MEMORY. */
MUST_CHECK enum err sso_read_login(struct arena *arena, struct slice text,
                                   struct sso_login *ret_login, struct document_fault *ret_fault);
/* Can the login be renewed: has it a refresh token, and a registration that has not ended? */
bool sso_is_renewable(const struct sso_login *login, int64_t wall_ms);
/* Appends the body of CreateToken. */
void sso_add_renewal(struct buf *buf, const struct sso_login *login);
/* Reads the answer of CreateToken into access_token, expires_wall_ms and, where it has a new one,
 * refresh_token of the login, as copies; `wall_ms` is now. Errors as sso_read_login. */
MUST_CHECK enum err sso_read_renewal(struct arena *arena, struct slice text, int64_t wall_ms,
                                     struct sso_login *login, struct document_fault *ret_fault);
/* Appends the file of the renewed login: the members of the old file, some with new values. */
void sso_add_login(struct buf *buf, const struct sso_login *login);
/* Appends path and query of GetRoleCredentials. */
void sso_add_keys_path(struct buf *buf, struct slice account_id, struct slice role_name);
/* Reads the answer of GetRoleCredentials. Errors as sso_read_login. */
MUST_CHECK enum err sso_read_keys(struct arena *arena, struct slice text,
                                  struct key_answer *ret_keys, struct document_fault *ret_fault);

#endif
