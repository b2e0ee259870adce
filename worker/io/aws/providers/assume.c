#include "io/aws/providers/assume.h"

#include <stdio.h>

#include "io/aws/file.h"
#include "io/aws/sts_call.h"

#define FORM_MAX ((size_t)128 * 1024)

/* Takes the keys of an answer. Their end is by the service's clock. */
static enum err take_answer(struct search *search, const struct search_answer *answer,
                            const char *what, int64_t skew_ms, struct keys *ret_keys)
{
    struct arena arena;
    struct key_answer found;
    const char *why = "";
    arena_init(&arena, 4 * SEARCH_ANSWER_MAX);
    enum err err = sts_read_keys(&arena, buf_slice(&answer->body), &found, &why);
    if (err == ERR_FORMAT)
        err = search_fail(search,
                          "%s: the answer of AWS STS is not one: %s; is there a proxy between?",
                          what, why);
    if (err == OK)
        err = search_take(search, ret_keys,
                          &(struct keys_parts){
                              .access_key_id = found.access_key_id,
                              .secret_access_key = found.secret_access_key,
                              .session_token = found.session_token,
                              .expires_wall_ms = found.expires_wall_ms - skew_ms,
                          },
                          what);
    arena_wipe(&arena);
    arena_done(&arena);
    return err;
}

enum err assume_role(struct search *search, const struct sts_role *role,
                     const struct credentials *source, const char *what, struct keys *ret_keys)
{
    struct sts_role named = *role;
    struct buf form;
    struct search_answer answer;
    int64_t skew_ms;
    if (named.session_name.ptr == NULL)
        named.session_name = SLICE(ASSUME_SESSION_NAME);
    buf_init(&form, FORM_MAX);
    search_answer_init(&answer);
    enum err err = buf_reserve(&form, FORM_MAX / 2) == NULL ? ERR_NO_MEMORY : OK;
    sts_add_assume_role(&form, &named);
    if (form.failed == ERR_TOO_LARGE)
        err = search_fail(search, "%s: its settings or its token are too long", what);
    if (err == OK)
        err = sts_call(search, buf_slice(&form), source, what, &answer, &skew_ms);
    if (err == OK)
        err = take_answer(search, &answer, what, skew_ms, ret_keys);
    file_wipe(&form);
    search_answer_done(&answer);
    return err;
}
