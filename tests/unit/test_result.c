/* Results: their states, how each is counted, and what happens to one whose partition is lost. */
#include "unit/engine_kit.h"

#include "engine/result.h"

#define BYTES 100

static void add_output(struct kit *kit, struct result *result)
{
    struct output *output = memory_new(sizeof *output);
    assert_non_null(output);
    output->kind = OUTPUT_USAGE;
    output->held_bytes = BYTES;
    result_add(kit->engine, result, output);
}

static struct result *submit(struct kit *kit, struct partition *partition)
{
    struct result *result = result_new();
    add_output(kit, result);
    result_submit(kit->engine, result, partition, 7);
    return result;
}

static void assert_counts(const struct kit *kit, uint32_t queued, uint32_t batched,
                          const struct partition *partition)
{
    assert_int_equal(results_queued(kit->engine), queued);
    assert_int_equal(results_batched(kit->engine), batched);
    assert_int_equal(results_bytes(kit->engine), (queued + batched) * BYTES);
    assert_int_equal(partition->results, queued + batched);
    assert_int_equal(partition->batch_results, batched);
}

static void a_result_is_counted_in_the_state_it_is_in(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    struct partition partition = {0};
    struct result *result = submit(kit, &partition);
    assert_counts(kit, 1, 0, &partition);
    result_batch(kit->engine, result);
    assert_counts(kit, 0, 1, &partition);
    result_return(kit->engine, result);
    assert_counts(kit, 1, 0, &partition);
    result_free(kit->engine, result);
    assert_counts(kit, 0, 0, &partition);
    kit_free(kit);
}

static void an_open_result_counts_only_by_its_bytes(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    struct result *result = result_new();
    add_output(kit, result);
    add_output(kit, result);
    assert_int_equal(results_bytes(kit->engine), 2 * BYTES);
    assert_int_equal(results_queued(kit->engine), 0);
    assert_true(result_has(result, OUTPUT_USAGE));
    assert_false(result_has(result, OUTPUT_LETTER));
    result_drop(kit->engine, result, LINK_OWNER(result->outputs.next, struct output, link));
    assert_int_equal(results_bytes(kit->engine), BYTES);
    result_free(kit->engine, result);
    assert_int_equal(results_bytes(kit->engine), 0);
    kit_free(kit);
}

static void an_aborted_batch_keeps_the_order_of_its_results(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    struct partition partition = {0};
    struct result *results[] = {submit(kit, &partition), submit(kit, &partition),
                                submit(kit, &partition)};
    result_batch(kit->engine, results[0]);
    result_batch(kit->engine, results[1]);
    for (struct result *last; (last = result_last(kit->engine, RESULT_BATCHED)) != NULL;)
        result_return(kit->engine, last);
    struct result *at = result_first(kit->engine, RESULT_QUEUED);
    for (size_t i = 0; i < COUNT_OF(results); i++) {
        assert_ptr_equal(at, results[i]);
        at = result_next(kit->engine, at);
    }
    assert_null(at);
    results_free(kit->engine);
    assert_counts(kit, 0, 0, &partition);
    kit_free(kit);
}

static void usage_outlives_its_partition_unlike_a_dead_owners_call(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    struct partition gone = {0}, other = {0};
    struct result *usage = submit(kit, &gone);
    submit(kit, &gone)->is_dead_owners = true;
    struct result *others = submit(kit, &other);
    results_orphan(kit->engine, &gone);
    assert_int_equal(gone.results, 0);
    assert_int_equal(other.results, 1);
    assert_int_equal(results_queued(kit->engine), 2);
    assert_null(usage->partition);
    assert_ptr_equal(others->partition, &other);
    results_free(kit->engine);
    kit_free(kit);
}

static void only_results_of_jobs_are_answers(void **state)
{
    (void)state;
    struct kit *kit = kit_new(NULL);
    struct partition partition = {0};
    struct result of_a_job;
    result_init(&of_a_job, &kit->engine->jobs.all[0]);
    result_submit(kit->engine, &of_a_job, &partition, 3);
    result_batch(kit->engine, &of_a_job);
    result_batch(kit->engine, submit(kit, &partition));
    assert_int_equal(results_batched(kit->engine), 2);
    assert_int_equal(results_batched_answers(kit->engine), 1);
    results_free(kit->engine);
    assert_int_equal(results_batched_answers(kit->engine), 0);
    assert_int_equal(of_a_job.place, RESULT_OPEN); /* its job makes it again, or frees it */
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_is_counted_in_the_state_it_is_in),
        cmocka_unit_test(an_open_result_counts_only_by_its_bytes),
        cmocka_unit_test(an_aborted_batch_keeps_the_order_of_its_results),
        cmocka_unit_test(usage_outlives_its_partition_unlike_a_dead_owners_call),
        cmocka_unit_test(only_results_of_jobs_are_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
