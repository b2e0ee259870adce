/* Sums as a table for people. */
#include "unit/books_kit.h"

#include "app/books/table.h"
#include "base/utf8.h"

#define COST(amount) "{\"amount\":\"" amount "\",\"currency\":\"USD\"}"

static void draw(const struct book *book, const struct table_look *look, struct buf *ret_text)
{
    struct view view;
    buf_init(ret_text, 1 << 20);
    assert_int_equal(view_init(&view, book, VIEW_BY_COST), OK);
    table_add(ret_text, &view, look);
    view_done(&view);
}

static void make_book(struct book *book, const char *columns)
{
    kit_book(book, columns);
    kit_take(
        book,
        &(struct kit_record){
            .id = "01", .tenant = "globex", .input = 1234567, .output = 8, .cost = COST("2.5")});
    kit_take(book, &(struct kit_record){
                       .id = "02", .input = 1000, .output = 1000, .cost = COST("1234.0000005")});
}

static void rows_are_aligned_the_dearest_first_with_bars_and_a_total(void **state)
{
    (void)state;
    struct book book;
    struct buf text;
    make_book(&book, "tenant");
    draw(&book, &(struct table_look){.columns = 80}, &text);
    assert_buf(&text,
               "tenant  requests  calls      input  output      cost USD\n"
               "acme           1      1      1,000   1,000  1,234.000001  ######################\n"
               "globex         1      1  1,234,567       8      2.500000\n"
               "total          2      2  1,235,567   1,008  1,236.500001\n");
    buf_done(&text);
    book_done(&book);
}

/* The longest line, in code points. */
static size_t width_of(struct buf *text)
{
    size_t most = 0;
    struct slice rest = buf_slice(text);
    while (rest.len > 0) {
        size_t end = slice_find(rest, '\n'), width = utf8_count(slice_sub(rest, 0, end));
        most = width > most ? width : most;
        rest = slice_sub(rest, end + 1, SIZE_MAX);
    }
    return most;
}

static void a_table_is_as_wide_as_the_window_at_most(void **state)
{
    (void)state;
    struct book book;
    kit_book(&book, "tenant,model,hour,labels");
    kit_take(&book,
             &(struct kit_record){.tenant = "a-tenant-with-a-name-of-more-than-forty-characters-é",
                                  .labels = "{\"project\":\"translation of everything\"}",
                                  .input = 123456789,
                                  .output = 98765432,
                                  .cost = COST("12345.5")});
    for (size_t columns = 80; columns < 240; columns += 7) {
        struct buf text;
        draw(&book, &(struct table_look){.columns = columns}, &text);
        assert_in_range(width_of(&text), 60, columns);
        buf_done(&text);
    }
    book_done(&book);
}

static void texts_of_records_cannot_control_the_terminal(void **state)
{
    (void)state;
    struct book book;
    struct buf text;
    kit_book(&book, "tenant");
    kit_take(&book, &(struct kit_record){.tenant = "a\\u001b[2J\\u009bb"});
    draw(&book, &(struct table_look){.columns = 80}, &text);
    assert_null(strchr(buf_text(&text), '\033'));
    assert_null(strstr(buf_text(&text), "\xc2\x9b"));
    buf_done(&text);
    book_done(&book);
}

static void rows_over_the_window_are_one_row(void **state)
{
    (void)state;
    struct book book;
    struct buf text;
    make_book(&book, "tenant");
    kit_take(&book, &(struct kit_record){.id = "03", .tenant = "third", .input = 5});
    draw(&book, &(struct table_look){.columns = 80, .rows_max = 1}, &text);
    assert_non_null(strstr(buf_text(&text), "2 more"));
    assert_null(strstr(buf_text(&text), "globex"));
    buf_done(&text);
    book_done(&book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_aligned_the_dearest_first_with_bars_and_a_total),
        cmocka_unit_test(a_table_is_as_wide_as_the_window_at_most),
        cmocka_unit_test(texts_of_records_cannot_control_the_terminal),
        cmocka_unit_test(rows_over_the_window_are_one_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
