/* Which spans the engine makes of requests and transactions. */
#include "unit/engine_kit.h"

#include "telemetry/trace/spans.h"

static struct kit *traced(double ratio)
{
    struct engine_config config = kit_config();
    const struct spans_config spans = {.ratio = ratio, .resource = {.version = SLICE("1")}};
    config.spans = spans_new(&spans);
    assert_non_null(config.spans);
    return kit_started(&config);
}

static void end(struct kit *kit)
{
    struct spans *spans = kit->config.spans;
    int64_t live_before = kit->live_before;
    engine_free(kit->engine);
    kit->engine = NULL;
    spans_free(spans);
    assert_int_equal(memory_live(), live_before - 1); /* the queue was made before the kit */
    kit->live_before = memory_live();
    kit_free(kit);
}

/* Takes all spans, as a request to a collector. */
static void take(struct kit *kit, struct buf *ret_body)
{
    buf_init(ret_body, 1 << 20);
    (void)spans_take(kit->config.spans, ret_body);
}

static size_t count(const struct buf *body, const char *text)
{
    size_t found = 0;
    const char *at = body->ptr, *last = body->ptr + body->len;
    while (at != NULL && (at = memmem(at, (size_t)(last - at), text, strlen(text))) != NULL) {
        found++;
        at++;
    }
    return found;
}

static void an_answered_request_has_four_spans(void **state)
{
    (void)state;
    struct kit *kit = traced(1);
    struct buf body;
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_commit(kit);
    kit_answer(kit, 0);
    assert_int_equal(spans_waiting(kit->config.spans), 2); /* POST, chat */
    kit_settle(kit);
    assert_int_equal(spans_waiting(kit->config.spans), 4);
    take(kit, &body);
    assert_int_equal(count(&body, "process requests"), 1);
    assert_int_equal(count(&body, "committed"), 1);
    assert_int_equal(count(&body, "gen_ai.usage.output_tokens"), 1);
    assert_int_equal(count(&body, "messaging.batch.message_count"), 1);
    buf_done(&body);
    end(kit);
}

static void each_attempt_has_a_span_and_all_have_one_chat(void **state)
{
    (void)state;
    struct kit *kit = traced(1);
    struct buf body;
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_throttle(kit, 0);
    kit_wait(kit, 5000);
    kit_answer(kit, 0);
    take(kit, &body);
    assert_int_equal(count(&body, "url.full"), 2);
    assert_int_equal(count(&body, "http.request.resend_count"), 1);
    assert_int_equal(count(&body, "gen_ai.operation.name"), 1);
    buf_done(&body);
    end(kit);
}

static void a_lost_request_ends_its_spans_as_released(void **state)
{
    (void)state;
    struct kit *kit = traced(1);
    struct buf body;
    kit_request(kit, 0, 0, NULL, "");
    kit_request(kit, 0, 1, NULL, "");
    kit_turn(kit);
    kit_answer(kit, 0);
    engine_partition_lost(kit->engine, kit->tenures[0]);
    take(kit, &body);
    assert_int_equal(count(&body, "url.full"), 2);
    assert_int_equal(count(&body, "gen_ai.operation.name"), 2);
    assert_int_equal(count(&body, "process requests"), 2);
    assert_int_equal(count(&body, "released"), 2);
    buf_done(&body);
    end(kit);
}

static void a_rejected_request_has_no_chat(void **state)
{
    (void)state;
    struct kit *kit = traced(1);
    struct buf body;
    kit_record(kit, 0, 0, NULL, "{\"messages\":3}");
    kit_settle(kit);
    take(kit, &body);
    assert_int_equal(count(&body, "gen_ai.operation.name"), 0);
    assert_int_equal(count(&body, "process requests"), 1);
    assert_int_equal(count(&body, "error.type"), 1);
    buf_done(&body);
    end(kit);
}

static void an_unsampled_request_has_no_span(void **state)
{
    (void)state;
    struct kit *kit = traced(0);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_int_equal(spans_waiting(kit->config.spans), 0);
    end(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answered_request_has_four_spans),
        cmocka_unit_test(each_attempt_has_a_span_and_all_have_one_chat),
        cmocka_unit_test(a_lost_request_ends_its_spans_as_released),
        cmocka_unit_test(a_rejected_request_has_no_chat),
        cmocka_unit_test(an_unsampled_request_has_no_span),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
