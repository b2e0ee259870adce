/* What both programs do first and last with the three files that everybody expects to be open:
 * standard input, output and error. */
#ifndef STANDARD_FILES_H
#define STANDARD_FILES_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The number of one that is missing would be given to the next file that is opened, and what is
 * printed would go there. /dev/null stands in, input and output the wrong way round: to read or
 * write them fails, and is told. */
static inline bool standard_files_open(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        int flags = fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY;
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", flags) != fd)
            return false;
    }
    return true;
}

/* The exit code: a failure when what was printed did not arrive. */
static inline int standard_files_end(const char *program, int code)
{
    bool has_failed = ferror(stdout) != 0;
    has_failed = fclose(stdout) != 0 || has_failed;
    if (has_failed)
        (void)fprintf(stderr, "%s: standard output could not be written\n", program);
    return has_failed && code == EXIT_SUCCESS ? EXIT_FAILURE : code;
}

#endif
