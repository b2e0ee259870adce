/* Usage records for the tests of the books. */
#ifndef UNIT_BOOKS_KIT_H
#define UNIT_BOOKS_KIT_H

#include "unit/unit.h"

#include <stdio.h>

#include "app/books/book.h"
#include "base/memory.h"

#define KIT_BYTES 4096

/* What a record of the kit says; the rest is the same in all. NULL = as the default. */
struct kit_record {
    const char *id;     /* the last two digits of the UUID's first part: "01" */
    const char *tenant; /* JSON string without its quotes */
    const char *labels; /* a JSON object */
    const char *time;   /* started_at */
    const char *cost;   /* the cost's JSON object; NULL = none */
    const char *more;   /* members of data, with a comma before */
    int64_t input, output;
    bool is_lost;
};

#define KIT_TIME "2026-11-22T10:00:00.000Z"

static inline const char *kit_or(const char *text, const char *otherwise)
{
    return text != NULL ? text : otherwise;
}

/* Writes a record as the worker does, into a buffer that the next call overwrites. */
static inline struct slice kit_value(const struct kit_record *record)
{
    static char text[KIT_BYTES];
    char started[80] = "", cost[512] = "";
    const char *time = kit_or(record->time, KIT_TIME);
    if (!record->is_lost)
        (void)snprintf(started, sizeof started, ",\"started_at\":\"%s\",\"duration_ms\":7", time);
    if (record->cost != NULL)
        (void)snprintf(cost, sizeof cost, ",\"cost\":%s", record->cost);
    int len = snprintf(
        text, sizeof text,
        "{\"specversion\":\"1.0\",\"id\":\"019aab1e-50%s-7000-8000-000000000001\",\"source\":"
        "\"/bedrock-worker/g\",\"type\":\"bedrock.chat.usage.v1\",\"subject\":\"t\",\"time\":"
        "\"%s\",\"datacontenttype\":\"application/json\",\"data\":{\"request_id\":\"r\",\"call\":"
        "\"c\",\"attempt\":1,\"final\":%s,\"estimated\":%s%s,\"tenant\":\"%s\",\"labels\":%s,"
        "\"model\":\"m\",\"model_requested\":\"m\",\"region\":\"us-east-1\",\"api\":\"converse\","
        "\"stream\":false%s,\"usage\":{\"input_tokens\":%lld,\"output_tokens\":%lld,"
        "\"total_tokens\":0,\"cache_read_tokens\":0,\"cache_write_tokens\":0,\"convention\":"
        "\"langchain\",\"raw\":{\"a\":[1,\"}\\\"\"]}}%s%s,\"source\":{\"topic\":\"t\"}}}",
        kit_or(record->id, "00"), time, record->is_lost ? "false" : "true",
        record->is_lost ? "true" : "false", record->is_lost ? ",\"reason\":\"worker_lost\"" : "",
        kit_or(record->tenant, "acme"), kit_or(record->labels, "{}"), started,
        (long long)record->input, (long long)record->output, cost, kit_or(record->more, ""));
    assert_true(len > 0 && (size_t)len < sizeof text);
    return slice_of(text, (size_t)len);
}

/* An empty book that sums by these columns. */
static inline void kit_book(struct book *book, const char *columns)
{
    char fault[COLUMNS_FAULT_BYTES];
    struct book_plan plan = {.since_ms = INT64_MIN, .until_ms = INT64_MAX, .seed = 1};
    assert_true(columns_add(&plan.columns, slice_of_text(columns), fault));
    book_init(book, &plan);
}

static inline void kit_take(struct book *book, const struct kit_record *record)
{
    const struct book_place place = {2, book->read, NULL};
    assert_int_equal(book_take(book, &place, kit_value(record), 0), OK);
}

#endif
