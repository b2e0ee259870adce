/* The floors of the worker hold: a file includes only what its floor may see, third-party headers
 * stay in their rooms, and the libraries from base to engine call nothing that reads a clock, opens
 * a socket or a file, starts a thread, asks the environment or draws chance. The first is seen in
 * the text, the second by nm in what the compiler made of it. */
#include "unit/unit.h"

#include <stdio.h>

#include "base/glob.h"
#include "unit/sources.h"

/* --- what may be included --- */

/* Globs of included files (own ones as `floor/file.h`) that files like `from` may include; rules
 * add up. */
struct rule {
    const char *from;
    const char *may[12];
};

static const struct rule RULES[] = {
    {"worker/base/*", {"base/*"}},
    {"worker/policy/*", {"policy/*", "base/*"}},
    {"worker/wire/*", {"wire/*", "base/*"}},
    {"worker/telemetry/*", {"telemetry/*", "base/*"}},
    {"worker/engine/*", {"engine/*", "policy/*", "wire/*", "telemetry/*", "base/*"}},
    {"worker/io/*", {"io/*", "base/*", "wire/*", "telemetry/*", "policy/*", "engine/ports.h"}},
    {"worker/yaml/*", {"yaml/*", "base/*"}},
    {"worker/sim/*", {"sim/*", "yaml/*", "wire/*", "base/*"}},
    {"worker/app/*",
     {"app/*", "io/*", "sim/*", "engine/*", "policy/*", "wire/*", "telemetry/*", "yaml/*",
      "base/*"}},
    {"worker/main.c",
     {"app/*", "standard_files.h", "malloc.h"}}, /* it tunes the heap of the whole program */
    {"worker/sim_main.c", {"sim/*", "base/*", "standard_files.h"}},

    {"worker/*",
     {"stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "inttypes.h",
      "limits.h", "string.h", "math.h", "float.h"}},
    /* printing into memory */
    {"worker/base/buf.c", {"stdio.h"}},
    {"worker/wire/*.c", {"stdio.h"}},
    /* the heap; the last words of a broken fact */
    {"worker/base/memory.c", {"stdlib.h"}},
    {"worker/base/check.c", {"stdlib.h", "unistd.h"}},

    {"worker/wire/formats/json.c", {"cjson/*"}},
    {"worker/wire/formats/hash.c", {"openssl/*"}},
    {"worker/io/http/*", {"curl/*"}},
    {"worker/io/kafka/*", {"librdkafka/*"}},
    /* the in-memory cluster of the demo; the client of the commands that talk to a running worker
     */
    {"worker/app/demo/*", {"librdkafka/*"}},
    {"worker/app/client/kafka_client.c", {"librdkafka/*"}},
    {"worker/io/*", {"uv.h"}},
    {"worker/yaml/document.c", {"yaml.h"}},
    {"worker/sim/settings.c", {"yaml.h"}},
    {"worker/sim/*", {"microhttpd.h"}},
};

/* The system's headers, for the floors that do input and output. */
static const char *const SYSTEM[] = {
    "stdio.h",      "stdlib.h",    "errno.h",     "ctype.h",     "signal.h",  "time.h",
    "fcntl.h",      "unistd.h",    "getopt.h",    "poll.h",      "pthread.h", "netdb.h",
    "locale.h",     "sys/*.h",     "netinet/*.h", "arpa/inet.h", "dirent.h",  "termios.h",
    "sched.h",      "semaphore.h", "threads.h",   "pwd.h",       "wchar.h",   "langinfo.h",
    "sys/socket.h", "linux/*.h",
};

static bool is_above_the_pure_floors(struct slice file)
{
    static const char *const ABOVE[] = {
        "worker/io/*",   "worker/sim/*",      "worker/app/*",           "worker/yaml/*",
        "worker/main.c", "worker/sim_main.c", "worker/standard_files.h"};
    for (size_t i = 0; i < COUNT_OF(ABOVE); i++)
        if (glob_match(slice_of_text(ABOVE[i]), file, false))
            return true;
    return false;
}

static bool may_include(struct slice file, struct slice included)
{
    for (size_t i = 0; i < COUNT_OF(RULES); i++) {
        if (!glob_match(slice_of_text(RULES[i].from), file, false))
            continue;
        for (const char *const *may = RULES[i].may; *may != NULL; may++)
            if (glob_match(slice_of_text(*may), included, false))
                return true;
    }
    for (size_t i = 0; i < COUNT_OF(SYSTEM) && is_above_the_pure_floors(file); i++)
        if (glob_match(slice_of_text(SYSTEM[i]), included, false))
            return true;
    return false;
}

/* The file's name out of `#include "…"` or `#include <…>`; null for any other line. */
static struct slice included_by(struct slice line)
{
    line = slice_trim(line);
    if (!slice_starts(line, SLICE("#")))
        return SLICE_NULL;
    line = slice_trim(slice_sub(line, 1, SIZE_MAX));
    if (!slice_starts(line, SLICE("include")))
        return SLICE_NULL;
    line = slice_trim(slice_sub(line, strlen("include"), SIZE_MAX));
    char close = slice_starts(line, SLICE("<")) ? '>' : '"';
    line = slice_sub(line, 1, SIZE_MAX);
    return slice_sub(line, 0, slice_find(line, close));
}

static void judge_includes(const char *folder, const char *name, struct slice text, void *self)
{
    struct buf *report = self;
    struct slice line;
    char file[512];
    (void)snprintf(file, sizeof file, "%s/%s", folder, name);
    while (source_next_line(&text, &line)) {
        struct slice included = included_by(line);
        if (included.ptr != NULL && !may_include(slice_of_text(file), included))
            buf_addf(report, "%s may not include %.*s\n", file, SLICE_ARG(included));
    }
}

static bool is_there(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file != NULL)
        (void)fclose(file);
    return file != NULL;
}

/* A header that compiles only behind others is found at once when its own file opens with it. */
static void judge_first_include(const char *folder, const char *name, struct slice text, void *self)
{
    struct buf *report = self;
    char own[512], path[1024];
    struct slice line, included = SLICE_NULL;
    struct slice stem = slice_of_text(name);
    if (!slice_ends(stem, SLICE(".c")))
        return;
    (void)snprintf(own, sizeof own, "%s/%.*sh", folder + strlen("worker/"), (int)stem.len - 1,
                   name);
    (void)snprintf(path, sizeof path, "%s/worker/%s", SOURCE_DIR, own);
    while (included.ptr == NULL && source_next_line(&text, &line))
        included = included_by(line);
    if (is_there(path) && !slice_equal_text(included, own))
        buf_addf(report, "%s/%s does not begin with its own header\n", folder, name);
}

static const char *const FLOORS[] = {"base", "policy", "wire", "telemetry", "engine",
                                     "io",   "sim",    "app",  "yaml"};
#define FLOORS_PURE 5

static void every_file_includes_only_what_its_floor_may_see(void **state)
{
    (void)state;
    struct buf report OWNED_BY(buf_done);
    buf_init(&report, REPORT_BYTES_MAX);
    for (size_t i = 0; i < COUNT_OF(FLOORS); i++) {
        char folder[64];
        (void)snprintf(folder, sizeof folder, "worker/%s", FLOORS[i]);
        if (sources_visit(folder, judge_includes, &report) == 0)
            fail_msg("%s holds no source", folder);
        (void)sources_visit(folder, judge_first_include, &report);
    }
    assert_true(sources_visit("worker", judge_includes, &report) > 200);
    if (report.len > 0)
        fail_msg("\n%s", buf_text(&report));
}

static void a_folder_without_a_floor_is_found(void **state)
{
    (void)state;
    DIR *directory = opendir(SOURCE_DIR "/worker");
    struct dirent *entry;
    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL) {
        bool known = entry->d_type != DT_DIR || entry->d_name[0] == '.';
        for (size_t i = 0; i < COUNT_OF(FLOORS); i++)
            known = known || strcmp(entry->d_name, FLOORS[i]) == 0;
        if (!known)
            fail_msg("worker/%s is no floor", entry->d_name);
    }
    (void)closedir(directory);
}

static void assert_includes(const char *folder, const char *name, const char *text,
                            const char *expected)
{
    struct buf report OWNED_BY(buf_done);
    buf_init(&report, 10000);
    judge_includes(folder, name, slice_of_text(text), &report);
    assert_buf(&report, expected);
}

/* A checker that cannot fail is worth nothing: violations planted on every floor. */
static void planted_includes_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *folder, *name, *included;
        bool allowed;
    } CASES[] = {
        {"worker/base", "buf.c", "base/slice.h", true},
        {"worker/base", "buf.c", "wire/formats/json.h", false},
        {"worker/base", "buf.c", "buf.h", false},
        {"worker/base", "slice.c", "stdio.h", false},
        {"worker/base", "slice.c", "stdlib.h", false},
        {"worker/base", "slice.c", "time.h", false},
        {"worker/policy", "pace.c", "base/random.h", true},
        {"worker/policy", "pace.c", "wire/formats/json.h", false},
        {"worker/wire/formats", "json.c", "cjson/cJSON.h", true},
        {"worker/wire/chat", "request.c", "cjson/cJSON.h", false},
        {"worker/wire/formats", "hash.c", "openssl/sha.h", true},
        {"worker/wire/bedrock", "sigv4.c", "openssl/sha.h", false},
        {"worker/wire/bedrock", "sigv4.c", "telemetry/event.h", false},
        {"worker/wire/bedrock", "sigv4.h", "policy/retry.h", false},
        {"worker/telemetry", "event.c", "wire/formats/json.h", false},
        {"worker/engine", "job.c", "wire/formats/json.h", true},
        {"worker/engine", "job.c", "io/http/client.h", false},
        {"worker/engine", "job.c", "app/settings/settings.h", false},
        {"worker/engine", "job.c", "uv.h", false},
        {"worker/engine", "job.c", "time.h", false},
        {"worker/engine", "job.c", "sys/time.h", false},
        {"worker/io/http", "client.c", "engine/ports.h", true},
        {"worker/io/http", "client.c", "engine/engine.h", false},
        {"worker/io/http", "client.c", "curl/curl.h", true},
        {"worker/io/loop", "clock.c", "curl/curl.h", false},
        {"worker/io/http", "client.c", "librdkafka/rdkafka.h", false},
        {"worker/io/kafka", "conf.c", "librdkafka/rdkafka.h", true},
        {"worker/io/loop", "clock.c", "time.h", true},
        {"worker/io/http", "client.c", "app/settings/settings.h", false},
        {"worker/sim", "server.c", "microhttpd.h", true},
        {"worker/sim", "server.c", "engine/engine.h", false},
        {"worker/sim", "server.c", "curl/curl.h", false},
        {"worker/app/commands", "run.c", "engine/engine.h", true},
        {"worker/app/commands", "run.c", "librdkafka/rdkafka.h", false},
        {"worker/app/commands", "run.c", "yaml.h", false},
        {"worker", "main.c", "app/commands/commands.h", true},
        {"worker", "main.c", "engine/engine.h", false},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        char text[100], expected[200] = "";
        bool own = strchr(CASES[i].included, '.') != NULL && i % 2 == 0;
        (void)snprintf(text, sizeof text, own ? "int a;\n#include \"%s\"\n" : " # include <%s>\n",
                       CASES[i].included);
        if (!CASES[i].allowed)
            (void)snprintf(expected, sizeof expected, "%s/%s may not include %s\n", CASES[i].folder,
                           CASES[i].name, CASES[i].included);
        assert_includes(CASES[i].folder, CASES[i].name, text, expected);
    }
    assert_includes("worker/base", "x.c", "/* the word include */\nint include;\n", "");
}

/* --- what may be called --- */

/* What the pure floors must not call, and why; globs, matched before the list of what they may. */
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
    {"memory.c.o", "malloc"}, {"memory.c.o", "calloc"},  {"memory.c.o", "realloc"},
    {"memory.c.o", "free"},   {"check.c.o", "write"},    {"check.c.o", "abort"},
    {"json.c.o", "cJSON_*"},  {"hash.c.o", "SHA256*"},   {"hash.c.o", "EVP_*"},
    {"hash.c.o", "HMAC*"},    {"hash.c.o", "OPENSSL_*"},
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

/* Which floors define a symbol, as bits in the order of FLOORS. */
struct definitions {
    struct buf text; /* lines `<letter a + floor><symbol>` */
};

static unsigned floors_defining(struct definitions *definitions, struct slice symbol)
{
    unsigned floors = 0;
    struct slice rest = buf_slice(&definitions->text), line;
    while (source_next_line(&rest, &line))
        if (slice_equal(slice_sub(line, 1, SIZE_MAX), symbol))
            floors |= 1U << (line.ptr[0] - 'a');
    return floors;
}

static void learn_definitions(struct definitions *definitions)
{
    buf_init(&definitions->text, REPORT_BYTES_MAX);
    for (size_t floor = 0; floor < FLOORS_PURE; floor++) {
        struct buf output OWNED_BY(buf_done);
        char command[1024];
        buf_init(&output, 16 * REPORT_BYTES_MAX);
        (void)snprintf(command, sizeof command, "nm -g --defined-only '%s/lib%s.a'", BINARY_DIR,
                       FLOORS[floor]);
        run(command, &output);
        struct slice rest = buf_slice(&output), line;
        while (source_next_line(&rest, &line)) {
            struct slice symbol = last_word(line);
            if (symbol.len == 0 || slice_ends(symbol, SLICE(":")))
                continue;
            buf_add_byte(&definitions->text, (char)('a' + floor));
            buf_add(&definitions->text, symbol);
            buf_add_byte(&definitions->text, '\n');
        }
    }
    assert_int_equal(definitions->text.failed, OK);
}

/* Bits of the floors that a floor may call, itself included. */
static unsigned floors_below(size_t floor)
{
    static const unsigned BELOW[FLOORS_PURE] = {0x01, 0x03, 0x05, 0x09, 0x1f};
    return BELOW[floor];
}

/* Judges nm's list of undefined symbols; returns how many there were. */
static size_t judge_calls(struct slice listing, size_t floor, struct definitions *definitions,
                          struct buf *report)
{
    struct slice line;
    size_t count = 0;
    while (source_next_line(&listing, &line)) {
        struct slice symbol = last_word(line), object = object_of(line);
        if (symbol.len == 0 || slice_ends(symbol, SLICE(":")))
            continue;
        count++;
        unsigned defining = floors_defining(definitions, symbol);
        const char *why = defining != 0 ? NULL : why_not(object, symbol);
        if (defining != 0 && (defining & floors_below(floor)) == 0)
            why = "lies on a floor that this one may not see";
        if (why != NULL)
            buf_addf(report, "%s: %.*s calls %.*s, which %s\n", FLOORS[floor], SLICE_ARG(object),
                     SLICE_ARG(symbol), why);
    }
    return count;
}

static void the_pure_floors_do_no_input_and_no_output(void **state)
{
    (void)state;
    struct buf report OWNED_BY(buf_done);
    struct definitions definitions;
    buf_init(&report, REPORT_BYTES_MAX);
    learn_definitions(&definitions);
    for (size_t floor = 0; floor < FLOORS_PURE; floor++) {
        struct buf output OWNED_BY(buf_done);
        char command[1024];
        buf_init(&output, 16 * REPORT_BYTES_MAX);
        (void)snprintf(command, sizeof command, "nm -A -u '%s/lib%s.a'", BINARY_DIR, FLOORS[floor]);
        run(command, &output);
        if (judge_calls(buf_slice(&output), floor, &definitions, &report) == 0)
            fail_msg("nm shows no calls of %s", FLOORS[floor]);
    }
    buf_done(&definitions.text);
    if (report.len > 0)
        fail_msg("\n%s", buf_text(&report));
}

/* This test opens files and runs nm: judged as if it were a pure floor, it must be found guilty. */
static void this_very_program_would_be_found(void **state)
{
    (void)state;
    struct buf report OWNED_BY(buf_done), output OWNED_BY(buf_done);
    struct definitions none;
    buf_init(&report, REPORT_BYTES_MAX);
    buf_init(&output, 16 * REPORT_BYTES_MAX);
    buf_init(&none.text, 0);
    run("nm -A -u /proc/$PPID/exe", &output);
    assert_true(judge_calls(buf_slice(&output), 0, &none, &report) > 10);
    /* Sanitizers bring functions of the C library along; nobody brings cmocka's. */
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

/* A floor that calls upwards or sideways, told by who defines the symbol. */
static void planted_calls_of_other_floors_are_found(void **state)
{
    (void)state;
    struct buf report OWNED_BY(buf_done);
    struct definitions definitions;
    buf_init(&report, REPORT_BYTES_MAX);
    buf_init(&definitions.text, 1000);
    buf_add_text(&definitions.text, "abuf_add\ncjson_parse\nejob_go\n");
    struct slice listing = SLICE("libx.a:a.c.o:                 U buf_add\n"
                                 "libx.a:a.c.o:                 U json_parse\n"
                                 "libx.a:a.c.o:                 U job_go\n");
    assert_int_equal(judge_calls(listing, 1, &definitions, &report), 3);
    assert_buf(&report,
               "policy: a.c.o calls json_parse, which lies on a floor that this one may not see\n"
               "policy: a.c.o calls job_go, which lies on a floor that this one may not see\n");
    buf_reset(&report);
    assert_int_equal(judge_calls(listing, 4, &definitions, &report), 3);
    assert_buf(&report, "");
    buf_done(&definitions.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_includes_are_found),
        cmocka_unit_test(a_folder_without_a_floor_is_found),
        cmocka_unit_test(every_file_includes_only_what_its_floor_may_see),
        cmocka_unit_test(planted_calls_are_found),
        cmocka_unit_test(planted_calls_of_other_floors_are_found),
        cmocka_unit_test(this_very_program_would_be_found),
        cmocka_unit_test(the_pure_floors_do_no_input_and_no_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
