#include "app/demo/demo.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BAR_CELLS     24
#define LIVE_EACH_MS  100
#define PLAIN_EACH_MS 2000

static void end_live_line(struct demo_screen *screen)
{
    if (screen->is_line_live)
        (void)printf("\r\033[K");
    screen->is_line_live = false;
}

void demo_show_stage(struct demo_screen *screen, const char *stage, const char *format, ...)
{
    va_list args;
    end_live_line(screen);
    (void)printf("%s%-10s%s ", screen->is_terminal ? "\033[32m" : "", stage,
                 screen->is_terminal ? "\033[0m" : "");
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    (void)printf("\n");
    (void)fflush(stdout);
}

void demo_show_failure(struct demo_screen *screen, const char *stage, const char *words)
{
    end_live_line(screen);
    (void)fflush(stdout);
    (void)fprintf(stderr, "%s%-10s failed:%s %s\n", screen->is_terminal ? "\033[31m" : "", stage,
                  screen->is_terminal ? "\033[0m" : "", words);
}

static int64_t count_of(const struct demo_tally *tally, const char *cause)
{
    int64_t count = 0;
    for (size_t i = 0; i < tally->cause_count; i++) {
        if (strcmp(tally->causes[i].name, cause) == 0)
            count += tally->causes[i].count;
    }
    return count;
}

static void print_progress(const struct demo_tally *tally)
{
    int64_t throttled = count_of(tally, "ThrottlingException") + count_of(tally, "throttled");
    (void)printf("%zu of %zu answered, %lld calls throttled, %lld failed otherwise, %lld chunks, "
                 "%lld + %lld tokens",
                 tally->answered, tally->expected, (long long)throttled,
                 (long long)(tally->retries - throttled), (long long)tally->chunks,
                 (long long)tally->input_tokens, (long long)tally->output_tokens);
}

void demo_show_progress(struct demo_screen *screen, const struct demo_tally *tally, int64_t now_ms)
{
    int64_t each_ms = screen->is_terminal ? LIVE_EACH_MS : PLAIN_EACH_MS;
    bool is_done = tally->answered == tally->expected;
    bool is_news = screen->is_terminal || tally->answered != screen->last_answered;
    if ((now_ms - screen->last_ms < each_ms && !is_done) || !is_news)
        return;
    screen->last_ms = now_ms;
    screen->last_answered = tally->answered;
    if (screen->is_terminal) {
        size_t full = tally->answered * BAR_CELLS / tally->expected;
        (void)printf("\r\033[K%-10s [", "working");
        for (size_t i = 0; i < BAR_CELLS; i++)
            (void)fputs(i < full ? "#" : ".", stdout);
        (void)printf("] ");
        print_progress(tally);
        screen->is_line_live = true;
    } else {
        (void)printf("%-10s ", "working");
        print_progress(tally);
        (void)printf("\n");
    }
    (void)fflush(stdout);
}

/* A text with its further lines indented like the first. */
static void print_indented(const char *label, struct slice text)
{
    (void)printf("  %-8s ", label);
    for (size_t i = 0; i < text.len; i++) {
        (void)putchar(text.ptr[i]);
        if (text.ptr[i] == '\n')
            (void)printf("           ");
    }
    (void)putchar('\n');
}

static void show_conversation(const struct demo_screen *screen, size_t index,
                              const struct demo_heard *heard)
{
    const struct demo_conversation *conversation = demo_conversation(index);
    const char *bold = screen->is_terminal ? "\033[1m" : "",
               *plain = screen->is_terminal ? "\033[0m" : "";
    (void)printf("\n%s%zu. %s%s\n", bold, index + 1, conversation->title, plain);
    print_indented("system", slice_of_text(conversation->system));
    print_indented("human", slice_of_text(conversation->human));
    print_indented("answer", conversation->tokens != NULL ? buf_slice(&heard->tokens)
                                                          : buf_slice(&heard->text));
    (void)printf("           %s(%s, %lld tokens in, %lld out, %zu call%s, %lld ms)%s\n",
                 screen->is_terminal ? "\033[2m" : "", heard->model, (long long)heard->input_tokens,
                 (long long)heard->output_tokens, heard->calls, heard->calls == 1 ? "" : "s",
                 (long long)heard->duration_ms, plain);
}

static void show_models(const struct demo_tally *tally)
{
    int64_t calls = 0;
    (void)printf("\n%-44s %9s %7s %11s %11s\n", "Usage by model", "requests", "calls", "tokens in",
                 "tokens out");
    for (size_t i = 0; i < tally->model_count; i++) {
        const struct demo_model *row = &tally->models[i];
        calls += row->calls;
        (void)printf("  %-42s %9lld %7lld %11lld %11lld\n", row->name, (long long)row->requests,
                     (long long)row->calls, (long long)row->input_tokens,
                     (long long)row->output_tokens);
    }
    (void)printf("  %-42s %9zu %7lld %11lld %11lld\n", "all", tally->answered, (long long)calls,
                 (long long)tally->input_tokens, (long long)tally->output_tokens);
}

static void show_retries(const struct demo_tally *tally)
{
    (void)printf("\nRetried, without the clients noticing: %lld call%s\n",
                 (long long)tally->retries, tally->retries == 1 ? "" : "s");
    for (size_t i = 0; i < tally->cause_count; i++)
        (void)printf("  %-42s %9lld\n", tally->causes[i].name, (long long)tally->causes[i].count);
}

void demo_show_results(struct demo_screen *screen, const struct demo_tally *tally)
{
    end_live_line(screen);
    for (size_t i = 0; i < DEMO_CONVERSATIONS; i++)
        show_conversation(screen, i, &tally->heard[i]);
    show_models(tally);
    show_retries(tally);
    (void)printf("\n");
    (void)fflush(stdout);
}
