/* Prints the progress and the results of the demo. */
#include "app/demo/demo.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define BAR_CELLS_MAX   20
#define BAR_CELLS_MIN   8
#define LIVE_EACH_MS    100
#define PLAIN_EACH_MS   2000
#define LINE_BYTES_MAX  ((size_t)4096)
#define NUMBERS_COLUMNS 39 /* of the numbers in a model's row */

void demo_screen_init(struct demo_screen *screen)
{
    *screen = (struct demo_screen){.last_answered = 0};
    screen_init(&screen->out, stdout, DEMO_LABEL_COLUMNS);
    screen_init(&screen->err, stderr, DEMO_LABEL_COLUMNS);
}

/* ---- progress ---- */

static void add_counts(const struct demo_tally *tally, struct buf *line)
{
    char answered[SCREEN_COUNT_BYTES], expected[SCREEN_COUNT_BYTES];
    char retries[SCREEN_COUNT_BYTES], tokens[SCREEN_COUNT_BYTES];
    buf_addf(line, "%s of %s answered, %s call%s retried, %s tokens",
             screen_count((int64_t)tally->answered, answered),
             screen_count((int64_t)tally->expected, expected),
             screen_count(tally->retries, retries), tally->retries == 1 ? "" : "s",
             screen_count(tally->input_tokens + tally->output_tokens, tokens));
}

/* Adds a bar that fills the rest of the line, if there is room for one. */
static void add_bar(const struct demo_tally *tally, size_t room, struct buf *line)
{
    size_t cells = room < BAR_CELLS_MAX ? room : BAR_CELLS_MAX;
    if (cells < BAR_CELLS_MIN)
        return;
    size_t full = tally->answered * cells / tally->expected;
    buf_add_byte(line, '[');
    for (size_t i = 0; i < cells; i++)
        buf_add_byte(line, i < full ? '#' : '.');
    buf_add_text(line, "] ");
}

static void show_live(struct demo_screen *screen, const struct demo_tally *tally)
{
    static const char BRACKETS[] = "[] ";
    struct buf counts OWNED_BY(buf_done), line OWNED_BY(buf_done);
    buf_init(&counts, LINE_BYTES_MAX);
    buf_init(&line, LINE_BYTES_MAX);
    add_counts(tally, &counts);
    size_t room = screen_line_columns(&screen->out);
    size_t taken = DEMO_LABEL_COLUMNS + counts.len + strlen(BRACKETS);
    buf_addf(&line, "%-*s", DEMO_LABEL_COLUMNS, "working");
    add_bar(tally, room > taken ? room - taken : 0, &line);
    buf_add(&line, buf_slice(&counts));
    screen_show(&screen->out, buf_slice(&line));
}

static void print_counts(struct demo_screen *screen, const struct demo_tally *tally)
{
    struct buf counts OWNED_BY(buf_done);
    buf_init(&counts, LINE_BYTES_MAX);
    add_counts(tally, &counts);
    screen_print(&screen->out, "working", STYLE_PLAIN, buf_slice(&counts));
}

void demo_show_progress(struct demo_screen *screen, const struct demo_tally *tally, int64_t now_ms)
{
    bool is_live = !screen->out.is_plain;
    bool is_due = now_ms - screen->last_ms >= (is_live ? LIVE_EACH_MS : PLAIN_EACH_MS) ||
                  tally->answered == tally->expected;
    if (!is_due || (!is_live && tally->answered == screen->last_answered))
        return;
    screen->last_ms = now_ms;
    screen->last_answered = tally->answered;
    if (is_live)
        show_live(screen, tally);
    else
        print_counts(screen, tally);
}

/* ---- results ---- */

static void show_conversation(struct demo_screen *screen, size_t index,
                              const struct demo_found *found)
{
    const struct demo_conversation *conversation = demo_conversation(index);
    struct screen *out = &screen->out;
    struct slice answer =
        conversation->tokens != NULL ? buf_slice(&found->tokens) : buf_slice(&found->text);
    screen_print_line(out, SLICE(""));
    screen_print_heading(out, "%zu. %s", index + 1, conversation->title);
    if (conversation->system != NULL)
        screen_print(out, "  system", STYLE_PLAIN, slice_of_text(conversation->system));
    screen_print(out, "  human", STYLE_PLAIN, slice_of_text(conversation->human));
    if (conversation->beside != NULL)
        screen_print(out, conversation->label, STYLE_PLAIN, slice_of_text(conversation->beside));
    screen_print(out, "  answer", STYLE_PLAIN, answer);
    screen_printf(out, "  model", STYLE_PLAIN, "%s, %zu call%s, %lld ms", found->model,
                  found->calls, found->calls == 1 ? "" : "s", (long long)found->duration_ms);
    screen_printf(out, "  tokens", STYLE_PLAIN, "%lld in, %lld out", (long long)found->input_tokens,
                  (long long)found->output_tokens);
}

/* Adds a number, right-aligned in `columns`. */
static void add_right(struct buf *line, int64_t number, size_t columns)
{
    char text[SCREEN_COUNT_BYTES];
    buf_addf(line, "%*s", (int)columns, screen_count(number, text));
}

static void show_model(struct screen *out, size_t name_columns, const struct demo_model *row)
{
    struct buf line OWNED_BY(buf_done);
    buf_init(&line, LINE_BYTES_MAX);
    buf_addf(&line, "  %-*s", (int)name_columns, row->name);
    if (2 + name_columns + NUMBERS_COLUMNS > screen_columns(out)) {
        screen_print_line(out, buf_slice(&line));
        buf_reset(&line);
    }
    add_right(&line, row->requests, 9);
    add_right(&line, row->calls, 7);
    add_right(&line, row->input_tokens, 11);
    add_right(&line, row->output_tokens, 12);
    screen_print_line(out, buf_slice(&line));
}

static void show_models(struct screen *out, const struct demo_tally *tally)
{
    static const char HEADING[] = "Usage by model";
    struct demo_model all = {
        .name = "all",
        .requests = (int64_t)tally->answered,
        .input_tokens = tally->input_tokens,
        .output_tokens = tally->output_tokens,
    };
    size_t name_columns = sizeof HEADING - 1;
    for (size_t i = 0; i < tally->model_count; i++) {
        size_t columns = utf8_count(slice_of_text(tally->models[i].name));
        name_columns = columns > name_columns ? columns : name_columns;
        all.calls += tally->models[i].calls;
    }
    bool is_narrow = 2 + name_columns + NUMBERS_COLUMNS > screen_columns(out);
    screen_print_line(out, SLICE(""));
    screen_print_heading(out, "%-*s%s%9s%7s%11s%12s", is_narrow ? 0 : (int)name_columns + 2,
                         HEADING, is_narrow ? "\n" : "", "requests", "calls", "tokens in",
                         "tokens out");
    for (size_t i = 0; i < tally->model_count; i++)
        show_model(out, name_columns, &tally->models[i]);
    show_model(out, name_columns, &all);
}

static void show_retries(struct screen *out, const struct demo_tally *tally)
{
    char retries[SCREEN_COUNT_BYTES];
    screen_print_line(out, SLICE(""));
    screen_print_heading(out, "Calls that failed, and that the worker retried: %s",
                         screen_count(tally->retries, retries));
    for (size_t i = 0; i < tally->cause_count; i++) {
        struct buf line OWNED_BY(buf_done);
        buf_init(&line, LINE_BYTES_MAX);
        buf_addf(&line, "  %-30s", tally->causes[i].name);
        add_right(&line, tally->causes[i].count, 7);
        screen_print_line(out, buf_slice(&line));
    }
    screen_print_line(out, SLICE(""));
}

void demo_show_results(struct demo_screen *screen, const struct demo_tally *tally)
{
    for (size_t i = 0; i < DEMO_CONVERSATIONS; i++)
        show_conversation(screen, i, &tally->conversations[i]);
    show_models(&screen->out, tally);
    show_retries(&screen->out, tally);
}
