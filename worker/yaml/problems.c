#include "yaml/problems.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

void problems_init(struct problems *problems)
{
    problems->count = 0;
    problems->dropped = 0;
}

/* Foreign text must not steer the terminal that shows it. */
static void make_printable(char *text)
{
    size_t len = utf8_valid_len(slice_of_text(text));
    text[len] = '\0';
    for (char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = '?';
    }
}

void problems_add(struct problems *problems, struct place place, struct slice path,
                  const char *format, ...)
{
    if (problems->count == PROBLEMS_MAX) {
        problems->dropped++;
        return;
    }
    struct problem *problem = &problems->list[problems->count];
    problem->place = place;
    problem->order = problems->count++;
    slice_write(path, problem->path, sizeof problem->path);
    make_printable(problem->path);

    va_list args;
    va_start(args, format);
    int written = vsnprintf(problem->words, sizeof problem->words, format, args);
    va_end(args);
    if (written < 0)
        problem->words[0] = '\0';
    make_printable(problem->words);
}

size_t problems_found(const struct problems *problems)
{
    return problems->count + problems->dropped;
}

static int compare(const void *left, const void *right)
{
    const struct problem *a = left, *b = right;
    int files = strcmp(a->place.file, b->place.file);
    if (files != 0)
        return files;
    if (a->place.line != b->place.line)
        return a->place.line < b->place.line ? -1 : 1;
    if (a->place.column != b->place.column)
        return a->place.column < b->place.column ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

void problems_sort(struct problems *problems)
{
    qsort(problems->list, problems->count, sizeof problems->list[0], compare);
}

void problems_add_text(const struct problems *problems, struct buf *buf)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->list[i];
        buf_add_text(buf, problem->place.file);
        if (problem->place.line > 0)
            buf_addf(buf, ":%u:%u", problem->place.line, problem->place.column);
        buf_add_text(buf, ": ");
        if (problem->path[0] != '\0')
            buf_addf(buf, "%s: ", problem->path);
        buf_addf(buf, "%s\n", problem->words);
    }
    if (problems->dropped > 0)
        buf_addf(buf, "and %zu more problems\n", problems->dropped);
}
