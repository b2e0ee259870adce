/* `aws login`, by which the AWS CLI logs in with a user's console credentials: the file in which it
 * keeps the session's keys, and their renewal by CreateOAuth2Token of AWS Sign-In, with a proof of
 * possession (RFC 9449) by the file's private key. Texts are secrets; they lie in the arena or in
 * the text that was read. */
#ifndef WIRE_AWS_CONSOLE_LOGIN_H
#define WIRE_AWS_CONSOLE_LOGIN_H

#include "wire/aws/document.h"

struct console_login {
    struct key_answer keys;
    struct slice refresh_token, client_id;
    struct slice dpop_key;       /* a private key as PEM text */
    struct slice sign_in_region; /* null = the file has none */
    const struct json *root;     /* the whole file */
};

/* Appends the name of the file of a session, without its folder: the SHA-256 of login_session, and
 * `.json`. */
void console_login_add_file_name(struct buf *buf, struct slice session);
/* Reads the file. ERR_FORMAT: ret_fault says why, without data; ERR_NO_MEMORY. */
MUST_CHECK enum err console_login_read(struct arena *arena, struct slice text,
                                       struct console_login *ret_login,
                                       struct document_fault *ret_fault);
/* Appends the body of CreateOAuth2Token. */
void console_login_add_renewal(struct buf *buf, const struct console_login *login);
/* Reads the answer of CreateOAuth2Token into keys and refresh_token of the login, as copies;
 * `wall_ms` is now. Errors as console_login_read. */
MUST_CHECK enum err console_login_read_renewal(struct arena *arena, struct slice text,
                                               int64_t wall_ms, struct console_login *login,
                                               struct document_fault *ret_fault);
/* Reads the error of a refusal, such as TOKEN_EXPIRED; empty = the text has none. ERR_NO_MEMORY. */
MUST_CHECK enum err console_login_read_refusal(struct arena *arena, struct slice text,
                                               struct slice *ret_error);
/* Appends the file of the renewed login: the members of the old file, some with new values. */
void console_login_add(struct buf *buf, const struct console_login *login);

/* Appends the region's URL of AWS Sign-In, without a path, by its endpoint rules. ERR_FORMAT for a
 * text that is not a region's name. */
MUST_CHECK enum err console_login_add_url(struct buf *buf, struct slice region);

/* What a proof says (RFC 9449, section 4.2): the request, and by which key it comes. */
struct dpop_proof {
    const uint8_t *x, *y; /* the key's point, 32 bytes each, big-endian */
    struct slice url;     /* of the request, without query */
    int64_t wall_ms;
    struct slice id; /* of this proof, never used before */
};

/* Appends `header.payload`, the text to sign. */
void dpop_add_signed_text(struct buf *buf, const struct dpop_proof *proof);
/* Appends bytes as base64url without padding (RFC 7515, section 2). */
void dpop_add_base64url(struct buf *buf, struct slice bytes);

#endif
