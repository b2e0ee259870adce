/* What a failed CHECK says of the objects in hand. */
#include "unit/engine_kit.h"

#include "base/check.h"
#include "engine/current.h"
#include "engine/job_pool.h"
#include "engine/slots.h"
#include "unit/child.h"

#define TEXT_MAX 4000

/* A request that is called, with its answer's head, then a move that no job may make. */
static void break_a_call(void)
{
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, "secret-key", "");
    kit_turn(kit);
    kit_time(kit, 10);
    const struct kit_call *open = &kit->calls[0];
    engine_call_head(kit->engine, open->ref, 200, SLICE("HTTP/1.1 200 OK\r\n\r\n"));
    struct job *job = kit->engine->calls.all[open->ref.index].job;
    (void)slot_find(kit->engine, kit->tenures[0]);
    job_go(kit->engine, job, JOB_BATCHED);
}

static void assert_said(const char *text, const char *line)
{
    if (strstr(text, line) == NULL)
        fail_msg("\"%s\" is not in\n%s", line, text);
}

static void a_failed_check_names_the_objects_in_hand(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    int status = run_child(break_a_call, text, sizeof text);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_said(text, "CHECK failed: STEPS[next].from & (1U << job->step) at ");
    assert_said(text, "\n  partition: slot 0, epoch ");
    assert_said(text, ", ACTIVE, verified, committed 0, next 1, open 1, held 1, calling 1, "
                      "results 0, of these in the batch 0\n");
    assert_said(text, "\n  job: index 0, CALLING, offset 0, calls 1, leads its lane, has a call, "
                      "error none\n");
    assert_said(text, "\n  call: index 0, generation ");
    assert_said(text, ", job 0, status 200, chunks 0\n");
    assert_said(text, "\n  batch: id 1, OPEN, outputs 0, partitions 1\n");
}

static void a_failed_check_prints_no_data(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    (void)run_child(break_a_call, text, sizeof text);
    assert_said(text, "\n  job: ");
    assert_null(strstr(text, "secret-key"));
    assert_null(strstr(text, "[[")); /* the text of the request */
}

static void break_without_an_engine(void)
{
    struct kit *kit = kit_started(NULL);
    kit_free(kit);
    CHECK(kit == NULL);
}

static void an_engine_that_is_freed_is_in_no_hand(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    (void)run_child(break_without_an_engine, text, sizeof text);
    assert_said(text, "CHECK failed: kit == NULL at ");
    assert_null(strstr(text, "\n  "));
}

static void a_partition_that_is_freed_is_in_no_hand(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    assert_non_null(slot_find(kit->engine, kit->tenures[0]));
    assert_non_null(current_objects()->partition);
    engine_partition_lost(kit->engine, kit->tenures[0]);
    assert_null(current_objects()->partition);
    kit_free(kit);
}

static void say_numbers(void)
{
    check_print_number(INT64_MIN);
    check_print(" ");
    check_print_number(0);
    check_print(" ");
    check_print_number(INT64_MAX);
}

static void every_number_is_said(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    assert_int_equal(run_child(say_numbers, text, sizeof text), 0);
    assert_string_equal(text, "-9223372036854775808 0 9223372036854775807");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_check_names_the_objects_in_hand),
        cmocka_unit_test(a_failed_check_prints_no_data),
        cmocka_unit_test(an_engine_that_is_freed_is_in_no_hand),
        cmocka_unit_test(a_partition_that_is_freed_is_in_no_hand),
        cmocka_unit_test(every_number_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
