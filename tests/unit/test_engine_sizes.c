/* Answers that are too large for their topic: they cost few cuts, however many there are. */
#include "unit/engine_kit.h"

#include "engine/hold.h"

#define ANSWERS   200
#define SMALL_MAX 4000

static const char *large_answer(void)
{
    static char answer[8192], text[6000];
    memset(text, 'a', sizeof text - 1);
    (void)snprintf(answer, sizeof answer,
                   "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"text\":"
                   "\"%s\"}]}},\"stopReason\":\"end_turn\",\"usage\":{\"inputTokens\":7,"
                   "\"outputTokens\":3,\"totalTokens\":10}}",
                   text);
    return answer;
}

/* A broker that rejects each record over SMALL_MAX bytes, as far as it says so: `told` of them. A
 * transaction takes 20 ms. */
static bool judge_sizes(struct kit *kit, size_t told, bool do_sizes_decide)
{
    static struct batch_refusal refusals[2 * ANSWERS];
    struct batch_end end = {.id = kit->batch.id,
                            .outcome = BATCH_REFUSED,
                            .refusals = refusals,
                            .do_sizes_decide = do_sizes_decide,
                            .reason = SLICE("kit")};
    for (size_t i = 0; i < kit->batch.output_count && end.refusal_count < told; i++)
        if (kit->batch.outputs[i]->value.len > SMALL_MAX)
            refusals[end.refusal_count++] =
                (struct batch_refusal){.index = i, .err = ERR_TOO_LARGE, .is_sure = true};
    kit_time(kit, 20);
    if (end.refusal_count == 0) {
        kit_commit(kit);
        return false;
    }
    kit->has_batch = false;
    engine_batch_ended(kit->engine, &end);
    return true;
}

static struct kit *kit_with_answers(void)
{
    struct engine_config config = kit_config();
    config.max_in_flight = config.max_held = 2 * ANSWERS;
    config.batch_results_max = 500;
    config.batch_bytes_max = 16 << 20;
    return kit_started(&config);
}

static void answer_some(struct kit *kit, int64_t from)
{
    for (int64_t offset = from; offset < from + ANSWERS; offset++)
        kit_request(kit, 0, offset, NULL, "");
    kit_turn(kit);
    for (int64_t offset = from; offset < from + ANSWERS; offset++)
        kit_answer_with(kit, offset, 200, "content-type: application/json\r\n",
                        offset % 4 == 0 ? large_answer() : KIT_ANSWER);
}

/* Returns the number of aborts. */
static size_t settle_sizes(struct kit *kit, size_t told, bool do_sizes_decide)
{
    size_t aborts = 0;
    for (int i = 0; i < 20000 && held_count(kit->engine) > 0; i++) {
        kit_time(kit, 10);
        kit_turn(kit);
        aborts += kit->has_batch && judge_sizes(kit, told, do_sizes_decide);
    }
    assert_int_equal(held_count(kit->engine), 0);
    return aborts;
}

static void all_rejected_answers_are_replaced_after_one_abort(void **state)
{
    (void)state;
    struct kit *kit = kit_with_answers();
    answer_some(kit, 0);
    int64_t started_ms = kit->now_ms;
    assert_int_equal(settle_sizes(kit, SIZE_MAX, false), 1);
    assert_true(kit->now_ms - started_ms <= 1000);
    size_t errors = 0;
    for (size_t i = 0; i < kit->output_count; i++)
        errors += strstr(kit->outputs[i].value, "\"code\":\"response_too_large\"") != NULL;
    assert_int_equal(errors, ANSWERS / 4);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), ANSWERS);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), ANSWERS);
    assert_int_equal(kit->logged[LOG_OUTPUT_REFUSED], ANSWERS / 4);
    kit_free(kit);
}

static void a_size_that_its_topic_rejected_is_sent_no_more_for_minutes(void **state)
{
    (void)state;
    struct kit *kit = kit_with_answers();
    answer_some(kit, 0);
    assert_int_equal(settle_sizes(kit, 1, true), 1); /* one tells of all */
    answer_some(kit, ANSWERS);
    assert_int_equal(settle_sizes(kit, 1, true), 0);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 2 * ANSWERS);
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 2 * ANSWERS);
    assert_int_equal(kit->logged[LOG_OUTPUT_REFUSED], 2 * (ANSWERS / 4));
    kit_wait(kit, 300000); /* the operator may have raised the limit */
    kit_forget(kit->outputs, &kit->output_count);
    answer_some(kit, 2 * ANSWERS);
    assert_int_equal(settle_sizes(kit, 1, true), 1);
    kit_free(kit);
}

/* An answer of this many letters. */
static void answer_of(struct kit *kit, int64_t offset, int letters)
{
    char body[4096];
    (void)snprintf(body, sizeof body,
                   "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"text\":"
                   "\"%0*d\"}]}},\"stopReason\":\"end_turn\",\"usage\":{\"inputTokens\":7,"
                   "\"outputTokens\":3,\"totalTokens\":10}}",
                   letters, 0);
    kit_request(kit, 0, offset, NULL, "");
    kit_turn(kit);
    if (kit->has_batch) /* it says that the call runs */
        kit_commit(kit);
    kit_answer_with(kit, offset, 200, "content-type: application/json\r\n", body);
}

static void the_limit_of_a_topic_is_learned_from_its_first_rejection(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    answer_of(kit, 0, 3500);
    kit_wait(kit, 100);
    const struct batch_refusal refusal = {
        .index = 0, .err = ERR_TOO_LARGE, .is_sure = true, .bytes_max = 3000};
    struct batch_end end = {.id = kit->batch.id,
                            .outcome = BATCH_REFUSED,
                            .refusals = &refusal,
                            .refusal_count = 1,
                            .do_sizes_decide = true,
                            .reason = SLICE("kit")};
    assert_true(kit->has_batch && kit->batch.outputs[0]->kind == OUTPUT_RESPONSE);
    kit->has_batch = false;
    engine_batch_ended(kit->engine, &end);
    answer_of(kit, 1, 2500); /* with its other fields it is over the limit, and below the first */
    answer_of(kit, 2, 500);
    kit_settle(kit);
    assert_int_equal(kit->logged[LOG_OUTPUT_REFUSED], 2);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 3);
    size_t errors = 0;
    for (size_t i = 0; i < kit->output_count; i++)
        errors += strstr(kit->outputs[i].value, "\"code\":\"response_too_large\"") != NULL;
    assert_int_equal(errors, 2);
    kit_free(kit);
}

static void compressed_records_teach_no_size(void **state)
{
    (void)state;
    struct kit *kit = kit_with_answers();
    answer_some(kit, 0);
    assert_int_equal(settle_sizes(kit, 10, false), ANSWERS / 4 / 10);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_rejected_answers_are_replaced_after_one_abort),
        cmocka_unit_test(a_size_that_its_topic_rejected_is_sent_no_more_for_minutes),
        cmocka_unit_test(the_limit_of_a_topic_is_learned_from_its_first_rejection),
        cmocka_unit_test(compressed_records_teach_no_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
