/* Rules about the source text itself, of the worker and of its tests in C. */
#include "unit/unit.h"

#include "unit/sources.h"

#define FILE_LINES_MAX     600
#define FUNCTION_LINES_MAX 70

/* Banned functions, and why. */
static const struct {
    const char *name, *why;
} BANNED[] = {
    {"strcpy", "writes without a limit"},
    {"stpcpy", "writes without a limit"},
    {"strcat", "writes without a limit"},
    {"strncpy", "may leave no NUL"},
    {"strncat", "its limit is not the room"},
    {"sprintf", "writes without a limit"},
    {"vsprintf", "writes without a limit"},
    {"gets", "writes without a limit"},
    {"alloca", "takes the stack without a limit"},
    {"strtok", "keeps a state that all share"},
    {"atoi", "cannot tell an error"},
    {"atol", "cannot tell an error"},
    {"atoll", "cannot tell an error"},
    {"atof", "cannot tell an error"},
    {"rand", "is not ours to seed"},
    {"srand", "is not ours to seed"},
    {"gmtime", "gives memory that all share"},
    {"localtime", "gives memory that all share"},
    {"ctime", "gives memory that all share"},
    {"asctime", "gives memory that all share"},
    {"tmpnam", "names a file that another may make first"},
    {"mktemp", "names a file that another may make first"},
    {"longjmp", "skips the owners of memory"},
};

/* Words that no finished text holds; cut in two so that this file passes its own test. */
static const char *const UNFINISHED[] = {"TO"
                                         "DO",
                                         "FIX"
                                         "ME",
                                         "X"
                                         "XX:",
                                         "not "
                                         "implemented",
                                         "for "
                                         "now"};
static const char *const PATHS_OF_A_MACHINE[] = {"\"/ro"
                                                 "ot/",
                                                 "\"/wo"
                                                 "rk/",
                                                 " /wo"
                                                 "rk/",
                                                 "\"/ho"
                                                 "me/"};

static const char *const FOLDERS[] = {
    "worker", "tests/unit", "tests/fuzz", "tests/io", "tests/sim", "tests/bench",
};

static bool is_word(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_';
}

/* Whether the line calls `name`: the whole word, then an opening bracket. */
static bool calls(struct slice line, struct slice name)
{
    for (size_t at = 0; at + name.len < line.len; at++) {
        if (!slice_starts(slice_sub(line, at, SIZE_MAX), name))
            continue;
        bool begins = at == 0 || !is_word(line.ptr[at - 1]);
        struct slice behind = slice_trim(slice_sub(line, at + name.len, SIZE_MAX));
        bool ends = !is_word(line.ptr[at + name.len]);
        if (begins && ends && behind.len > 0 && behind.ptr[0] == '(')
            return true;
    }
    return false;
}

static bool contains(struct slice line, struct slice text)
{
    for (size_t at = 0; at + text.len <= line.len; at++)
        if (slice_starts(slice_sub(line, at, SIZE_MAX), text))
            return true;
    return false;
}

static void judge_line(const char *where, size_t number, struct slice line, struct buf *report)
{
    if (slice_find(line, '\t') < line.len)
        buf_addf(report, "%s:%zu: a tab\n", where, number);
    if (line.len > 0 && (line.ptr[line.len - 1] == ' ' || line.ptr[line.len - 1] == '\r'))
        buf_addf(report, "%s:%zu: a blank at the end of the line\n", where, number);
    for (size_t i = 0; i < COUNT_OF(UNFINISHED); i++)
        if (contains(line, slice_of_text(UNFINISHED[i])))
            buf_addf(report, "%s:%zu: says %s\n", where, number, UNFINISHED[i]);
    for (size_t i = 0; i < COUNT_OF(PATHS_OF_A_MACHINE); i++)
        if (contains(line, slice_of_text(PATHS_OF_A_MACHINE[i])))
            buf_addf(report, "%s:%zu: a path of one machine\n", where, number);
}

static void judge_calls(const char *where, size_t number, struct slice line, struct buf *report)
{
    for (size_t i = 0; i < COUNT_OF(BANNED); i++)
        if (calls(line, slice_of_text(BANNED[i].name)))
            buf_addf(report, "%s:%zu: %s %s\n", where, number, BANNED[i].name, BANNED[i].why);
}

/* clang-format puts only a function's braces by themselves at the beginning of a line. */
static void judge_functions(const char *where, struct slice code, struct buf *report)
{
    struct slice line;
    size_t number = 0, opened = 0;
    while (source_next_line(&code, &line)) {
        number++;
        if (slice_equal_text(line, "{"))
            opened = number;
        if (!slice_equal_text(line, "}") || opened == 0)
            continue;
        size_t lines = number - opened - 1;
        if (lines > FUNCTION_LINES_MAX)
            buf_addf(report, "%s:%zu: a function of %zu lines\n", where, opened, lines);
        opened = 0;
    }
}

static bool has_word(struct slice code, struct slice word)
{
    for (size_t at = 0; at + word.len <= code.len; at++) {
        if (code.ptr[at] != word.ptr[0] || !slice_starts(slice_sub(code, at, SIZE_MAX), word))
            continue;
        bool begins = at == 0 || !is_word(code.ptr[at - 1]);
        bool ends = at + word.len == code.len || !is_word(code.ptr[at + word.len]);
        if (begins && ends)
            return true;
    }
    return false;
}

/* An owned variable is cleaned up at every return: before the first one it must hold something.
 * Some compilers fill it with zeros, and hide this. */
static void judge_owners(const char *where, struct slice code, struct buf *report)
{
    struct slice line, owner = SLICE_NULL;
    size_t number = 0;
    while (source_next_line(&code, &line)) {
        number++;
        size_t at = 0;
        while (at < line.len && !slice_starts(slice_sub(line, at, SIZE_MAX), SLICE(" OWNED_BY(")))
            at++;
        bool is_empty = !contains(line, SLICE("=")) && slice_ends(line, SLICE(";"));
        if (at < line.len && is_empty) {
            size_t from = at;
            while (from > 0 && is_word(line.ptr[from - 1]))
                from--;
            owner = slice_sub(line, from, at - from);
        } else if (owner.ptr != NULL && has_word(line, owner)) {
            owner = SLICE_NULL;
        } else if (owner.ptr != NULL && has_word(line, SLICE("return"))) {
            buf_addf(report, "%s:%zu: returns before %.*s holds anything\n", where, number,
                     SLICE_ARG(owner));
            owner = SLICE_NULL;
        }
    }
}

static void judge_text(const char *where, struct slice text, struct buf *report)
{
    struct buf code OWNED_BY(buf_done);
    buf_init(&code, SOURCE_BYTES_MAX);
    source_strip(text, &code);
    CHECK(code.failed == OK);
    struct slice line, rest = text;
    size_t number = 0;
    while (source_next_line(&rest, &line))
        judge_line(where, ++number, line, report);
    if (number > FILE_LINES_MAX)
        buf_addf(report, "%s: %zu lines\n", where, number);
    if (text.len == 0 || text.ptr[text.len - 1] != '\n')
        buf_addf(report, "%s: no newline at the end\n", where);
    rest = buf_slice(&code);
    number = 0;
    while (source_next_line(&rest, &line))
        judge_calls(where, ++number, line, report);
    judge_functions(where, buf_slice(&code), report);
    judge_owners(where, buf_slice(&code), report);
}

static void judge_file(const char *folder, const char *name, struct slice text, void *self)
{
    char where[512];
    (void)snprintf(where, sizeof where, "%s/%s", folder, name);
    judge_text(where, text, self);
}

static void every_source_file_keeps_the_rules(void **state)
{
    (void)state;
    struct buf report OWNED_BY(buf_done);
    size_t files = 0;
    buf_init(&report, REPORT_BYTES_MAX);
    for (size_t i = 0; i < COUNT_OF(FOLDERS); i++)
        files += sources_visit(FOLDERS[i], judge_file, &report);
    assert_true(files > 50);
    assert_int_equal(report.failed, OK);
    if (report.len > 0)
        fail_msg("\n%s", buf_text(&report));
}

/* A listed event that is never logged is a broken promise to operators. */
static const struct {
    const char *name;
} EVENTS[] = {
#define EVENT(name, level, sentence) {"LOG_" #name},
#include "telemetry/events.def"
#undef EVENT
};

static void note_events(const char *folder, const char *name, struct slice text, void *self)
{
    (void)folder, (void)name;
    bool *is_said = self;
    struct buf code OWNED_BY(buf_done);
    buf_init(&code, SOURCE_BYTES_MAX);
    source_strip(text, &code);
    for (size_t i = 0; i < COUNT_OF(EVENTS); i++)
        is_said[i] = is_said[i] || has_word(buf_slice(&code), slice_of_text(EVENTS[i].name));
}

static void every_event_of_the_list_is_logged_somewhere(void **state)
{
    (void)state;
    static const char *const SPEAKERS[] = {"worker/engine", "worker/io", "worker/app"};
    bool is_said[COUNT_OF(EVENTS)] = {false};
    for (size_t i = 0; i < COUNT_OF(SPEAKERS); i++)
        assert_true(sources_visit(SPEAKERS[i], note_events, is_said) > 0);
    for (size_t i = 0; i < COUNT_OF(EVENTS); i++)
        if (!is_said[i])
            fail_msg("%s is declared and never logged", EVENTS[i].name);
}

static void an_event_is_found_only_by_its_whole_name_in_code(void **state)
{
    (void)state;
    static const char TEXT[] = "say(LOG_STARTED_NOT); /* LOG_STARTED */ \"LOG_STARTED\"";
    bool is_said[COUNT_OF(EVENTS)] = {false};
    note_events("", "", slice_of_text(TEXT), is_said);
    for (size_t i = 0; i < COUNT_OF(EVENTS); i++)
        assert_false(is_said[i]);
    note_events("", "", SLICE("say(LOG_STARTED);"), is_said);
    assert_true(is_said[0]);
}

static void assert_judged(const char *text, const char *expected)
{
    struct buf report OWNED_BY(buf_done);
    buf_init(&report, REPORT_BYTES_MAX);
    judge_text("x.c", slice_of_text(text), &report);
    assert_buf(&report, expected);
}

/* The check itself is tested: every rule, broken on purpose. */
static void a_breach_of_any_rule_is_found(void **state)
{
    (void)state;
    assert_judged("int a;\n", "");
    assert_judged("int a;", "x.c: no newline at the end\n");
    assert_judged("", "x.c: no newline at the end\n");
    assert_judged("\tint a;\n", "x.c:1: a tab\n");
    assert_judged("int a; \n", "x.c:1: a blank at the end of the line\n");
    assert_judged("int a;\r\n", "x.c:1: a blank at the end of the line\n");
    assert_judged("\n/* TO"
                  "DO */\n",
                  "x.c:2: says TO"
                  "DO\n");
    assert_judged("open(\"/wo"
                  "rk/main\");\n",
                  "x.c:1: a path of one machine\n");
    assert_judged("struct buf b OWNED_BY(buf_done);\nif (a)\n    return;\nbuf_init(&b, 1);\n",
                  "x.c:3: returns before b holds anything\n");
    assert_judged("struct buf b OWNED_BY(buf_done);\nbuf_init(&b, 1);\nreturn;\n", "");
    assert_judged("struct buf b OWNED_BY(buf_done) = {0};\nreturn;\n", "");
    for (size_t i = 0; i < COUNT_OF(BANNED); i++) {
        char text[100], expected[200];
        (void)snprintf(text, sizeof text, "    a = %s (b);\n", BANNED[i].name);
        (void)snprintf(expected, sizeof expected, "x.c:1: %s %s\n", BANNED[i].name, BANNED[i].why);
        assert_judged(text, expected);
        (void)snprintf(text, sizeof text, "    my_%s(b); %s_r(c); x = %s;\n", BANNED[i].name,
                       BANNED[i].name, BANNED[i].name);
        assert_judged(text, "");
        (void)snprintf(text, sizeof text, "/* %s(b) */ \"%s(\\\"c)\"; // %s(d)\n", BANNED[i].name,
                       BANNED[i].name, BANNED[i].name);
        assert_judged(text, "");
    }
}

static void long_files_and_functions_are_found(void **state)
{
    (void)state;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 100000);
    for (int i = 0; i < FILE_LINES_MAX; i++)
        buf_add_text(&text, "int a;\n");
    assert_judged(buf_text(&text), "");
    buf_add_text(&text, "int a;\n");
    assert_judged(buf_text(&text), "x.c: 601 lines\n");
    buf_reset(&text);
    buf_add_text(&text, "void f(void)\n{\n");
    for (int i = 0; i < FUNCTION_LINES_MAX; i++)
        buf_add_text(&text, "    {\n");
    buf_add_text(&text, "}\n");
    assert_judged(buf_text(&text), "");
    buf_cut(&text, text.len - 2);
    buf_add_text(&text, "\n}\n");
    assert_judged(buf_text(&text), "x.c:2: a function of 71 lines\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_breach_of_any_rule_is_found),
        cmocka_unit_test(long_files_and_functions_are_found),
        cmocka_unit_test(every_source_file_keeps_the_rules),
        cmocka_unit_test(an_event_is_found_only_by_its_whole_name_in_code),
        cmocka_unit_test(every_event_of_the_list_is_logged_somewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
