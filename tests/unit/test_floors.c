/* The walls of the worker hold: a file includes only what its wing may see, third-party headers
 * stay in their rooms, and a file opens with its own header. CMakeLists.txt declares the wings;
 * test_calls.c looks at what the compiler made of them. */
#include "unit/unit.h"

#include <stdio.h>

#include "base/glob.h"
#include "unit/sources.h"
#include "unit/wings.h"

/* Globs of headers that files like `from` may include beside those of their wing and of the wings
 * that it sees; rules add up. */
struct rule {
    const char *from;
    const char *may[16];
};

static const struct rule RULES[] = {
    {"worker/main.c", {"app/commands/commands.h", "standard_files.h", "malloc.h"}},
    {"worker/sim_main.c", {"sim/*", "base/*", "standard_files.h"}},

    {"worker/*",
     {"stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "inttypes.h",
      "limits.h", "string.h", "math.h", "float.h"}},
    /* printing into memory */
    {"worker/base/buf.c", {"stdio.h"}},
    {"worker/wire/*.c", {"stdio.h"}},
    {"worker/yaml/problems.c", {"stdio.h"}},
    {"worker/app/books/*.c", {"stdio.h"}},
    /* the heap; the last words of a broken fact */
    {"worker/base/memory.c", {"stdlib.h"}},
    {"worker/base/check.c", {"stdlib.h", "unistd.h"}},

    {"worker/wire/formats/json.c", {"cjson/*"}},
    {"worker/wire/formats/hash.c", {"openssl/*"}},
    {"worker/io/aws/es256.c", {"openssl/*"}},
    {"worker/telemetry/trace/otlp.c", {"opentelemetry/*"}},
    {"worker/io/http/*", {"curl/*"}},
    {"worker/io/kafka/*", {"librdkafka/*"}},
    /* the in-memory cluster of the demo; the client of the commands that talk to a running worker
     */
    {"worker/app/demo/*", {"librdkafka/*"}},
    {"worker/app/client/kafka_*.c", {"librdkafka/*"}},
    {"worker/app/client/kafka_scan.c", {"malloc.h"}},
    {"worker/io/*", {"uv.h"}},
    {"worker/yaml/document.c", {"yaml.h"}},
    {"worker/sim/*", {"microhttpd.h"}},
    {"worker/io/server/*", {"microhttpd.h"}},
};

/* The system's headers, for the floors that do input and output. */
static const char *const SYSTEM[] = {
    "stdio.h",      "stdlib.h",    "errno.h",     "ctype.h",     "signal.h",  "time.h",
    "fcntl.h",      "unistd.h",    "getopt.h",    "poll.h",      "pthread.h", "netdb.h",
    "locale.h",     "sys/*.h",     "netinet/*.h", "arpa/inet.h", "dirent.h",  "termios.h",
    "sched.h",      "semaphore.h", "threads.h",   "pwd.h",       "wchar.h",   "langinfo.h",
    "sys/socket.h", "linux/*.h",   "spawn.h",
};

static bool is_one_of(const char *const *globs, size_t count, struct slice file)
{
    for (size_t i = 0; i < count && globs[i] != NULL; i++)
        if (glob_match(slice_of_text(globs[i]), file, false))
            return true;
    return false;
}

static struct slice folder_of(struct slice file)
{
    size_t end = file.len;
    while (end > 0 && file.ptr[end - 1] != '/')
        end--;
    return slice_sub(file, 0, end > 0 ? end - 1 : 0);
}

/* Headers of the wing itself and of those that it sees; io sees the engine only through its ports,
 * and of the folders inside of a wing only the one file that lists them may look inside. */
static bool is_seen(const struct wing *wing, struct slice included)
{
    char folder[300];
    (void)snprintf(folder, sizeof folder, "worker/%.*s", SLICE_ARG(folder_of(included)));
    const struct wing *other = wing_of(slice_of_text(folder));
    if (other == NULL || !wing_sees(wing, other->name))
        return false;
    bool is_io = strncmp(wing->name, "io", 2) == 0;
    return !is_io || strcmp(other->name, "engine") != 0 ||
           slice_equal_text(included, "engine/ports.h");
}

static bool may_include(struct slice file, struct slice included)
{
    const struct wing *wing = wing_of(folder_of(file));
    if (wing != NULL && is_seen(wing, included))
        return true;
    for (size_t i = 0; i < COUNT_OF(RULES); i++)
        if (glob_match(slice_of_text(RULES[i].from), file, false) &&
            is_one_of(RULES[i].may, COUNT_OF(RULES[i].may), included))
            return true;
    return (wing == NULL || !wing->is_pure) && is_one_of(SYSTEM, COUNT_OF(SYSTEM), included);
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

/* A header that compiles only behind others fails when its own file opens with it. */
static void judge_first_include(const char *folder, const char *name, struct slice text, void *self)
{
    struct buf *report = self;
    char own[512], path[1024];
    struct slice line, included = SLICE_NULL;
    struct slice stem = slice_of_text(name);
    if (!slice_ends(stem, SLICE(".c")) || strcmp(folder, "worker") == 0)
        return; /* the programs' main files have no header */
    (void)snprintf(own, sizeof own, "%s/%.*sh", folder + strlen("worker/"), (int)stem.len - 1,
                   name);
    (void)snprintf(path, sizeof path, "%s/worker/%s", SOURCE_DIR, own);
    while (included.ptr == NULL && source_next_line(&text, &line))
        included = included_by(line);
    if (is_there(path) && !slice_equal_text(included, own))
        buf_addf(report, "%s/%s does not begin with its own header\n", folder, name);
}

static void every_file_includes_only_what_its_wing_sees(void **state)
{
    (void)state;
    struct buf report OWNED_BY(buf_done);
    buf_init(&report, REPORT_BYTES_MAX);
    assert_true(sources_visit("worker", judge_includes, &report) > 200);
    (void)sources_visit("worker", judge_first_include, &report);
    if (report.len > 0)
        fail_msg("\n%s", buf_text(&report));
}

static void judge_wing(const char *folder, const char *name, struct slice text, void *self)
{
    (void)text;
    struct buf *report = self;
    if (strcmp(folder, "worker") != 0 && wing_of(slice_of_text(folder)) == NULL)
        buf_addf(report, "%s/%s is in no wing of CMakeLists.txt\n", folder, name);
}

static void every_folder_belongs_to_a_wing(void **state)
{
    (void)state;
    struct buf report OWNED_BY(buf_done);
    buf_init(&report, REPORT_BYTES_MAX);
    assert_true(sources_visit("worker", judge_wing, &report) > 200);
    if (report.len > 0)
        fail_msg("\n%s", buf_text(&report));
    judge_wing("worker/attic", "old.c", SLICE(""), &report);
    assert_buf(&report, "worker/attic/old.c is in no wing of CMakeLists.txt\n");
}

/* The files that may lie on a floor that has wings: the top of io, and what app's wings share. */
static void a_floor_with_wings_holds_few_files_itself(void **state)
{
    (void)state;
    static const struct {
        const char *folder;
        const char *files[12];
    } FLAT[] = {
        {"worker/wire", {NULL}},
        {"worker/io", {"io.c", "io.h", "meter.c", "parts.h", "ports.c", NULL}},
        {"worker/app",
         {"assembly.c", "assembly.h", "exit_code.h", "reload.c", "reload.h", "worker.c", "worker.h",
          NULL}},
    };
    for (size_t i = 0; i < COUNT_OF(FLAT); i++) {
        char path[1024];
        (void)snprintf(path, sizeof path, "%s/%s", SOURCE_DIR, FLAT[i].folder);
        DIR *directory = opendir(path);
        assert_non_null(directory);
        struct dirent *entry;
        while ((entry = readdir(directory)) != NULL)
            if (source_has_kind(entry->d_name) &&
                !is_one_of(FLAT[i].files, COUNT_OF(FLAT[i].files), slice_of_text(entry->d_name)))
                fail_msg("%s/%s belongs into a wing", FLAT[i].folder, entry->d_name);
        (void)closedir(directory);
    }
}

static void assert_includes(const char *folder, const char *name, const char *text,
                            const char *expected)
{
    struct buf report OWNED_BY(buf_done);
    buf_init(&report, 10000);
    judge_includes(folder, name, slice_of_text(text), &report);
    assert_buf(&report, expected);
}

/* The check itself is tested: violations planted in every wing. */
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
        {"worker/policy", "retry.c", "base/random.h", true},
        {"worker/policy", "retry.c", "wire/formats/json.h", false},
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_includes_are_found),
        cmocka_unit_test(every_folder_belongs_to_a_wing),
        cmocka_unit_test(a_floor_with_wings_holds_few_files_itself),
        cmocka_unit_test(every_file_includes_only_what_its_wing_sees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
