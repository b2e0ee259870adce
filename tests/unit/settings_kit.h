/* Settings read from a text, for the tests of their reader. */
#ifndef UNIT_SETTINGS_KIT_H
#define UNIT_SETTINGS_KIT_H

#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/assembly.h"
#include "app/settings/settings.h"

#define TEXT_BYTES_MAX (512U * 1024)

/* A fixed environment: tests do not depend on the machine's. */
static inline const char *get_variable(void *self, const char *name)
{
    (void)self;
    if (strcmp(name, "BROKERS") == 0)
        return "kafka-1:9092,kafka-2:9092";
    if (strcmp(name, "EMPTY") == 0)
        return "";
    if (strcmp(name, "SECRET") == 0)
        return "canary-of-a-password";
    if (strcmp(name, "CALLS") == 0)
        return "12";
    return NULL;
}

struct reading {
    struct settings settings;
    struct problems problems;
    struct buf text;
    bool is_good;
};

static inline struct reading *read_with(const char *text, const char *const *overrides,
                                        size_t count)
{
    struct reading *reading = calloc(1, sizeof *reading);
    assert_non_null(reading);
    struct settings_source source = {.text = slice_of_text(text),
                                     .file = "w.yaml",
                                     .overrides = overrides,
                                     .override_count = count,
                                     .environment = {get_variable, NULL, NULL}};
    reading->is_good = settings_read(&reading->settings, &source, &reading->problems);
    buf_init(&reading->text, TEXT_BYTES_MAX);
    problems_add_text(&reading->problems, &reading->text);
    return reading;
}

static inline struct reading *read_text(const char *text)
{
    return read_with(text, NULL, 0);
}

static inline void end(struct reading *reading)
{
    settings_free(&reading->settings);
    buf_done(&reading->text);
    free(reading);
}

static inline void assert_good(struct reading *reading)
{
    assert_string_equal(buf_text(&reading->text), "");
    assert_true(reading->is_good);
}

/* The file is rejected with exactly this text. */
static inline void assert_problems(const char *text, const char *words)
{
    struct reading *reading = read_text(text);
    assert_false(reading->is_good);
    assert_string_equal(buf_text(&reading->text), words);
    end(reading);
}

/* The file is rejected, and the text contains `part`. */
static inline void assert_problem(const char *text, const char *part)
{
    struct reading *reading = read_text(text);
    assert_false(reading->is_good);
    if (strstr(buf_text(&reading->text), part) == NULL)
        fail_msg("the problems are: %s", buf_text(&reading->text));
    end(reading);
}

#endif
