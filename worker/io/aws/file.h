/* Files that hold keys and tokens: read whole, into memory that the owner wipes. */
#ifndef IO_AWS_FILE_H
#define IO_AWS_FILE_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

/* The cause when the path is one of a directory, as a mount without its file makes it. */
extern const char FILE_IS_DIRECTORY[];

/* Reads a file into an initialized buf, whose limit is the most that is read. ERR_NOT_FOUND: there
 * is none. ERR_IO: it cannot be read, and *ret_cause says why ("permission denied",
 * FILE_IS_DIRECTORY). ERR_TOO_LARGE, ERR_NO_MEMORY. Does not wait for a writer of a pipe without
 * one. */
MUST_CHECK enum err file_read(const char *path, struct buf *ret_text, const char **ret_cause);
/* Overwrites and frees the content. */
void file_wipe(struct buf *text);

#endif
