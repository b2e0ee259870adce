/* Reads the settings file, and the files of variables: NAME_FILE names the file that holds the
 * value of NAME, as the secrets of Docker and Kubernetes and the credentials of systemd are files.
 */
#include "app/settings/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_BYTES 4096

/* Reads to the end. False: errno says why, or the buf failed. */
static bool read_all(int fd, struct buf *ret_text)
{
    ssize_t got;
    do {
        char *at = buf_reserve(ret_text, PIECE_BYTES);
        got = at != NULL ? read(fd, at, PIECE_BYTES) : 0;
        if (got > 0)
            ret_text->len += (size_t)got;
    } while (got > 0);
    return got == 0;
}

bool settings_read_file(const char *file, struct buf *ret_text, struct problems *problems)
{
    bool is_stdin = strcmp(file, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    bool is_read = fd >= 0 && read_all(fd, ret_text);
    int code = errno;
    if (fd >= 0 && !is_stdin)
        close(fd);
    if (!is_read)
        problems_add(problems, (struct place){file, 0, 0}, SLICE(""),
                     "cannot be read: %s; name another file with -c", strerrordesc_np(code));
    else if (ret_text->failed != OK)
        problems_add(problems, (struct place){file, 0, 0}, SLICE(""), "is over 4 MiB; shorten it");
    return problems->count == 0;
}

const char *settings_read_regular(const char *file, struct buf *ret_text)
{
    struct stat found;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not block */
    bool is_regular = fd >= 0 && fstat(fd, &found) == 0 && S_ISREG(found.st_mode);
    bool is_read = is_regular && read_all(fd, ret_text);
    int code = errno;
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && !is_regular)
        return "is not a regular file";
    if (!is_read)
        return strerrordesc_np(code);
    return ret_text->failed == OK ? NULL : "is over 4 MiB";
}

bool settings_file_is_pipe(const char *file)
{
    struct stat found;
    return strcmp(file, "-") == 0 || (stat(file, &found) == 0 && !S_ISREG(found.st_mode));
}

static const char *get_variable(void *self, const char *name)
{
    (void)self;
    return getenv(name);
}

/* Editors end a file with a newline that is not meant. */
static struct slice without_newline(struct slice text)
{
    if (text.len > 0 && text.ptr[text.len - 1] == '\n')
        text.len--;
    if (text.len > 0 && text.ptr[text.len - 1] == '\r')
        text.len--;
    return text;
}

enum err settings_add_file(void *self, const char *file, struct buf *buf)
{
    (void)self;
    struct buf text OWNED_BY(buf_done);
    /* One byte more than a value may have shows that there is more; a FIFO must not block. */
    buf_init(&text, UNITS_FILE_BYTES_MAX + PIECE_BYTES);
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool is_read = fd >= 0 && read_all(fd, &text);
    if (fd >= 0)
        close(fd);
    struct slice value = without_newline(buf_slice(&text));
    if (!is_read)
        return ERR_IO;
    if (text.failed != OK || value.len > UNITS_FILE_BYTES_MAX)
        return ERR_NOT_ALLOWED;
    buf_add(buf, value);
    return OK;
}

struct environment settings_environment(void)
{
    return (struct environment){get_variable, settings_add_file, NULL};
}
