#include "io/aws/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 4096

const char FILE_IS_DIRECTORY[] = "it is a directory";

void file_wipe(struct buf *text)
{
    if (text->ptr != NULL)
        explicit_bzero(text->ptr, text->room);
    buf_done(text);
}

static enum err fail(const char **ret_cause, const char *cause)
{
    *ret_cause = cause;
    return ERR_IO;
}

/* Reserves its size at once, because a reallocation would leave secrets in freed memory. */
static enum err read_all(int fd, struct buf *text, const char **ret_cause)
{
    struct stat stat;
    if (fstat(fd, &stat) != 0)
        return fail(ret_cause, strerrordesc_np(errno));
    if (S_ISDIR(stat.st_mode))
        return fail(ret_cause, FILE_IS_DIRECTORY);
    if (stat.st_size > 0 && (uint64_t)stat.st_size > text->limit)
        return ERR_TOO_LARGE;
    for (size_t want = stat.st_size > 0 ? (size_t)stat.st_size + 1 : PIECE;; want = PIECE) {
        size_t room = want < text->limit - text->len + 1 ? want : text->limit - text->len;
        char byte, *place = room == 0 ? &byte : buf_reserve(text, room);
        if (place == NULL)
            return text->failed;
        ssize_t len = read(fd, place, room == 0 ? 1 : room);
        if (len == 0)
            return OK;
        if (len < 0 && errno != EINTR)
            return fail(ret_cause, strerrordesc_np(errno));
        if (len > 0 && room == 0)
            return ERR_TOO_LARGE;
        text->len += len > 0 ? (size_t)len : 0;
    }
}

enum err file_read(const char *path, struct buf *ret_text, const char **ret_cause)
{
    *ret_cause = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return ERR_NOT_FOUND;
    if (fd < 0)
        return fail(ret_cause, strerrordesc_np(errno));
    enum err err = read_all(fd, ret_text, ret_cause);
    (void)close(fd);
    return err;
}
