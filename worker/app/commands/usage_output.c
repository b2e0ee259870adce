#include "app/commands/usage_output.h"

#include <string.h>
#include <sys/ioctl.h>

#include "app/books/focus.h"
#include "app/books/rows.h"
#include "app/books/table.h"
#include "base/instant.h"
#include "io/loop/clock.h"

#define LINE_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define FLUSH_BYTES    65536
#define BAR_COLUMNS    20
#define FRAME_ROWS     6 /* of the window, around the rows of a watched table */
#define HOME_AND_CLEAR "\033[H\033[J"

bool usage_format_read(const char *name, enum usage_format *ret_format)
{
    static const char *const NAMES[] = {[USAGE_TABLE] = "table",
                                        [USAGE_CSV] = "csv",
                                        [USAGE_JSON] = "json",
                                        [USAGE_FOCUS] = "focus"};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (strcmp(name, NAMES[i]) == 0) {
            *ret_format = (enum usage_format)i;
            return true;
        }
    }
    return false;
}

void usage_output_init(struct usage_output *output, struct slice topic, enum usage_format format)
{
    *output =
        (struct usage_output){.topic = topic, .format = format, .begun_ms = clock_monotonic_ms()};
    screen_init(&output->out, stdout, 0);
    screen_init(&output->err, stderr, 0);
}

/* ---- progress ---- */

void usage_show_progress(struct usage_output *output, const struct book *book, int64_t done,
                         int64_t all)
{
    char count[SCREEN_COUNT_BYTES], rate[SCREEN_COUNT_BYTES], bar[BAR_COLUMNS + 1];
    int64_t ms = clock_monotonic_ms() - output->begun_ms;
    size_t full = all > 0 ? (size_t)(done * BAR_COLUMNS / all) : 0;
    if (all == 0 || ms == 0)
        return;
    for (size_t i = 0; i < BAR_COLUMNS; i++)
        bar[i] = i < full ? '#' : '.';
    bar[BAR_COLUMNS] = '\0';
    struct buf line OWNED_BY(buf_done);
    buf_init(&line, FLUSH_BYTES);
    buf_addf(&line, "[%s] %3d %%  %s records, %s a second", bar, (int)(done * 100 / all),
             screen_count(book->read, count), screen_count(book->read * 1000 / ms, rate));
    if (done > 0)
        buf_addf(&line, ", %lld s left", (long long)((all - done) * ms / done / 1000));
    screen_show(&output->err, buf_slice(&line));
}

/* ---- what was skipped ---- */

static const char *const SKIPPED[] = {
    [SKIP_FOREIGN] = "no usage records",
    [SKIP_VERSION] = "usage records of another version",
    [SKIP_DAMAGED] = "damaged usage records",
};

static void print_skipped(struct usage_output *output, const struct book *book, enum book_skip kind)
{
    const struct book_skipped *skipped = &book->skipped[kind];
    char count[SCREEN_COUNT_BYTES];
    if (skipped->count == 0)
        return;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, FLUSH_BYTES);
    buf_addf(&text, "skipped %s: %s", SKIPPED[kind], screen_count(skipped->count, count));
    for (int64_t i = 0; i < skipped->count && i < BOOK_PLACES_MAX; i++) {
        const struct book_place *place = &skipped->places[i];
        buf_addf(&text, "%s%.*s-%d@%lld", i == 0 ? ", at " : ", ", SLICE_ARG(output->topic),
                 (int)place->partition, (long long)place->offset);
        if (kind == SKIP_DAMAGED && place->why != NULL)
            buf_addf(&text, " (%s)", place->why);
    }
    if (skipped->count > BOOK_PLACES_MAX)
        buf_add_text(&text, ", …");
    screen_print(&output->err, "", STYLE_PLAIN, buf_slice(&text));
}

static void print_count(struct usage_output *output, int64_t count, const char *what)
{
    char room[SCREEN_COUNT_BYTES];
    if (count > 0)
        screen_printf(&output->err, "", STYLE_PLAIN, "%s %s", screen_count(count, room), what);
}

void usage_print_notices(struct usage_output *output, const struct book *book)
{
    for (int kind = 0; kind < BOOK_SKIPS; kind++)
        print_skipped(output, book, (enum book_skip)kind);
    print_count(output, book->doubles, "records came twice and count once");
    print_count(output, book->replaced_count, "records were replaced by others and are left out");
    print_count(output, book->known.lost,
                "ids were forgotten within a day of their time, for lack of memory: if their "
                "records came twice, they count twice; read less time at once");
    print_count(output, book->unchecked,
                "records of lost calls, or their replacements, could not be compared, for lack of "
                "memory; read less time at once");
    print_count(output, book->in_other_currency,
                "calls have costs in another currency, which are not in the sums: see --currency");
}

/* ---- sums ---- */

static void flush(struct buf *buf)
{
    (void)fwrite(buf->ptr, 1, buf->len, stdout);
    buf_reset(buf);
}

static enum err print_rows(const struct usage_output *output, const struct view *view)
{
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, LINE_BYTES_MAX);
    if (output->format == USAGE_CSV)
        rows_add_csv_heading(&buf, &view->book->plan.columns, view->book->plan.price != NULL);
    else if (output->format == USAGE_FOCUS)
        focus_add_heading(&buf);
    for (size_t i = 0; i < view->count && buf.failed == OK; i++) {
        if (output->format == USAGE_CSV)
            rows_add_csv(&buf, view->book, view->rows[i]);
        else if (output->format == USAGE_FOCUS)
            focus_add(&buf, view->book, view->rows[i], output->account);
        else
            rows_add_json(&buf, view->book, view->rows[i]);
        if (buf.len > FLUSH_BYTES)
            flush(&buf);
    }
    flush(&buf);
    return buf.failed;
}

/* Appends an instant of the calls, to the minute. */
static void add_minute(struct buf *buf, int64_t ms)
{
    size_t begin = buf->len;
    instant_add_rfc3339(buf, ms);
    if (buf->failed == OK)
        buf_cut(buf, begin + strlen("2026-11-22T10:00"));
    buf_add_text(buf, "Z");
}

static void add_title(struct buf *buf, const struct usage_output *output, const struct book *book)
{
    char count[SCREEN_COUNT_BYTES];
    buf_addf(buf, "%.*s: %s call%s", SLICE_ARG(output->topic), screen_count(book->counted, count),
             book->counted == 1 ? "" : "s");
    if (book->counted > 0) {
        buf_add_text(buf, ", ");
        add_minute(buf, book->first_ms);
        buf_add_text(buf, " to ");
        add_minute(buf, book->last_ms);
    }
    buf_add_text(buf, "\n\n");
}

static enum err print_table(struct usage_output *output, const struct view *view, size_t rows_max,
                            const char *before)
{
    struct buf buf OWNED_BY(buf_done);
    const struct table_look look = {
        .columns = screen_columns(&output->out),
        .rows_max = rows_max,
        .has_escapes = !output->out.is_plain,
    };
    buf_init(&buf, LINE_BYTES_MAX);
    buf_add_text(&buf, before);
    add_title(&buf, output, view->book);
    if (view->count > 0)
        table_add(&buf, view, &look);
    if (buf.failed == OK)
        flush(&buf);
    (void)fflush(stdout);
    return buf.failed;
}

enum err usage_print(struct usage_output *output, const struct book *book)
{
    struct view view;
    screen_clear(&output->err);
    enum err err =
        view_init(&view, book, output->format == USAGE_TABLE ? VIEW_BY_COST : VIEW_BY_KEY);
    if (err != OK)
        return err;
    err = output->format == USAGE_TABLE ? print_table(output, &view, 0, "")
                                        : print_rows(output, &view);
    view_done(&view);
    (void)fflush(stdout);
    usage_print_notices(output, book);
    return err;
}

/* The rows that a watched table may have; 0 = all. */
static size_t rows_of_window(const struct screen *screen)
{
    struct winsize window = {0};
    if (screen->is_plain || ioctl(fileno(screen->file), TIOCGWINSZ, &window) != 0)
        return 0;
    return window.ws_row > 2 * FRAME_ROWS ? window.ws_row - (size_t)FRAME_ROWS : FRAME_ROWS;
}

enum err usage_print_again(struct usage_output *output, const struct book *book)
{
    struct view view;
    screen_clear(&output->err);
    enum err err = view_init(&view, book, VIEW_BY_COST);
    if (err != OK)
        return err;
    err = print_table(output, &view, rows_of_window(&output->out),
                      output->out.is_plain ? "\n" : HOME_AND_CLEAR);
    view_done(&view);
    return err;
}
