#include "io/aws/provider.h"

#include <stdio.h>
#include <string.h>

#include "io/aws/file.h"

void search_answer_init(struct search_answer *answer)
{
    memset(answer, 0, sizeof *answer);
    buf_init(&answer->head, HTTP_HEAD_BYTES_MAX);
    buf_init(&answer->body, SEARCH_ANSWER_MAX);
}

void search_answer_done(struct search_answer *answer)
{
    file_wipe(&answer->head);
    file_wipe(&answer->body);
}

/* ---- reasons ---- */

enum err search_lacks(struct search *search, const char *format, ...)
{
    size_t len = strnlen(search->reason, sizeof search->reason);
    if (len > 0 && len + 2 < sizeof search->reason) {
        memcpy(search->reason + len, "; ", 3);
        len += 2;
    }
    va_list args;
    va_start(args, format);
    (void)vsnprintf(search->reason + len, sizeof search->reason - len, format, args);
    va_end(args);
    return ERR_NOT_FOUND;
}

enum err search_fail(struct search *search, const char *format, ...)
{
    char reason[SEARCH_REASON_MAX]; /* the format may quote the present one */
    va_list args;
    va_start(args, format);
    (void)vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    memcpy(search->reason, reason, sizeof reason);
    return ERR_NO_CREDENTIALS;
}

enum err search_fail_with(struct search *search, enum err err, const char *what, const char *reason)
{
    if (err == ERR_CANCELLED || err == ERR_NO_MEMORY)
        return err;
    return search_fail(search, "%s: %s", what, reason[0] != '\0' ? reason : err_words(err));
}

enum err search_fail_unclean(struct search *search, const char *what)
{
    return search_fail(
        search, "%s holds a blank, a control character or a byte that no key has; set it again",
        what);
}

/* ---- properties and files ---- */

struct slice search_property(const struct search *search, const char *name)
{
    return aws_property(search->environment, slice_of_text(search->profile), name);
}

struct slice search_property_in(const struct search *search, enum profiles_file file,
                                const char *name)
{
    struct profiles_value found;
    bool is_there = profiles_find_in(&search->environment->profiles, file, PROFILES_PROFILE,
                                     slice_of_text(search->profile), name, &found);
    return is_there && found.value.len > 0 ? found.value : SLICE_NULL;
}

void search_property_source(const struct search *search, const char *name,
                            char ret_source[AWS_SOURCE_MAX])
{
    aws_property_source(search->environment, slice_of_text(search->profile), name, ret_source);
}

enum err search_read_file(const struct search *search, struct slice path, size_t limit,
                          struct buf *ret_text, char ret_reason[AWS_REASON_MAX])
{
    char whole[AWS_PATH_MAX];
    const char *cause = "";
    ret_text->limit = limit;
    if (!aws_path(search->environment, path, whole)) {
        (void)snprintf(ret_reason, AWS_REASON_MAX, "the path of a file is too long");
        return ERR_IO;
    }
    enum err err = file_read(whole, ret_text, &cause);
    if (err == ERR_NOT_FOUND)
        (void)snprintf(ret_reason, AWS_REASON_MAX, "there is no %s", whole);
    else if (err == ERR_TOO_LARGE)
        (void)snprintf(ret_reason, AWS_REASON_MAX, "%s is over %zu KiB", whole, limit / 1024);
    else if (err != OK)
        (void)snprintf(ret_reason, AWS_REASON_MAX, "%s cannot be read: %s", whole,
                       err == ERR_IO ? cause : err_words(err));
    return err == ERR_NOT_FOUND ? ERR_IO : err;
}

/* ---- other keys ---- */

enum err search_in_profile(struct search *search, struct keys *ret_keys)
{
    return search->find_in_profile(search, ret_keys);
}

enum err search_at(struct search *search, struct slice credential_source, struct keys *ret_keys)
{
    return search->find_at(search, credential_source, ret_keys);
}

/* ---- the ports ---- */

enum err search_http(struct search *search, const struct search_request *request,
                     struct search_answer *ret_answer)
{
    search->is_costly = true;
    return search->ports->http(search->ports->self, request, ret_answer);
}

void search_note(const struct search *search, const char *who, struct slice text)
{
    search->ports->note(search->ports->self, who, text);
}

int64_t search_wall_ms(const struct search *search)
{
    return search->ports->wall_ms(search->ports->self);
}

enum err search_take(struct search *search, struct keys *ret_keys, const struct keys_parts *parts,
                     const char *source)
{
    const char *part = "";
    enum err err = keys_set(ret_keys, parts, &part);
    char what[KEYS_SOURCE_MAX + 32];
    (void)snprintf(what, sizeof what, "%s of %s", part, source);
    if (err == ERR_FORMAT)
        return search_fail_unclean(search, what);
    (void)snprintf(ret_keys->source, sizeof ret_keys->source, "%s", source);
    return err;
}
