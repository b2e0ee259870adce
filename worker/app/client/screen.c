#include "app/client/screen.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/utf8.h"
#include "base/wrap.h"

#define PRINT_BYTES_MAX ((size_t)1024 * 1024)
#define COMMAND_INDENT  "    " /* of the further lines of a command */

static const char *const STYLES[] = {
    [STYLE_PLAIN] = "",
    [STYLE_GOOD] = "\033[32m",
    [STYLE_BAD] = "\033[31m",
    [STYLE_HEADING] = "\033[1m",
};
#define STYLE_END "\033[0m"

static bool is_plain_wanted(void)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    return (no_color != NULL && no_color[0] != '\0') || (term != NULL && strcmp(term, "dumb") == 0);
}

void screen_init(struct screen *screen, FILE *file, size_t label_columns)
{
    bool is_terminal = isatty(fileno(file)) != 0;
    *screen = (struct screen){
        .file = file,
        .label_columns = label_columns,
        .pipe_columns = SCREEN_COLUMNS_DEFAULT,
        .is_terminal = is_terminal,
        .is_plain = !is_terminal || is_plain_wanted(),
    };
}

size_t screen_columns(const struct screen *screen)
{
    struct winsize window = {0};
    if (!screen->is_terminal)
        return screen->pipe_columns;
    if (ioctl(fileno(screen->file), TIOCGWINSZ, &window) != 0 || window.ws_col == 0)
        return SCREEN_COLUMNS_DEFAULT;
    return window.ws_col;
}

static void begin_style(const struct screen *screen, enum screen_style style, struct buf *buf)
{
    if (!screen->is_plain)
        buf_add_text(buf, STYLES[style]);
}

static void end_style(const struct screen *screen, enum screen_style style, struct buf *buf)
{
    if (!screen->is_plain && style != STYLE_PLAIN)
        buf_add_text(buf, STYLE_END);
}

static void print_buf(struct screen *screen, const struct buf *buf)
{
    screen_clear(screen);
    (void)fwrite(buf->ptr, 1, buf->len, screen->file);
    (void)fflush(screen->file);
}

void screen_print(struct screen *screen, const char *label, enum screen_style style,
                  struct slice text)
{
    struct buf page OWNED_BY(buf_done);
    buf_init(&page, PRINT_BYTES_MAX);
    begin_style(screen, style, &page);
    buf_addf(&page, "%-*s", (int)screen->label_columns, label);
    end_style(screen, style, &page);
    wrap_add(&page, text, screen->label_columns, screen_columns(screen));
    buf_add_byte(&page, '\n');
    print_buf(screen, &page);
}

void screen_printf(struct screen *screen, const char *label, enum screen_style style,
                   const char *format, ...)
{
    va_list args;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, PRINT_BYTES_MAX);
    va_start(args, format);
    buf_addv(&text, format, args);
    va_end(args);
    screen_print(screen, label, style, buf_slice(&text));
}

void screen_print_line(struct screen *screen, struct slice line)
{
    screen_clear(screen);
    (void)fprintf(screen->file, "%.*s\n", SLICE_ARG(line));
    (void)fflush(screen->file);
}

void screen_print_heading(struct screen *screen, const char *format, ...)
{
    va_list args;
    struct buf page OWNED_BY(buf_done);
    buf_init(&page, PRINT_BYTES_MAX);
    begin_style(screen, STYLE_HEADING, &page);
    va_start(args, format);
    buf_addv(&page, format, args);
    va_end(args);
    end_style(screen, STYLE_HEADING, &page);
    buf_add_byte(&page, '\n');
    print_buf(screen, &page);
}

void screen_print_command(struct screen *screen, const char *const *words, size_t count)
{
    struct buf page OWNED_BY(buf_done);
    buf_init(&page, PRINT_BYTES_MAX);
    size_t column = 1, columns = screen_columns(screen);
    buf_add_byte(&page, ' ');
    for (size_t i = 0; i < count; i++) {
        size_t width = utf8_count(slice_of_text(words[i]));
        if (i > 0 && column + 1 + width + strlen(" \\") > columns) {
            buf_add_text(&page, " \\\n" COMMAND_INDENT);
            column = strlen(COMMAND_INDENT);
        } else {
            buf_add_byte(&page, ' ');
            column++;
        }
        buf_add_text(&page, words[i]);
        column += width;
    }
    buf_add_byte(&page, '\n');
    print_buf(screen, &page);
}

size_t screen_line_columns(const struct screen *screen)
{
    size_t columns = screen_columns(screen);
    return columns > SCREEN_LINE_COLUMNS ? SCREEN_LINE_COLUMNS : columns - 1;
}

void screen_show(struct screen *screen, struct slice line)
{
    if (screen->is_plain)
        return;
    while (utf8_count(line) > screen_line_columns(screen))
        line = utf8_clip(line, line.len - 1);
    (void)fprintf(screen->file, "\r%.*s\033[K", SLICE_ARG(line));
    (void)fflush(screen->file);
    screen->is_line_shown = true;
}

void screen_clear(struct screen *screen)
{
    if (screen->is_line_shown)
        (void)fputs("\r\033[K", screen->file);
    screen->is_line_shown = false;
}

const char *screen_count(int64_t count, char room[SCREEN_COUNT_BYTES])
{
    char digits[SCREEN_COUNT_BYTES];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)count);
    size_t at = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-')
            room[at++] = ',';
        room[at++] = digits[i];
    }
    room[at] = '\0';
    return room;
}
