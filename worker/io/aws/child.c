#include "io/aws/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/secrets.h"
#include "io/loop/clock.h"

#define PIECE        4096
#define WAIT_TICK_MS 20

extern char **environ;

struct child {
    pid_t pid;
    int output, errors; /* -1 = closed */
};

/* ---- the environment ---- */

/* Names of AWS's own secrets. */
static const char *const SECRETS[] = {
    "AWS_ACCESS_KEY_ID",  "AWS_SECRET_ACCESS_KEY",    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN", "AWS_BEARER_TOKEN_BEDROCK", "AWS_CONTAINER_AUTHORIZATION_TOKEN",
};

/* A variable that holds a secret which the worker knows, from its settings too, stays here. */
static bool is_hidden(struct slice variable)
{
    size_t at, len, equals = slice_find(variable, '=');
    return slice_is_one_of(slice_sub(variable, 0, equals), SECRETS, COUNT_OF(SECRETS)) ||
           secrets_find(slice_sub(variable, equals + 1, variable.len), &at, &len);
}

/* The process's variables without the hidden ones, for memory_free. NULL: out of memory. */
static char **environment_new(void)
{
    size_t count = 0;
    while (environ[count] != NULL)
        count++;
    char **copy = memory_new((count + 1) * sizeof *copy);
    if (copy == NULL)
        return NULL;
    for (size_t i = 0, kept = 0; i < count; i++) {
        if (!is_hidden(slice_of_text(environ[i])))
            copy[kept++] = environ[i];
    }
    return copy;
}

/* ---- starting ---- */

/* Standard input is empty, no descriptor of the worker stays open, and signals act as usual. */
static int set_up(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes,
                  const int output[2], const int errors[2])
{
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    int code = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(actions, output[1], STDOUT_FILENO);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(actions, errors[1], STDERR_FILENO);
#if defined __GLIBC__ && __GLIBC_PREREQ(2, 34)
    if (code == 0)
        code = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
#endif
    if (code == 0)
        code = posix_spawnattr_setsigmask(attributes, &none);
    if (code == 0)
        code = posix_spawnattr_setsigdefault(attributes, &all);
    if (code == 0)
        code = posix_spawnattr_setpgroup(attributes, 0);
    if (code == 0)
        code = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                        POSIX_SPAWN_SETPGROUP);
    return code;
}

static int spawn(const struct slice *words, size_t count, const int output[2], const int errors[2],
                 pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char *argv[CHILD_WORDS_MAX + 1] = {NULL};
    for (size_t i = 0; i < count; i++)
        argv[i] = (char *)(uintptr_t)words[i].ptr;
    char **environment = environment_new();
    if (environment == NULL)
        return ENOMEM;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawnattr_init(&attributes);
    int code = set_up(&actions, &attributes, output, errors);
    if (code == 0)
        code = posix_spawnp(ret_pid, argv[0], &actions, &attributes, argv, environment);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    memory_free(environment);
    return code;
}

static enum err start(const struct slice *words, size_t count, struct child *ret_child,
                      struct child_end *ret_end)
{
    int output[2] = {-1, -1}, errors[2] = {-1, -1};
    int code = pipe2(output, O_CLOEXEC) != 0 || pipe2(errors, O_CLOEXEC) != 0 ? errno : 0;
    if (code == 0)
        code = spawn(words, count, output, errors, &ret_child->pid);
    if (output[1] >= 0)
        (void)close(output[1]);
    if (errors[1] >= 0)
        (void)close(errors[1]);
    ret_child->output = output[0];
    ret_child->errors = errors[0];
    if (code == 0)
        return OK;
    (void)snprintf(ret_end->reason, sizeof ret_end->reason, "cannot be started: %s",
                   strerrordesc_np(code));
    return code == ENOMEM ? ERR_NO_MEMORY : ERR_IO;
}

/* ---- listening ---- */

static void shut(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* Reads what is there. What does not fit is dropped: standard output then is too large. */
static void hear(int *fd, struct buf *text)
{
    char bytes[PIECE];
    ssize_t len = read(*fd, bytes, sizeof bytes);
    if (len > 0 && text->failed == OK)
        buf_add(text, slice_of(bytes, (size_t)len));
    else if (len == 0 || (len < 0 && errno != EINTR))
        shut(fd);
    explicit_bzero(bytes, sizeof bytes);
}

static enum err listen_to(const struct search *search, struct child *child, int64_t until_ms,
                          struct buf *output, struct buf *errors)
{
    while (child->output >= 0 || child->errors >= 0) {
        struct pollfd waits[] = {
            {.fd = child->output, .events = POLLIN},
            {.fd = child->errors, .events = POLLIN},
            {.fd = search->ports->cancel_fd(search->ports->self), .events = POLLIN}};
        int64_t left_ms = until_ms - clock_monotonic_ms();
        if (left_ms <= 0)
            return ERR_TIMEOUT;
        if (poll(waits, COUNT_OF(waits), (int)left_ms) < 0 && errno != EINTR)
            return ERR_IO;
        if (waits[2].revents != 0)
            return ERR_CANCELLED;
        if (waits[0].revents != 0)
            hear(&child->output, output);
        if (waits[1].revents != 0)
            hear(&child->errors, errors);
        if (output->failed != OK)
            return output->failed;
    }
    return OK;
}

/* ---- the end ---- */

/* Waits for the child itself, which may close its outputs before it ends. */
static enum err await(const struct search *search, const struct child *child, int64_t until_ms,
                      int *ret_status)
{
    for (;;) {
        pid_t ended = waitpid(child->pid, ret_status, WNOHANG);
        if (ended == child->pid)
            return OK;
        if (ended < 0 && errno != EINTR)
            return ERR_IO;
        if (clock_monotonic_ms() >= until_ms)
            return ERR_TIMEOUT;
        if (!search->ports->pause(search->ports->self, WAIT_TICK_MS))
            return ERR_CANCELLED;
    }
}

/* Ends the whole group, and collects the child unless that has been done. */
static void end_group(const struct child *child, bool is_collected)
{
    int status;
    (void)kill(-child->pid, SIGKILL);
    while (!is_collected && waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
}

enum err child_run(struct search *search, const struct slice *words, size_t count,
                   int64_t timeout_ms, struct buf *ret_output, struct buf *ret_errors,
                   struct child_end *ret_end)
{
    struct child child = {.pid = -1, .output = -1, .errors = -1};
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    int status = 0;
    *ret_end = (struct child_end){.exit_code = -1};
    search->is_costly = true;
    if (!search->ports->pause(search->ports->self, 0))
        return ERR_CANCELLED;
    enum err err = start(words, count, &child, ret_end);
    if (err == OK) {
        err = listen_to(search, &child, until_ms, ret_output, ret_errors);
        if (err == OK)
            err = await(search, &child, until_ms, &status);
        end_group(&child, err == OK);
    }
    shut(&child.output);
    shut(&child.errors);
    if (err == OK && WIFEXITED(status))
        ret_end->exit_code = WEXITSTATUS(status);
    return err;
}
