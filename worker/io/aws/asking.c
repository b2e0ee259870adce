#include "io/aws/asking.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOST_MAX 64

/* ---- requests ---- */

static bool is_worth_another(enum err err, int status)
{
    return err == ERR_CONNECTION || err == ERR_TIMEOUT || err == ERR_BROKEN_STREAM ||
           (err == OK && (status == 429 || status >= 500));
}

enum err asking_send(struct search *search, const struct search_request *request, int attempts,
                     int64_t pause_ms, struct search_answer *ret_answer)
{
    for (int attempt = 1;; attempt++) {
        enum err err = search_http(search, request, ret_answer);
        if (attempt >= attempts || !is_worth_another(err, ret_answer->status))
            return err;
        if (!search->ports->pause(search->ports->self, pause_ms))
            return ERR_CANCELLED;
        search_answer_done(ret_answer);
        search_answer_init(ret_answer);
    }
}

enum err asking_fail(struct search *search, enum err err, const char *who,
                     const struct search_answer *answer, const char *remedy)
{
    if (err == ERR_CANCELLED || err == ERR_NO_MEMORY)
        return err;
    return search_fail(search, "%s does not answer: %s; %s", who,
                       answer->reason[0] != '\0' ? answer->reason : err_words(err), remedy);
}

enum err asking_take(struct search *search, struct keys *ret_keys, const struct key_answer *found,
                     const char *source)
{
    const struct keys_parts parts = {.access_key_id = found->access_key_id,
                                     .secret_access_key = found->secret_access_key,
                                     .session_token = found->session_token,
                                     .expires_wall_ms = found->expires_wall_ms};
    return search_take(search, ret_keys, &parts, source);
}

/* ---- URLs of metadata services ---- */

bool asking_read_url(struct slice url, struct endpoint *ret_endpoint)
{
    size_t query = slice_find(url, '?');
    for (size_t i = query; i < url.len; i++) {
        if (url.ptr[i] <= ' ' || url.ptr[i] > '~' || url.ptr[i] == '#')
            return false;
    }
    return endpoint_read(slice_sub(url, 0, query), ret_endpoint) == OK;
}

/* The name of a host without port and brackets. */
static bool read_name(struct slice host, char ret_name[HOST_MAX])
{
    bool is_bracketed = host.len > 0 && host.ptr[0] == '[';
    struct slice name = is_bracketed ? slice_sub(host, 1, slice_find(host, ']') - 1)
                                     : slice_sub(host, 0, slice_find(host, ':'));
    if (name.len == 0 || name.len >= HOST_MAX)
        return false;
    slice_write(name, ret_name, HOST_MAX);
    return true;
}

bool asking_is_local(struct slice host)
{
    static const uint8_t LOOPBACK6[16] = {[15] = 1};
    static const uint8_t EKS6[16] = {0xfd, 0x00, 0x0e, 0xc2, [15] = 0x23};
    char name[HOST_MAX];
    uint8_t v4[4], v6[16];
    if (!read_name(host, name))
        return false;
    if (inet_pton(AF_INET, name, v4) == 1)
        return v4[0] == 127 || strcmp(name, "169.254.170.2") == 0 ||
               strcmp(name, "169.254.170.23") == 0;
    if (inet_pton(AF_INET6, name, v6) == 1)
        return memcmp(v6, LOOPBACK6, sizeof v6) == 0 || memcmp(v6, EKS6, sizeof v6) == 0;
    return slice_equal_nocase(slice_of_text(name), SLICE("localhost"));
}

/* ---- files of cached logins ---- */

static bool write_all(int fd, struct slice text)
{
    while (text.len > 0) {
        ssize_t len = write(fd, text.ptr, text.len);
        if (len < 0 && errno != EINTR)
            return false;
        text = slice_sub(text, len > 0 ? (size_t)len : 0, text.len);
    }
    return fsync(fd) == 0;
}

enum err asking_replace_file(const char *path, struct slice text, const char **ret_cause)
{
    char draft[AWS_PATH_MAX + 8];
    (void)snprintf(draft, sizeof draft, "%s.XXXXXX", path);
    int fd = mkstemp(draft); /* mode 0600 */
    if (fd < 0) {
        *ret_cause = strerrordesc_np(errno);
        return ERR_IO;
    }
    bool is_written = write_all(fd, text);
    int cause = errno;
    is_written = close(fd) == 0 && is_written;
    if (is_written && rename(draft, path) == 0)
        return OK;
    *ret_cause = strerrordesc_np(is_written ? errno : cause);
    (void)unlink(draft);
    return ERR_IO;
}
