/* The screen that commands print to: a terminal or a pipe. On a terminal, lines are at most as wide
 * as the window, headings have colours, and one line at the bottom (progress) is rewritten in
 * place. In a pipe, and with NO_COLOR or TERM=dumb, output is plain lines. */
#ifndef APP_CLIENT_SCREEN_H
#define APP_CLIENT_SCREEN_H

#include <stdbool.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/buf.h"

#define SCREEN_COLUMNS_DEFAULT 80
#define SCREEN_LINE_COLUMNS    79 /* of the progress line */

enum screen_style { STYLE_PLAIN, STYLE_GOOD, STYLE_BAD, STYLE_HEADING };

struct screen {
    FILE *file;
    size_t label_columns; /* width of the labels, with the blank behind them */
    size_t pipe_columns;  /* width without a window; SIZE_MAX = no wrapping */
    bool is_terminal;
    bool is_plain;      /* no escape sequences, no progress line */
    bool is_line_shown; /* the progress line is shown */
};

/* Makes a screen on `file`, standard output or error, which is borrowed. */
void screen_init(struct screen *screen, FILE *file, size_t label_columns);
/* The current width of the window, or pipe_columns without one. */
size_t screen_columns(const struct screen *screen);
/* Prints `text` behind a label with this style, wrapped to the window. Removes the progress line.
 */
void screen_print(struct screen *screen, const char *label, enum screen_style style,
                  struct slice text);
void screen_printf(struct screen *screen, const char *label, enum screen_style style,
                   const char *format, ...) PRINTF(4, 5);
/* Prints a line without wrapping. */
void screen_print_line(struct screen *screen, struct slice line);
/* Prints a heading without wrapping. */
void screen_print_heading(struct screen *screen, const char *format, ...) PRINTF(2, 3);
/* Prints a shell command to copy: its words, with `\` and a new line where the window ends. */
void screen_print_command(struct screen *screen, const char *const *words, size_t count);
/* The widest progress line, which must not reach the window's end. */
size_t screen_line_columns(const struct screen *screen);
/* Shows or replaces the progress line, clipped to screen_line_columns; not on a plain screen. */
void screen_show(struct screen *screen, struct slice line);
/* Removes the progress line. */
void screen_clear(struct screen *screen);

#define SCREEN_COUNT_BYTES 32

/* Writes 1234567 as 1,234,567 into `room` and returns it. */
const char *screen_count(int64_t count, char room[SCREEN_COUNT_BYTES]);

#endif
