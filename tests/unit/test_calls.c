/* The walls of the worker hold in the object files, as nm lists them: a wing calls only functions
 * of wings that it sees, and a pure wing calls nothing that reads a clock, opens a socket or a
 * file, starts a thread, reads the environment or draws chance. */
#include "unit/unit.h"

#include <stdio.h>

#include "base/glob.h"
#include "unit/sources.h"
#include "unit/wings.h"

/* What the pure floors must not call, and why; globs, matched before the list of allowed ones. */
static const struct {
    const char *why;
    const char *names[64];
} DENIED[] = {
    {"reads a clock",
     {"time",      "clock",        "clock_*",   "gettimeofday", "times",    "ftime",    "timer_*",
      "timerfd_*", "timespec_get", "nanosleep", "usleep",       "sleep",    "alarm",    "*itimer",
      "gmtime*",   "localtime*",   "mktime",    "timegm",       "strftime", "strptime", "tzset"}},
    {"uses a socket",
     {"socket*",     "connect",     "accept*",    "bind",       "listen",     "send*",
      "recv*",       "getaddrinfo", "gethostby*", "getsockopt", "setsockopt", "getpeername",
      "getsockname", "poll",        "ppoll",      "select",     "pselect",    "epoll_*",
      "eventfd*",    "pipe*",       "shutdown",   "inet_*",     "if_name*"}},
    {"uses a file",
     {"open",     "open64",    "openat*",  "creat*",   "read",      "readv",     "pread*",
      "write",    "writev",    "pwrite*",  "close",    "lseek*",    "stat",      "stat64",
      "statx",    "fstat*",    "lstat*",   "__xstat*", "__fxstat*", "__lxstat*", "access",
      "unlink*",  "remove",    "rename*",  "mkdir*",   "rmdir",     "opendir",   "fdopendir",
      "readdir*", "closedir",  "scandir*", "mmap*",    "munmap",    "fcntl*",    "ioctl",
      "dup",      "dup2",      "dup3",     "fsync",    "fdatasync", "truncate*", "ftruncate*",
      "mkstemp*", "mkdtemp",   "tmpfile*", "chdir",    "getcwd",    "realpath",  "link",
      "symlink*", "readlink*", "chmod",    "fchmod*",  "chown",     "flock",     "glob",
      "nftw*",    "ftw*"}},
    {"starts a thread or a process, or waits for one",
     {"pthread_*", "thrd_*", "mtx_*", "cnd_*",  "tss_*",        "call_once", "sem_*",
      "fork",      "vfork",  "clone", "exec*",  "posix_spawn*", "system",    "wait",
      "waitpid",   "kill",   "raise", "signal", "sigaction",    "sig*",      "sched_*"}},
    {"ends the process", {"abort", "exit", "_exit", "_Exit", "quick_exit", "atexit", "on_exit"}},
    {"asks the environment",
     {"getenv", "secure_getenv", "setenv", "putenv", "unsetenv", "environ", "__environ",
      "setlocale", "localeconv", "gethostname", "uname", "sysconf", "getpid", "getuid", "getpw*",
      "getauxval", "dlopen", "dlsym"}},
    {"draws chance",
     {"rand", "rand_r", "srand*", "random", "random_r", "srandom*", "*rand48*", "arc4random*",
      "getrandom", "getentropy", "RAND_*"}},
    {"uses stdio",
     {"printf",   "fprintf",  "vprintf", "vfprintf", "dprintf",        "vdprintf", "puts",
      "fputs",    "putc",     "putchar", "fputc",    "fopen*",         "fdopen",   "freopen*",
      "fread*",   "fwrite*",  "fclose",  "fflush*",  "fgets*",         "fgetc*",   "getc*",
      "getline",  "getdelim", "gets",    "ungetc",   "scanf",          "fscanf",   "*_scanf",
      "*_fscanf", "fseek*",   "ftell*",  "rewind",   "perror",         "stdout",   "stderr",
      "stdin",    "syslog",   "vsyslog", "openlog",  "open_memstream", "fmemopen", "setvbuf",
      "_IO_*"}},
    {"belongs to a library of another floor", {"curl_*", "rd_kafka_*", "uv_*", "MHD_*", "yaml_*"}},
};

/* What they may: memory and text, and what compilers and sanitizers add. */
static const char *const ALLOWED[] = {
    "memcpy",         "memmove",   "memset",           "memcmp",         "bcmp",
    "memchr",         "memrchr",   "memmem",           "mempcpy",        "explicit_bzero",
    "strlen",         "strnlen",   "strcmp",           "strncmp",        "strchr",
    "strrchr",        "strspn",    "strcspn",          "strpbrk",        "strstr",
    "snprintf",       "vsnprintf", "__stack_chk_fail", "__tls_get_addr", "_GLOBAL_OFFSET_TABLE_",
    "__asan_*",       "__ubsan_*", "__tsan_*",         "__sanitizer_*",  "__sancov_*",
    "__gcov_*",       "__llvm_*",  "__start___*",      "__stop___*",     "__gcc_personality_v0",
    "_Unwind_Resume",
};

/* The doors: one object each may call what the others may not. */
static const struct {
    const char *object, *name;
} DOORS[] = {
    {"memory.c.o", "malloc"},         {"memory.c.o", "calloc"},     {"memory.c.o", "realloc"},
    {"memory.c.o", "free"},           {"check.c.o", "write"},       {"check.c.o", "abort"},
    {"json.c.o", "cJSON_*"},          {"hash.c.o", "SHA256*"},      {"hash.c.o", "EVP_*"},
    {"otlp.c.o", "opentelemetry__*"}, {"otlp.c.o", "protobuf_c_*"}, {"hash.c.o", "HMAC*"},
    {"hash.c.o", "OPENSSL_*"},        {"hash.c.o", "SHA1_*"},       {"document.c.o", "yaml_*"},
};

/* A symbol of nm's output: the function as the source has it, `__read_chk` and `read@GLIBC_2.2.5`
 * alike. */
static struct slice plain_name(struct slice name)
{
    name = slice_sub(name, 0, slice_find(name, '@'));
    if (slice_starts(name, SLICE("__")) && slice_ends(name, SLICE("_chk")))
        name = slice_sub(name, 2, name.len - 6);
    if (slice_starts(name, SLICE("__isoc")))
        name = slice_sub(name, slice_find(name, '9'), SIZE_MAX);
    return name;
}

static bool is_door(struct slice object, struct slice name)
{
    for (size_t i = 0; i < COUNT_OF(DOORS); i++)
        if (slice_equal_text(object, DOORS[i].object) &&
            glob_match(slice_of_text(DOORS[i].name), name, false))
            return true;
    return false;
}

static const char *why_denied(struct slice name)
{
    for (size_t i = 0; i < COUNT_OF(DENIED); i++)
        for (const char *const *denied = DENIED[i].names; *denied != NULL; denied++)
            if (glob_match(slice_of_text(*denied), name, false))
                return DENIED[i].why;
    return NULL;
}

static bool is_allowed(struct slice name)
{
    for (size_t i = 0; i < COUNT_OF(ALLOWED); i++)
        if (glob_match(slice_of_text(ALLOWED[i]), name, false))
            return true;
    return false;
}

/* NULL when `object` may call `symbol`, else why not. */
static const char *why_not(struct slice object, struct slice symbol)
{
    struct slice name = plain_name(symbol);
    if (is_door(object, name))
        return NULL;
    const char *why = why_denied(name);
    if (why != NULL)
        return why;
    return is_allowed(symbol) || is_allowed(name) ? NULL : "is on no list of this test";
}

/* The whole output of a command of ours; fails the test when the command does. */
static void run(const char *command, struct buf *ret_output)
{
    char piece[4096];
    size_t got;
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    while ((got = fread(piece, 1, sizeof piece, pipe)) > 0)
        buf_add(ret_output, slice_of(piece, got));
    if (pclose(pipe) != 0)
        fail_msg("failed: %s", command);
    assert_int_equal(ret_output->failed, OK);
}

/* The part of a line of nm behind the last blank, and before it the letter of its kind. */
static struct slice last_word(struct slice line)
{
    size_t at = line.len;
    while (at > 0 && line.ptr[at - 1] != ' ')
        at--;
    return slice_sub(line, at, SIZE_MAX);
}

/* `lib.a:object.o:     U symbol`: the object's name. */
static struct slice object_of(struct slice line)
{
    struct slice behind = slice_sub(line, slice_find(line, ':') + 1, SIZE_MAX);
    return slice_sub(behind, 0, slice_find(behind, ':'));
}

/* Which wings define a symbol, as bits in the order of WINGS. */
struct definitions {
    struct buf text; /* lines `<0 + wing><symbol>` */
};

static uint64_t wings_defining(const struct definitions *definitions, struct slice symbol)
{
    uint64_t wings = 0;
    struct slice rest = buf_slice(&definitions->text), line;
    while (source_next_line(&rest, &line))
        if (slice_equal(slice_sub(line, 1, SIZE_MAX), symbol))
            wings |= UINT64_C(1) << (line.ptr[0] - '0');
    return wings;
}

static void note_definition(struct definitions *definitions, size_t wing, struct slice symbol)
{
    buf_add_byte(&definitions->text, (char)('0' + wing));
    buf_add(&definitions->text, symbol);
    buf_add_byte(&definitions->text, '\n');
}

/* A wing with several folders has one library. */
static bool is_first_row(size_t wing)
{
    return wing == 0 || strcmp(WINGS[wing].name, WINGS[wing - 1].name) != 0;
}

static void nm(const char *options, size_t wing, struct buf *ret_output)
{
    char command[1024];
    buf_init(ret_output, 16 * REPORT_BYTES_MAX);
    (void)snprintf(command, sizeof command, "nm %s '%s/lib%s.a'", options, BINARY_DIR,
                   WINGS[wing].name);
    run(command, ret_output);
}

static void learn_definitions(struct definitions *definitions)
{
    buf_init(&definitions->text, REPORT_BYTES_MAX);
    for (size_t wing = 0; wing < COUNT_OF(WINGS); wing++) {
        if (!is_first_row(wing))
            continue;
        struct buf output OWNED_BY(buf_done);
        nm("-g --defined-only", wing, &output);
        struct slice rest = buf_slice(&output), line;
        while (source_next_line(&rest, &line)) {
            struct slice symbol = last_word(line);
            if (symbol.len > 0 && !slice_ends(symbol, SLICE(":")))
                note_definition(definitions, wing, symbol);
        }
    }
    assert_int_equal(definitions->text.failed, OK);
}

static bool sees_one_of(const struct wing *wing, uint64_t defining)
{
    for (size_t i = 0; i < COUNT_OF(WINGS); i++)
        if ((defining & UINT64_C(1) << i) != 0 && wing_sees(wing, WINGS[i].name))
            return true;
    return false;
}

/* NULL when the wing may call it. */
static const char *why_not_of(const struct wing *wing, struct slice object, struct slice symbol,
                              const struct definitions *definitions)
{
    uint64_t defining = wings_defining(definitions, symbol);
    if (defining == 0)
        return wing->is_pure ? why_not(object, symbol) : NULL;
    return sees_one_of(wing, defining) ? NULL : "lies in a wing that this one may not see";
}

/* Checks nm's list of undefined symbols; returns how many there were. */
static size_t judge_calls(struct slice listing, const struct wing *wing,
                          const struct definitions *definitions, struct buf *report)
{
    struct slice line;
    size_t count = 0;
    while (source_next_line(&listing, &line)) {
        struct slice symbol = last_word(line), object = object_of(line);
        if (symbol.len == 0 || slice_ends(symbol, SLICE(":")))
            continue;
        count++;
        const char *why = why_not_of(wing, object, symbol, definitions);
        if (why != NULL)
            buf_addf(report, "%s: %.*s calls %.*s, which %s\n", wing->name, SLICE_ARG(object),
                     SLICE_ARG(symbol), why);
    }
    return count;
}

static void every_wing_calls_only_what_it_sees(void **state)
{
    (void)state;
    struct buf report OWNED_BY(buf_done);
    struct definitions definitions;
    buf_init(&report, REPORT_BYTES_MAX);
    learn_definitions(&definitions);
    for (size_t wing = 0; wing < COUNT_OF(WINGS); wing++) {
        if (!is_first_row(wing))
            continue;
        struct buf output OWNED_BY(buf_done);
        nm("-A -u", wing, &output);
        if (judge_calls(buf_slice(&output), &WINGS[wing], &definitions, &report) == 0)
            fail_msg("nm shows no calls of %s", WINGS[wing].name);
    }
    buf_done(&definitions.text);
    if (report.len > 0)
        fail_msg("\n%s", buf_text(&report));
}

/* This test opens files and runs nm: checked as a pure floor, it must be found. */
static void the_test_program_itself_would_be_found(void **state)
{
    (void)state;
    struct buf report OWNED_BY(buf_done), output OWNED_BY(buf_done);
    struct definitions none;
    buf_init(&report, REPORT_BYTES_MAX);
    buf_init(&output, 16 * REPORT_BYTES_MAX);
    buf_init(&none.text, 0);
    run("nm -A -u /proc/$PPID/exe", &output);
    assert_true(judge_calls(buf_slice(&output), &WINGS[0], &none, &report) > 10);
    /* Sanitizers add functions of the C library, but none of cmocka. */
    assert_non_null(
        strstr(buf_text(&report), "calls _cmocka_run_group_tests, which is on no list"));
}

static void assert_call(const char *object, const char *symbol, const char *expected)
{
    const char *why = why_not(slice_of_text(object), slice_of_text(symbol));
    if (why == NULL || expected == NULL)
        assert_true(why == expected);
    else
        assert_string_equal(why, expected);
}

static void planted_calls_are_found(void **state)
{
    (void)state;
    assert_call("job.c.o", "memcpy", NULL);
    assert_call("job.c.o", "__memcpy_chk", NULL);
    assert_call("buf.c.o", "__vsnprintf_chk", NULL);
    assert_call("job.c.o", "__stack_chk_fail", NULL);
    assert_call("job.c.o", "clock_gettime", "reads a clock");
    assert_call("job.c.o", "time@GLIBC_2.2.5", "reads a clock");
    assert_call("job.c.o", "gettimeofday", "reads a clock");
    assert_call("job.c.o", "socket", "uses a socket");
    assert_call("job.c.o", "__recv_chk", "uses a socket");
    assert_call("job.c.o", "__poll_chk", "uses a socket");
    assert_call("job.c.o", "__read_chk", "uses a file");
    assert_call("job.c.o", "__open64_2", "is on no list of this test");
    assert_call("job.c.o", "write", "uses a file");
    assert_call("check.c.o", "write", NULL);
    assert_call("check.c.o", "abort", NULL);
    assert_call("job.c.o", "abort", "ends the process");
    assert_call("job.c.o", "pthread_create@GLIBC_2.34",
                "starts a thread or a process, or waits for one");
    assert_call("job.c.o", "getenv", "asks the environment");
    assert_call("job.c.o", "rand", "draws chance");
    assert_call("job.c.o", "getrandom", "draws chance");
    assert_call("job.c.o", "__printf_chk", "uses stdio");
    assert_call("job.c.o", "__fprintf_chk", "uses stdio");
    assert_call("job.c.o", "stderr@GLIBC_2.2.5", "uses stdio");
    assert_call("job.c.o", "__isoc99_fscanf", "uses stdio");
    assert_call("job.c.o", "curl_easy_init", "belongs to a library of another floor");
    assert_call("job.c.o", "rd_kafka_poll", "belongs to a library of another floor");
    assert_call("job.c.o", "malloc", "is on no list of this test");
    assert_call("memory.c.o", "malloc", NULL);
    assert_call("json.c.o", "cJSON_Delete", NULL);
    assert_call("request.c.o", "cJSON_Delete", "is on no list of this test");
    assert_call("job.c.o", "strtod", "is on no list of this test");
}

static size_t wing_index(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(WINGS); i++)
        if (strcmp(WINGS[i].name, name) == 0)
            return i;
    fail_msg("there is no wing %s", name);
    return 0;
}

/* A wing that calls upwards or sideways, found by the wing that defines the symbol. */
static void planted_calls_of_other_wings_are_found(void **state)
{
    (void)state;
    struct buf report OWNED_BY(buf_done);
    struct definitions definitions;
    buf_init(&report, REPORT_BYTES_MAX);
    buf_init(&definitions.text, 1000);
    note_definition(&definitions, wing_index("base"), SLICE("buf_add"));
    note_definition(&definitions, wing_index("wire-formats"), SLICE("json_parse"));
    note_definition(&definitions, wing_index("engine"), SLICE("job_go"));
    struct slice listing = SLICE("libx.a:a.c.o:                 U buf_add\n"
                                 "libx.a:a.c.o:                 U json_parse\n"
                                 "libx.a:a.c.o:                 U job_go\n");
    assert_int_equal(judge_calls(listing, &WINGS[wing_index("policy")], &definitions, &report), 3);
    assert_buf(&report,
               "policy: a.c.o calls json_parse, which lies in a wing that this one may not see\n"
               "policy: a.c.o calls job_go, which lies in a wing that this one may not see\n");
    buf_reset(&report);
    assert_int_equal(judge_calls(listing, &WINGS[wing_index("engine")], &definitions, &report), 3);
    assert_buf(&report, "");
    buf_done(&definitions.text);
}

int main(void)
{
    _Static_assert(COUNT_OF(WINGS) < 64, "a bit each");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_calls_are_found),
        cmocka_unit_test(planted_calls_of_other_wings_are_found),
        cmocka_unit_test(the_test_program_itself_would_be_found),
        cmocka_unit_test(every_wing_calls_only_what_it_sees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
