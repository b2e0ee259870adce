/* The profile's credential_process: a command that prints keys as JSON ("Sourcing credentials with
 * an external process"). */
#include <stdio.h>

#include "io/aws/child.h"
#include "io/aws/file.h"
#include "wire/aws/key_answer.h"
#include "wire/aws/words.h"
#include "wire/formats/why.h"

#define TIMEOUT_MS 60000
#define ARENA_MAX  ((size_t)4 * 1024 * 1024)
#define NOTE_MAX   1024

struct process {
    struct search *search;
    struct arena arena;
    struct buf output, errors;
    struct slice words[CHILD_WORDS_MAX];
    size_t count;
    char source[AWS_SOURCE_MAX];
};

/* Its standard error may say anything, so it is logged at debug only. */
static void note_errors(struct process *process)
{
    char text[NOTE_MAX];
    if (process->errors.len == 0)
        return;
    why_copy(text, sizeof text, buf_slice(&process->errors));
    search_note(process->search, "process", slice_of_text(text));
}

static enum err run(struct process *process)
{
    struct search *search = process->search;
    struct child_end end;
    enum err err = child_run(search, process->words, process->count, TIMEOUT_MS, &process->output,
                             &process->errors, &end);
    note_errors(process);
    if (err == ERR_TIMEOUT)
        return search_fail(search, "%s did not end within %d s, so the worker killed it",
                           process->source, TIMEOUT_MS / 1000);
    if (err == ERR_TOO_LARGE)
        return search_fail(search, "%s prints more than %zu KiB", process->source,
                           CHILD_ANSWER_MAX / 1024);
    if (err != OK)
        return search_fail_with(search, err, process->source, end.reason);
    if (end.exit_code < 0)
        return search_fail(search, "%s was ended by a signal", process->source);
    if (end.exit_code > 0)
        return search_fail(search,
                           "%s ends with exit code %d; run it by hand, or see its standard error "
                           "in the log at level debug",
                           process->source, end.exit_code);
    return OK;
}

static enum err read_answer(struct process *process, struct keys *ret_keys)
{
    struct search *search = process->search;
    const struct json *root = NULL;
    struct key_answer found;
    struct json_fault fault;
    const char *why = "";
    int64_t version = 0;
    enum err err = json_parse(&process->arena, buf_slice(&process->output), &root, &fault);
    if (err == ERR_FORMAT)
        return search_fail(search, "%s does not print JSON: %s at line %zu, column %zu",
                           process->source, fault.words, fault.line, fault.column);
    if (err != OK)
        return err;
    if (!json_int64(json_member(root, "Version"), &version) || version != 1)
        return search_fail(search, "%s prints JSON without \"Version\": 1", process->source);
    err = key_answer_read(&process->arena, root, "SessionToken", &found, &why);
    if (err == ERR_FORMAT)
        return search_fail(search, "%s prints no keys: %s", process->source, why);
    if (err != OK)
        return err;
    const struct keys_parts parts = {
        .access_key_id = found.access_key_id,
        .secret_access_key = found.secret_access_key,
        .session_token = found.session_token,
        .expires_wall_ms = found.expires_wall_ms,
    };
    return search_take(search, ret_keys, &parts, process->source);
}

static enum err find(struct process *process, struct slice command, struct keys *ret_keys)
{
    struct search *search = process->search;
    enum err err =
        words_split(&process->arena, command, process->words, CHILD_WORDS_MAX, &process->count);
    if (err == ERR_FORMAT)
        return search_fail(search, "%s has a quote without an end", process->source);
    if (err == ERR_TOO_LARGE)
        return search_fail(search, "%s has more than %d words", process->source, CHILD_WORDS_MAX);
    /* Room at once: a reallocation would leave secrets in freed memory. */
    if (err != OK || buf_reserve(&process->output, CHILD_ANSWER_MAX) == NULL)
        return ERR_NO_MEMORY;
    err = run(process);
    return err == OK ? read_answer(process, ret_keys) : err;
}

enum err provider_process(struct search *search, struct keys *ret_keys)
{
    struct slice command = search_property(search, "credential_process");
    struct profiles_value empty;
    if (command.ptr == NULL &&
        profiles_find(&search->environment->profiles, PROFILES_PROFILE,
                      slice_of_text(search->profile), "credential_process", &empty))
        return search_fail(search, "credential_process of profile %s is empty; remove it",
                           search->profile);
    if (command.ptr == NULL)
        return search_lacks(search, "profile %s has no credential_process", search->profile);
    struct process process = {.search = search};
    arena_init(&process.arena, ARENA_MAX);
    buf_init(&process.output, CHILD_ANSWER_MAX);
    buf_init(&process.errors, CHILD_STDERR_MAX);
    search_property_source(search, "credential_process", process.source);
    enum err err = find(&process, command, ret_keys);
    arena_wipe(&process.arena);
    arena_done(&process.arena);
    file_wipe(&process.output);
    file_wipe(&process.errors);
    return err;
}
