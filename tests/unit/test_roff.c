#include "unit/unit.h"

#include "base/roff.h"

#define ASSERT_PAGE(call, text)                                                                    \
    do {                                                                                           \
        struct buf page OWNED_BY(buf_done);                                                        \
        buf_init(&page, 4096);                                                                     \
        call;                                                                                      \
        assert_buf(&page, text);                                                                   \
    } while (0)

static void test_text_is_neither_a_request_nor_an_escape(void **state)
{
    (void)state;
    ASSERT_PAGE(roff_add_text(&page, SLICE(".so /etc/passwd")), "\\&.so /etc/passwd\n");
    ASSERT_PAGE(roff_add_text(&page, SLICE("'br\na\\fBc -x ~^")),
                "\\(aqbr\na\\efBc \\-x \\(ti\\(ha\n");
    ASSERT_PAGE(roff_add_heading(&page, "a\"b", false), ".SH \"a\\(dqb\"\n");
    ASSERT_PAGE(roff_add_code(&page, SLICE("echo `x`\n.x\n")),
                ".EX\necho \\(gax\\(ga\n\\&.x\n.EE\n");
}

static void test_code_in_a_text_is_bold_up_to_its_end(void **state)
{
    (void)state;
    ASSERT_PAGE(roff_add_text(&page, SLICE("a `b-c` d")), "a \\fBb\\-c\\fR d\n");
    ASSERT_PAGE(roff_add_text(&page, SLICE("a `b\nc")), "a \\fBb\\fR\nc\n");
}

static void test_paragraphs_have_a_space_between_them_and_indented_lines_stay(void **state)
{
    (void)state;
    ASSERT_PAGE(roff_add_text(&page, SLICE("a\n\n  b\n  c\n\nd")),
                "a\n.sp\n.nf\n  b\n  c\n.sp\n.fi\nd\n");
    ASSERT_PAGE(roff_add_text(&page, SLICE(" b")), ".nf\n b\n.fi\n");
    ASSERT_PAGE(roff_add_text(&page, SLICE_NULL), "");
}

static void test_an_item_names_its_value(void **state)
{
    (void)state;
    ASSERT_PAGE(roff_add_item(&page, "-c, --config", "FILE"),
                ".TP\n\\fB\\-c, \\-\\-config\\fR \\fIFILE\\fR\n");
    ASSERT_PAGE(roff_add_item(&page, ".x", NULL), ".TP\n\\fB\\&.x\\fR\n");
    ASSERT_PAGE(roff_add_title(&page, "A-B", 1, "s 1"), ".TH \"A\\-B\" 1 \"\" \"s 1\"\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_neither_a_request_nor_an_escape),
        cmocka_unit_test(test_code_in_a_text_is_bold_up_to_its_end),
        cmocka_unit_test(test_paragraphs_have_a_space_between_them_and_indented_lines_stay),
        cmocka_unit_test(test_an_item_names_its_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
