/* Standard input, output and error: what both programs do with them first and last. */
#ifndef STANDARD_FILES_H
#define STANDARD_FILES_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Opens /dev/null for each standard file that is closed: the next file that the program opens would
 * otherwise get its number, and output would go there. Input is opened for writing and output for
 * reading, so that using them fails and the program reports it. False: /dev/null cannot be opened.
 */
static inline bool standard_files_open(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        int flags = fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY;
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", flags) != fd)
            return false;
    }
    return true;
}

/* Closes standard output. Returns the exit code: EXIT_FAILURE instead of success when the output
 * could not be written. */
static inline int standard_files_end(const char *program, int code)
{
    bool has_failed = ferror(stdout) != 0;
    has_failed = fclose(stdout) != 0 || has_failed;
    if (has_failed)
        (void)fprintf(stderr, "%s: standard output could not be written\n", program);
    return has_failed && code == EXIT_SUCCESS ? EXIT_FAILURE : code;
}

#endif
