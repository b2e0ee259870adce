/* Where commands print for people: a terminal's window or a pipe. On a terminal lines are as wide
 * as the window at most, headings have colours, and one line (progress) is rewritten in place.
 * Elsewhere, and where NO_COLOR or TERM=dumb ask for it, nothing but plain lines is written. */
#ifndef APP_CLIENT_SCREEN_H
#define APP_CLIENT_SCREEN_H

#include <stdbool.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/buf.h"

#define SCREEN_COLUMNS_DEFAULT 80
#define SCREEN_LINE_COLUMNS    79 /* of the line that is rewritten */

enum screen_style { STYLE_PLAIN, STYLE_GOOD, STYLE_BAD, STYLE_HEADING };

struct screen {
    FILE *file;
    size_t label_columns; /* of the labels, with the blank behind them */
    size_t pipe_columns;  /* where there is no window: SCREEN_COLUMNS_DEFAULT; SIZE_MAX = no wrap */
    bool is_terminal;
    bool is_plain;      /* no escape sequences, no rewriting */
    bool is_line_shown; /* the line that is rewritten is the last one */
};

/* `file` is standard output or error; borrowed. */
void screen_init(struct screen *screen, FILE *file, size_t label_columns);
/* The window's width now, or pipe_columns where there is no window. */
size_t screen_columns(const struct screen *screen);
/* Prints `text` behind a label, wrapped to the window; the label has the style. Takes the line that
 * is rewritten away. */
void screen_print(struct screen *screen, const char *label, enum screen_style style,
                  struct slice text);
void screen_printf(struct screen *screen, const char *label, enum screen_style style,
                   const char *format, ...) PRINTF(4, 5);
/* Prints one line as it is. */
void screen_print_line(struct screen *screen, struct slice line);
/* Prints a heading as it is. */
void screen_print_heading(struct screen *screen, const char *format, ...) PRINTF(2, 3);
/* A command of a shell as a person copies it, in two columns of indent: its words one after the
 * other, continued with `\` in the next line where the window ends. */
void screen_print_command(struct screen *screen, const char *const *words, size_t count);
/* How long the line may be that screen_show rewrites: it must not reach the window's end. */
size_t screen_line_columns(const struct screen *screen);
/* Rewrites the line at the bottom, clipped to screen_line_columns; nothing on a plain screen. */
void screen_show(struct screen *screen, struct slice line);
/* Takes that line away. */
void screen_clear(struct screen *screen);

#define SCREEN_COUNT_BYTES 32

/* 1234567 as 1,234,567, written into `room`. */
const char *screen_count(int64_t count, char room[SCREEN_COUNT_BYTES]);

#endif
