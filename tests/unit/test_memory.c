#include "unit/unit.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/list.h"
#include "base/memory.h"
#include "unit/child.h"

static void memory_is_zeroed_and_counted(void **state)
{
    (void)state;
    int64_t live = memory_live();
    unsigned char *bytes = memory_new(1000);
    assert_non_null(bytes);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(bytes[i], 0);
    assert_int_equal(memory_live(), live + 1);
    bytes = memory_resize(bytes, 100000);
    assert_non_null(bytes);
    assert_int_equal(memory_live(), live + 1);
    memory_free(bytes);
    memory_free(NULL);
    assert_int_equal(memory_live(), live);
    void *fresh = memory_resize(NULL, 10);
    assert_int_equal(memory_live(), live + 1);
    memory_free(fresh);
    assert_int_equal(memory_live(), live);
}

static void allocations_fail_on_request(void **state)
{
    (void)state;
    int64_t live = memory_live();
    memory_fail_after(2);
    void *first = memory_new(1), *second = memory_resize(NULL, 1);
    void *third = memory_new(1), *fourth = memory_resize(first, 100);
    memory_fail_after(-1);
    assert_non_null(first);
    assert_non_null(second);
    assert_null(third);
    assert_null(fourth);
    assert_int_equal(memory_live(), live + 2);
    memory_free(first);
    memory_free(second);
    void *again = memory_new(1);
    assert_non_null(again);
    memory_free(again);
    assert_int_equal(memory_live(), live);
}

static void print_hooked(const char *fact, const char *file, int line)
{
    (void)file;
    if (line > 0 && write(STDERR_FILENO, fact, strlen(fact)) < 0)
        _exit(3);
    CHECK(line == 0);
}

static void break_a_fact(void)
{
    int two = 2;
    check_set_hook(print_hooked);
    CHECK(two == 2);
    CHECK(two + two == 5);
}

static void a_failed_check_names_itself_and_aborts(void **state)
{
    (void)state;
    char text[1000];
    int status = run_child(break_a_fact, text, sizeof text);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(text, "CHECK failed: two + two == 5 at "));
    assert_non_null(strstr(text, "test_memory.c:"));
    /* The hook ran once, although a check fails in it too. */
    const char *hooked = strstr(text, "\ntwo + two == 5");
    assert_non_null(hooked);
    assert_null(strstr(hooked + 1, "\ntwo + two == 5"));
    assert_non_null(strstr(text, "CHECK failed: line == 0"));
}

struct item {
    int number;
    struct link link;
};

static int first_number(struct link *head)
{
    struct link *link = list_first(head);
    return link == NULL ? -1 : LINK_OWNER(link, struct item, link)->number;
}

static void a_list_keeps_its_order(void **state)
{
    (void)state;
    struct link head, other;
    struct item items[4];
    link_init(&head);
    link_init(&other);
    assert_null(list_first(&head));
    for (int i = 0; i < 4; i++) {
        items[i].number = i;
        link_init(&items[i].link);
    }
    list_add_last(&head, &items[1].link);
    list_add_last(&head, &items[2].link);
    list_add_first(&head, &items[0].link);
    assert_int_equal(first_number(&head), 0);
    link_out(&items[0].link);
    link_out(&items[0].link);
    assert_true(link_alone(&items[0].link));
    assert_int_equal(first_number(&head), 1);
    list_add_last(&other, &items[3].link);
    list_move_all(&head, &other);
    assert_null(list_first(&head));
    int expected[] = {3, 1, 2};
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_int_equal(first_number(&other), expected[i]);
        link_out(list_first(&other));
    }
    assert_true(link_alone(&other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_counted),
        cmocka_unit_test(allocations_fail_on_request),
        cmocka_unit_test(a_failed_check_names_itself_and_aborts),
        cmocka_unit_test(a_list_keeps_its_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
