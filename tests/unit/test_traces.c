/* Contexts of traces, written spans, and their queue. What the bytes say is read by an independent
 * decoder in tests/cli/test_traces.py. */
#include "unit/unit.h"

#include "base/memory.h"
#include "telemetry/trace/spans.h"

#define PARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static void a_traceparent_is_read_and_written(void **state)
{
    (void)state;
    struct span_context context;
    char text[TRACEPARENT_LEN];
    assert_true(span_context_read(SLICE(PARENT), &context));
    assert_true(context.is_sampled);
    span_context_write(&context, text);
    assert_slice(slice_of(text, sizeof text), PARENT);
    /* a later version may have more behind it */
    assert_true(span_context_read(
        SLICE("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-more"), &context));
    assert_false(context.is_sampled);
}

static void what_is_no_traceparent_is_not_continued(void **state)
{
    (void)state;
    static const char *const WRONG[] = {
        "",
        "00-1-2-03",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
    };
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        struct span_context context;
        assert_false(span_context_read(slice_of_text(WRONG[i]), &context));
    }
}

static struct spans *new_spans(void)
{
    struct spans_config config = {.ratio = 1, .resource = {.version = SLICE("1")}};
    struct spans *spans = spans_new(&config);
    assert_non_null(spans);
    return spans;
}

static void add_span(struct spans *spans, struct slice name)
{
    struct span span = {.name = name, .kind = SPAN_CLIENT, .start_wall_ms = 1, .end_wall_ms = 2};
    span_add_text(&span, "text", SLICE("\xff\0a"));
    span_add_list(&span, "list", SLICE("one"));
    span_add_number(&span, "number", -1);
    spans_add(spans, &span);
}

static void a_full_queue_drops_and_counts(void **state)
{
    (void)state;
    int64_t live = memory_live();
    struct spans *spans = new_spans();
    for (size_t i = 0; i < SPANS_MAX + 3; i++)
        add_span(spans, SLICE("name"));
    assert_int_equal(spans_waiting(spans), SPANS_MAX);
    assert_int_equal(spans_count(spans, SPANS_DROPPED), 3);
    spans_free(spans);
    assert_int_equal(memory_live(), live);
}

static void a_batch_takes_the_oldest_spans(void **state)
{
    (void)state;
    struct spans *spans = new_spans();
    struct buf body OWNED_BY(buf_done);
    buf_init(&body, 1 << 20);
    add_span(spans, SLICE("the-first"));
    for (size_t i = 0; i < SPANS_BATCH_MAX; i++)
        add_span(spans, SLICE("another"));
    assert_int_equal(spans_take(spans, &body), SPANS_BATCH_MAX);
    assert_non_null(memmem(body.ptr, body.len, "the-first", 9));
    assert_int_equal(spans_waiting(spans), 1);
    buf_reset(&body);
    assert_int_equal(spans_take(spans, &body), 1);
    assert_int_equal(spans_take(spans, &body), 0);
    spans_free(spans);
}

/* Without memory a span is dropped, and nothing leaks. */
static void no_memory_drops_spans(void **state)
{
    (void)state;
    int64_t live = memory_live();
    for (int64_t count = 0; count < 4; count++) {
        struct spans *spans = new_spans();
        memory_fail_after(count);
        add_span(spans, SLICE("name"));
        memory_fail_after(-1);
        assert_int_equal(spans_waiting(spans) + spans_count(spans, SPANS_DROPPED), 1);
        spans_free(spans);
    }
    assert_int_equal(memory_live(), live);
}

static void only_a_readable_answer_rejects_spans(void **state)
{
    (void)state;
    assert_int_equal(otlp_rejected(SLICE(""), 5), 0);
    assert_int_equal(otlp_rejected(SLICE("<html>"), 5), 0);
    assert_int_equal(otlp_rejected(SLICE("\x0a\x02\x08\x03"), 5), 3);
    assert_int_equal(otlp_rejected(SLICE("\x0a\x02\x08\x7f"), 5), 5);
    assert_int_equal(
        otlp_rejected(SLICE("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), 5), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_traceparent_is_read_and_written),
        cmocka_unit_test(what_is_no_traceparent_is_not_continued),
        cmocka_unit_test(a_full_queue_drops_and_counts),
        cmocka_unit_test(a_batch_takes_the_oldest_spans),
        cmocka_unit_test(no_memory_drops_spans),
        cmocka_unit_test(only_a_readable_answer_rejects_spans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
