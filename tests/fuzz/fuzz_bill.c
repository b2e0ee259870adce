/* Any bytes as AWS's Cost and Usage Report, whole and in pieces, and as a line of Bedrock's
 * invocation logs. */
#include <stdint.h>

#include "app/books/invocations.h"
#include "app/books/reconcile.h"
#include "base/check.h"
#include "base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads the report in pieces of this size; returns how many fields its rows have. */
static size_t read_rows(struct slice text, size_t step, struct reconcile *reconcile)
{
    static struct csv csv;
    size_t fields = 0;
    enum err err = OK;
    csv_init(&csv);
    for (size_t at = 0; at < text.len && csv.fault == NULL; at += step) {
        struct slice piece = slice_sub(text, at, step);
        while (csv_next(&csv, &piece)) {
            fields += csv.count;
            if (err == OK)
                err = reconcile_take_row(reconcile, &csv);
        }
    }
    if (csv.fault == NULL && csv_end(&csv))
        fields += csv.count;
    CHECK(err == OK || (err == ERR_FORMAT && reconcile->fault[0] != '\0'));
    csv_done(&csv);
    return fields;
}

static size_t read_bill(struct slice text, size_t step)
{
    struct reconcile reconcile;
    size_t count = 0;
    reconcile_init(&reconcile, INT64_MIN, INT64_MAX, 1);
    size_t fields = read_rows(text, step, &reconcile);
    const struct reconcile_line **lines = reconcile_lines(&reconcile, &count);
    CHECK(lines != NULL);
    for (size_t i = 0; i < count; i++)
        CHECK(reconcile_aws_tokens(lines[i]) >= 0);
    memory_free(lines);
    reconcile_done(&reconcile);
    return fields;
}

static void read_log(struct slice text)
{
    static struct invocations log;
    invocations_init(&log, 1);
    enum err err = invocations_take_line(&log, text);
    CHECK(err == OK || (err == ERR_FORMAT && log.why != NULL));
    invocations_end(&log);
    invocations_done(&log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size);
    bool has_bom = slice_starts(text, SLICE("\xef\xbb\xbf"));
    size_t fields = read_bill(text, SIZE_MAX / 2);
    if (!has_bom) /* a piece that ends within it is a text of its own */
        CHECK(read_bill(text, 7) == fields);
    read_log(text);
    CHECK(memory_live() == 0);
    return 0;
}
