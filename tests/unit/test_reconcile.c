/* The books beside AWS's own: its Cost and Usage Report, and Bedrock's invocation logs. */
#include "unit/books_kit.h"

#include "app/books/csv.h"
#include "app/books/invocations.h"
#include "app/books/reconcile.h"

/* ---- CSV ---- */

/* Reads a text in pieces of this size and writes its rows as `line:[a|b]`. */
static const char *read_csv(const char *text, size_t step, struct buf *ret_rows)
{
    struct csv csv;
    struct slice rest = slice_of_text(text);
    csv_init(&csv);
    buf_init(ret_rows, 65536);
    bool is_over = false;
    while (!is_over && csv.fault == NULL) {
        struct slice piece = slice_sub(rest, 0, step);
        rest = slice_sub(rest, step, SIZE_MAX);
        is_over = piece.len == 0;
        while (is_over ? csv_end(&csv) : csv_next(&csv, &piece)) {
            buf_addf(ret_rows, "%lld:[", (long long)csv.line);
            for (size_t i = 0; i < csv.count; i++)
                buf_addf(ret_rows, "%s%.*s", i > 0 ? "|" : "", SLICE_ARG(csv_field(&csv, i)));
            buf_addf(ret_rows, "]");
        }
    }
    const char *fault = csv.fault;
    csv_done(&csv);
    return fault;
}

static void fields_may_hold_commas_quotes_and_lines_and_pieces_may_end_anywhere(void **state)
{
    (void)state;
    static const char TEXT[] = "\xef\xbb\xbf"
                               "a,\"b,\"\"c\"\"\nd\",\r\n,\n\"\",x\"y";
    for (size_t step = 3; step < sizeof TEXT; step++) {
        struct buf rows;
        assert_null(read_csv(TEXT, step, &rows));
        assert_buf(&rows, "1:[a|b,\"c\"\nd|]3:[|]4:[|x\"y]");
        buf_done(&rows);
    }
}

static void broken_csv_has_a_fault(void **state)
{
    (void)state;
    struct buf rows;
    assert_string_equal(read_csv("a\n\"b", 99, &rows), "is cut within quotes");
    assert_buf(&rows, "1:[a]");
    buf_done(&rows);
    assert_string_equal(read_csv("\"a\"b\n", 99, &rows), "has bytes behind a closing quote");
    buf_done(&rows);
}

/* ---- usage types ---- */

static void usage_types_say_region_model_class_and_tier(void **state)
{
    (void)state;
    static const struct {
        const char *text, *region, *model, *tier;
        enum usage_class class;
        bool is_global;
    } CASES[] = {
        {"USE1-Claude4.6Sonnet-input-tokens", "us-east-1", "Claude4.6Sonnet", "default",
         CLASS_INPUT, false},
        {"USE1-Claude4.6Sonnet-cache-read-input-token-count-cross-region-global", "us-east-1",
         "Claude4.6Sonnet", "default", CLASS_CACHE_READ, true},
        {"EUC1-Claude4.6Sonnet-cache-write-1h-input-token-count-batch", "eu-central-1",
         "Claude4.6Sonnet", "batch", CLASS_CACHE_WRITE_1H, false},
        {"USW2-NovaLite-cache-write-input-token-count", "us-west-2", "NovaLite", "default",
         CLASS_CACHE_WRITE, false},
        {"USW2-gpt-oss-120b-mantle-output-tokens-flex", "us-west-2", "gpt-oss-120b", "flex",
         CLASS_OUTPUT, false},
        {"MP:USE1_OutputTokenCount-Units", "us-east-1", "", "default", CLASS_OUTPUT, false},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct usage_type type;
        assert_true(usage_type_read(slice_of_text(CASES[i].text), &type));
        assert_slice(type.region, CASES[i].region);
        assert_slice(type.model, CASES[i].model);
        assert_slice(type.tier, CASES[i].tier);
        assert_int_equal(type.class, CASES[i].class);
        assert_int_equal(type.is_global, CASES[i].is_global);
    }
    struct usage_type type;
    assert_false(usage_type_read(SLICE("USE1-BoxUsage:t3.micro"), &type));
    assert_false(usage_type_read(SLICE("USE1-DataTransfer-output-Bytes"), &type));
}

static void models_have_the_same_words_in_the_bill_and_in_the_api(void **state)
{
    (void)state;
    static const struct {
        const char *bill, *model;
    } CASES[] = {
        {"Claude4.6Sonnet", "us.anthropic.claude-sonnet-4-6-20260115-v1:0"},
        {"Claude3Sonnet", "anthropic.claude-3-sonnet-20240229-v1:0"},
        {"NovaLite", "amazon.nova-lite-v1:0"},
        {"Llama3-1-70B", "meta.llama3-1-70b-instruct-v1:0"},
        {"Claude 3.5 Haiku", "arn:aws:bedrock:us-east-1:1:inference-profile/"
                             "us.anthropic.claude-3-5-haiku-20241022-v1:0"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct buf bill, model;
        buf_init(&bill, 256);
        buf_init(&model, 256);
        usage_type_add_words(&bill, slice_of_text(CASES[i].bill));
        usage_type_add_model_words(&model, slice_of_text(CASES[i].model));
        assert_string_equal(buf_text(&bill), buf_text(&model));
        buf_done(&bill);
        buf_done(&model);
    }
}

/* ---- the report ---- */

#define HEADING                                                                                    \
    "lineItem/UsageStartDate,lineItem/LineItemType,lineItem/UsageType,lineItem/UsageAmount,"       \
    "pricing/unit,lineItem/UnblendedCost\n"

static enum err read_bill(struct reconcile *reconcile, const char *text)
{
    struct csv csv;
    struct slice rest = slice_of_text(text);
    enum err err = OK;
    csv_init(&csv);
    reconcile_init(reconcile, INT64_MIN, INT64_MAX, 1);
    while (err == OK && csv_next(&csv, &rest))
        err = reconcile_take_row(reconcile, &csv);
    csv_done(&csv);
    return err;
}

static const struct reconcile_line *line_at(const struct reconcile *reconcile, size_t i)
{
    size_t count = 0;
    const struct reconcile_line **lines = reconcile_lines(reconcile, &count);
    assert_non_null(lines);
    assert_true(i < count);
    const struct reconcile_line *line = lines[i];
    memory_free(lines);
    return line;
}

static void amounts_of_a_day_are_added_in_tokens(void **state)
{
    (void)state;
    struct reconcile reconcile;
    assert_int_equal(
        read_bill(&reconcile, HEADING
                  "2026-11-22T00:00:00Z,Usage,USE1-NovaLite-input-tokens,1.5,1K tokens,0.1\n"
                  "2026-11-22T05:00:00Z,Usage,USE1-NovaLite-input-tokens,0.0005,1K tokens,"
                  "2E-7\n"
                  "2026-11-22T06:00:00Z,Usage,USE1-NovaLite-input-tokens,0.0000010,1M tokens,"
                  "0\n"
                  "2026-11-22T00:00:00Z,Credit,USE1-NovaLite-input-tokens,-7,1K tokens,-1\n"
                  "2026-11-22T00:00:00Z,Usage,BoxUsage,5,Hrs,0.5\n"),
        OK);
    const struct reconcile_line *line = line_at(&reconcile, 0);
    assert_int_equal(reconcile.lines.count, 1);
    assert_int_equal(line->aws_tokens, 1501);
    assert_int_equal(line->aws_millionths, 500000);
    assert_int_equal(reconcile_aws_tokens(line), 1502);
    assert_int_equal(line->aws_cost.low, 100000200000);
    assert_int_equal(reconcile.other_rows, 2);
    reconcile_done(&reconcile);
}

static void both_versions_of_the_headings_are_known(void **state)
{
    (void)state;
    struct reconcile reconcile;
    assert_int_equal(read_bill(&reconcile,
                               "line_item_usage_start_date,line_item_usage_type,"
                               "line_item_usage_amount\n"
                               "2026-11-22 00:00:00.000,USE1-NovaLite-output-tokens,2\n"),
                     OK);
    assert_int_equal(line_at(&reconcile, 0)->aws_tokens, 2000);
    reconcile_done(&reconcile);
}

static void other_columns_cut_rows_and_odd_values_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *fault;
    } CASES[] = {
        {"a,b\n", "must have the column: 'lineItem/UsageStartDate'"},
        {"lineItem/UsageStartDate,lineItem/UsageType\n", "'lineItem/UsageAmount'"},
        {HEADING "2026-11-22,Usage\n", "has 2 fields, and the heading 6; is the file cut?"},
        {HEADING "22.11.2026,Usage,X-input-tokens,1,1K tokens,0\n", "is no day such as 2026-11-22"},
        {HEADING "2026-11-22,Usage,X-input-tokens,many,1K tokens,0\n",
         "UsageAmount is no amount of tokens: 'many'"},
        {HEADING "2026-11-22,Usage,X-input-tokens,1,1K tokens,-0.5\n", "is no cost: '-0.5'"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct reconcile reconcile;
        assert_int_equal(read_bill(&reconcile, CASES[i].text), ERR_FORMAT);
        assert_non_null(strstr(reconcile.fault, CASES[i].fault));
        reconcile_done(&reconcile);
    }
}

static void the_records_stand_beside_the_bill_by_model_and_class(void **state)
{
    (void)state;
    struct reconcile reconcile;
    struct book book;
    assert_int_equal(read_bill(&reconcile, HEADING
                               "2026-11-22T00:00:00Z,Usage,USE1-M-input-tokens,0.01,1K tokens,0\n"
                               "2026-11-22T00:00:00Z,Usage,USE1-Other-input-tokens,1,1K "
                               "tokens,0\n"),
                     OK);
    kit_book(&book, RECONCILE_COLUMNS);
    kit_take(&book, &(struct kit_record){.id = "01", .input = 10, .output = 3});
    assert_int_equal(reconcile_take_sums(&reconcile, book.tally.rows[0]), OK);
    assert_int_equal(reconcile.lines.count, 3);
    const struct reconcile_line *other = line_at(&reconcile, 0);
    const struct reconcile_line *input = line_at(&reconcile, 1), *output = line_at(&reconcile, 2);
    assert_null(other->model.ptr);
    assert_slice(other->usage_type, "USE1-Other-input-tokens");
    assert_slice(input->model, "m");
    assert_int_equal(input->tokens, 10);
    assert_int_equal(reconcile_aws_tokens(input), 10);
    assert_null(output->usage_type.ptr);
    assert_int_equal(output->tokens, 3);
    reconcile_done(&reconcile);
    book_done(&book);
    assert_int_equal(memory_live(), 0);
}

/* ---- the logs ---- */

#define LOGGED(id, input, output)                                                                  \
    "{\"timestamp\":\"2026-11-22T10:00:00Z\",\"requestId\":\"5c017cf0-d6fa-4f3b-aec4-"             \
    "0000000000" id "\",\"input\":{\"inputTokenCount\":" input                                     \
    ",\"inputBodyJson\":{\"a\":[1]}},\"output\":{"                                                 \
    "\"outputTokenCount\":" output "}}"
#define CALLED(id) ",\"bedrock_request_id\":\"5c017cf0-d6fa-4f3b-aec4-0000000000" id "\""

static enum err take_line(struct invocations *log, const char *line)
{
    return invocations_take_line(log, slice_of_text(line));
}

static void calls_are_compared_by_bedrocks_request_id(void **state)
{
    (void)state;
    static struct invocations log;
    struct book book;
    invocations_init(&log, 1);
    assert_int_equal(take_line(&log, LOGGED("01", "5", "7")), OK);
    assert_int_equal(take_line(&log, LOGGED("02", "5,\"cacheReadInputTokenCount\":4", "7")), OK);
    assert_int_equal(take_line(&log, LOGGED("03", "5", "7")), OK);
    assert_int_equal(take_line(&log, LOGGED("03", "5", "7")), OK);
    kit_book(&book, "tenant");
    book.plan.heard = invocations_hear;
    book.plan.hearer = &log;
    kit_take(&book,
             &(struct kit_record){.id = "01", .input = 5, .output = 7, .more = CALLED("01")});
    kit_take(&book,
             &(struct kit_record){.id = "02", .input = 8, .output = 7, .more = CALLED("02")});
    kit_take(&book, &(struct kit_record){.id = "03", .more = CALLED("04")});
    kit_take(&book, &(struct kit_record){.id = "04"});
    invocations_end(&log);
    assert_int_equal(log.equal, 1);
    assert_int_equal(log.without_id, 1);
    assert_int_equal(log.counts[SIDE_DIFFERS], 1);
    assert_int_equal(log.named[SIDE_DIFFERS][0].input, 9);
    assert_int_equal(log.named[SIDE_DIFFERS][0].book_input, 8);
    assert_int_equal(log.counts[SIDE_ONLY_LOG], 1);
    assert_int_equal(log.named[SIDE_ONLY_LOG][0].id.bytes[15], 3);
    assert_int_equal(log.counts[SIDE_ONLY_BOOK], 1);
    invocations_done(&log);
    book_done(&book);
    assert_int_equal(memory_live(), 0);
}

static void lines_that_are_no_log_say_why(void **state)
{
    (void)state;
    static struct invocations log;
    static const struct {
        const char *line, *why;
    } CASES[] = {
        {"{\"a\":1", "is no JSON object"},
        {"{\"a\":1}", "has no requestId"},
        {LOGGED("01", "\"5\"", "7"), "has a count of tokens that is none"},
        {"{\"requestId\":\"5c017cf0-d6fa-4f3b-aec4-000000000001\"}", "has no timestamp"},
    };
    invocations_init(&log, 1);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        assert_int_equal(take_line(&log, CASES[i].line), ERR_FORMAT);
        assert_non_null(strstr(log.why, CASES[i].why));
    }
    assert_int_equal(take_line(&log, "  "), OK);
    assert_int_equal(take_line(&log, "{\"requestId\":\"5c017cf0-d6fa-4f3b-aec4-000000000001\","
                                     "\"timestamp\":\"2026-11-22T10:00:00Z\",\"errorCode\":\"T\"}"),
                     OK);
    assert_int_equal(log.rejected, 1);
    invocations_done(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_may_hold_commas_quotes_and_lines_and_pieces_may_end_anywhere),
        cmocka_unit_test(broken_csv_has_a_fault),
        cmocka_unit_test(usage_types_say_region_model_class_and_tier),
        cmocka_unit_test(models_have_the_same_words_in_the_bill_and_in_the_api),
        cmocka_unit_test(amounts_of_a_day_are_added_in_tokens),
        cmocka_unit_test(both_versions_of_the_headings_are_known),
        cmocka_unit_test(other_columns_cut_rows_and_odd_values_are_named),
        cmocka_unit_test(the_records_stand_beside_the_bill_by_model_and_class),
        cmocka_unit_test(calls_are_compared_by_bedrocks_request_id),
        cmocka_unit_test(lines_that_are_no_log_say_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
