#include "yaml/problems.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

void problems_init(struct problems *problems)
{
    problems->count = 0;
    problems->dropped = 0;
}

/* Text from the file must not control the terminal that shows it. */
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
    problems->count++;
    slice_write(path, problem->path, sizeof problem->path);
    make_printable(problem->path);

    va_list args;
    va_start(args, format);
    int written = vsnprintf(problem->text, sizeof problem->text, format, args);
    va_end(args);
    if (written < 0)
        problem->text[0] = '\0';
    make_printable(problem->text);
}

size_t problems_found(const struct problems *problems)
{
    return problems->count + problems->dropped;
}

static bool is_before(const struct problem *a, const struct problem *b)
{
    int files = strcmp(a->place.file, b->place.file);
    if (files != 0)
        return files < 0;
    if (a->place.line != b->place.line)
        return a->place.line < b->place.line;
    return a->place.column < b->place.column;
}

void problems_sort(struct problems *problems)
{
    for (size_t i = 1; i < problems->count; i++) {
        struct problem moved = problems->list[i];
        size_t at = i;
        while (at > 0 && is_before(&moved, &problems->list[at - 1]))
            at--;
        memmove(&problems->list[at + 1], &problems->list[at], (i - at) * sizeof moved);
        problems->list[at] = moved;
    }
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
        buf_addf(buf, "%s\n", problem->text);
    }
    if (problems->dropped > 0)
        buf_addf(buf, "and %zu more problems\n", problems->dropped);
}
