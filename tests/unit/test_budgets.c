/* Tenants with budgets in the engine: who is held, until when, and what counts. */
#include "unit/engine_kit.h"

#include "engine/budgets.h"
#include "engine/state.h"

#define ACME   ",\"max_tokens\":100,\"tenant\":\"acme\""
#define FREE   ",\"max_tokens\":100,\"tenant\":\"free\""
#define DAY_MS INT64_C(86400000)

static struct tenant_row rows[1];
static bool has_topic; /* of budgets */

static struct kit *kit_with(int64_t limit, bool rejects, bool is_caught_up)
{
    struct engine_config config = kit_config();
    rows[0] = (struct tenant_row){
        .name = SLICE("acme"),
        .budget = {.per = BUDGET_DAY, .limit = limit, .soft = limit / 2, .rejects = rejects},
    };
    config.tenants = (struct tenant_table){.rows = rows, .count = 1};
    if (!has_topic)
        config.output.budgets_topic = SLICE_NULL;
    struct kit *kit = kit_started(&config);
    engine_group_looked(kit->engine, &(struct group_look){.mine_busy = 1, .all_busy = 1});
    if (is_caught_up)
        engine_usage_caught_up(kit->engine);
    if (is_caught_up && has_topic) { /* the others know of it then */
        kit_turn(kit);
        engine_sums_read(kit->engine, slice_of_text(kit_reserved), false);
        kit_wait(kit, 600);
    }
    return kit;
}

/* Hands over the committed usage records from the n-th on, as the usage topic does. */
static size_t read_usage(struct kit *kit, size_t from)
{
    size_t count = kit_count(kit, OUTPUT_USAGE);
    for (size_t i = from; i < count; i++)
        engine_usage_read(kit->engine, 0, (int64_t)i,
                          slice_of_text(kit_output(kit, OUTPUT_USAGE, i)->value));
    return count;
}

static void requests_of_tenants_with_a_budget_wait_until_usage_is_read(void **state)
{
    (void)state;
    struct kit *kit = kit_with(1000000, false, false);
    kit_request(kit, 0, 0, NULL, ACME);
    kit_request(kit, 0, 1, NULL, FREE);
    kit_turn(kit);
    assert_int_equal(kit_calls_of(kit, 0), 0);
    assert_int_equal(kit_calls_of(kit, 1), 1);
    engine_usage_caught_up(kit->engine);
    kit_turn(kit);
    assert_int_equal(kit_calls_of(kit, 0), 1);
    kit_free(kit);
}

static void a_call_that_does_not_fit_is_held_and_others_go_on(void **state)
{
    (void)state;
    struct kit *kit = kit_with(150, false, true);
    kit_request(kit, 0, 0, NULL, ACME);
    kit_request(kit, 0, 1, NULL, ACME);
    kit_request(kit, 0, 2, NULL, FREE);
    kit_turn(kit);
    assert_int_equal(kit_calls_of(kit, 0), 1);
    assert_int_equal(kit_calls_of(kit, 1), 0);
    assert_int_equal(kit_calls_of(kit, 2), 1);
    kit_answer(kit, 0); /* it cost less than it might have */
    kit_turn(kit);
    assert_int_equal(kit_calls_of(kit, 1), 1);
    kit_free(kit);
}

static void what_the_group_has_spent_holds_requests_until_the_span_ends(void **state)
{
    (void)state;
    struct kit *kit = kit_with(150, false, true);
    for (int64_t i = 0; i < 40; i++)
        kit_request(kit, 0, i, NULL, ACME);
    size_t read = 0;
    for (int round = 0; round < 30; round++) {
        for (int64_t i = 0; i < 40; i++)
            for (size_t k = 0; k < kit->call_count; k++)
                if (kit->calls[k].is_open && kit->calls[k].offset == i)
                    kit_answer(kit, i);
        kit_settle(kit);
        read = read_usage(kit, read);
        kit_turn(kit);
    }
    size_t called = 0;
    for (int64_t i = 0; i < 40; i++)
        called += kit_calls_of(kit, i);
    assert_true(called >= 1 && called < 40);
    kit_wait(kit, DAY_MS);
    kit_wait(kit, 1100);
    size_t later = 0;
    for (int64_t i = 0; i < 40; i++)
        later += kit_calls_of(kit, i);
    assert_true(later > called);
    kit_free(kit);
}

static void a_budget_that_rejects_ends_requests_with_the_time_when_it_opens(void **state)
{
    (void)state;
    struct kit *kit = kit_with(20, true, true);
    kit_request(kit, 0, 0, NULL, ACME);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 0);
    const struct kit_text *response = kit_output(kit, OUTPUT_RESPONSE, 0);
    assert_says(response, "\"code\":\"budget_spent\"");
    assert_says(response, "the tenant's budget is spent until ");
    kit_free(kit);
}

static void what_waited_for_the_usage_is_held_with_a_log_line_or_rejected(void **state)
{
    (void)state;
    for (int rejects = 0; rejects < 2; rejects++) {
        struct kit *kit = kit_with(20, rejects == 1, false);
        kit_request(kit, 0, 0, NULL, ACME);
        kit_turn(kit);
        assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 0);
        engine_usage_caught_up(kit->engine);
        kit_settle(kit);
        assert_int_equal(kit->call_count, 0);
        assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), rejects);
        assert_int_equal(kit->logged[rejects ? LOG_BUDGET_REJECTS : LOG_BUDGET_HOLDS], 1);
        kit_free(kit);
    }
}

static void a_money_budget_rejects_what_has_no_price(void **state)
{
    (void)state;
    struct kit *kit = kit_with(1000000, false, true);
    rows[0].budget.is_money = true;
    kit_request(kit, 0, 0, NULL, ACME);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 0);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "has no price for m.1");
    kit_free(kit);
}

static void records_of_other_workers_count(void **state)
{
    (void)state;
    struct kit *kit = kit_with(150, false, true);
    kit_request(kit, 0, 0, NULL, ACME);
    kit_turn(kit);
    kit_answer(kit, 0);
    kit_settle(kit);
    struct kit_text record = *kit_output(kit, OUTPUT_USAGE, 0);
    char copy[4096];
    for (int i = 0; i < 20; i++) { /* the same call of twenty other workers */
        (void)snprintf(copy, sizeof copy, "%s", record.value);
        char *id = strstr(copy, "\"id\":\"") + 6;
        id[35] = (char)('0' + i % 10);
        id[34] = (char)('0' + i / 10);
        engine_usage_read(kit->engine, 0, i, slice_of_text(copy));
    }
    kit_request(kit, 0, 1, NULL, ACME);
    kit_turn(kit);
    assert_int_equal(kit_calls_of(kit, 1), 0);
    kit_free(kit);
}

static void foreign_and_damaged_records_are_passed_over(void **state)
{
    (void)state;
    struct kit *kit = kit_with(150, false, true);
    engine_usage_read(kit->engine, 0, 0, SLICE_NULL);
    engine_usage_read(kit->engine, 0, 1, SLICE("no JSON"));
    engine_usage_read(kit->engine, 0, 2, SLICE("{\"specversion\":\"1.0\",\"type\":\"other\"}"));
    kit_request(kit, 0, 0, NULL, ACME);
    kit_turn(kit);
    assert_int_equal(kit_calls_of(kit, 0), 1);
    kit_free(kit);
}

static void a_held_request_expires(void **state)
{
    (void)state;
    struct kit *kit = kit_with(20, false, true);
    kit_request(kit, 0, 0, NULL, ACME ",\"ttl_ms\":2000");
    kit_wait(kit, 3000);
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"expired\"");
    kit_free(kit);
}

static void a_refused_call_keeps_its_reservation_and_a_dropped_one_returns_it(void **state)
{
    (void)state;
    struct kit *kit = kit_with(150, false, true);
    kit_request(kit, 0, 0, NULL, ACME);
    kit_request(kit, 0, 1, NULL, ACME);
    kit_turn(kit);
    kit_throttle(kit, 0);
    kit_turn(kit);
    assert_int_equal(kit_calls_of(kit, 1), 0);
    engine_partition_lost(kit->engine, kit->tenures[0]);
    kit_turn(kit);
    kit_free(kit); /* all memory is free again */
}

/* ---- sums in the topic of budgets ---- */

static char sums_topic[64], sums_value[4096];

/* A worker that has seen a call of acme writes what it came to. */
static struct slice write_sums(void)
{
    has_topic = true;
    struct kit *kit = kit_with(150, false, true);
    kit_request(kit, 0, 0, NULL, ACME);
    kit_turn(kit);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit->chunk_count, 0);
    engine_usage_read(kit->engine, 0, 41, slice_of_text(kit_output(kit, OUTPUT_USAGE, 0)->value));
    kit_wait(kit, 6000);
    assert_int_equal(kit->chunk_count, 1);
    (void)snprintf(sums_topic, sizeof sums_topic, "%s", kit->chunks[0].topic);
    (void)snprintf(sums_value, sizeof sums_value, "%s", kit->chunks[0].value);
    engine_sums_read(kit->engine, slice_of_text(sums_value), false);
    kit_wait(kit, 120000); /* nothing is new */
    assert_int_equal(kit->chunk_count, 1);
    engine_usage_read(kit->engine, 0, 42, SLICE("no JSON"));
    kit_wait(kit, 5000);
    assert_int_equal(kit->chunk_count, 2);
    assert_says(&kit->chunks[1], "\"offset\":43");
    kit_free(kit);
    return slice_of_text(sums_value);
}

static void a_worker_writes_sums_when_usage_is_new_and_no_other_has(void **state)
{
    (void)state;
    (void)write_sums();
    assert_string_equal(sums_topic, "budgets");
    assert_non_null(strstr(sums_value, "\"topic\":\"usage\",\"partition\":0,\"offset\":42,"));
    assert_non_null(strstr(sums_value, "\"spent\":[{\"tenant\":\"acme\",\"since\":\""));
}

/* A limit within which a call of ACME fits where nothing is spent, and not beside the sums. */
static int64_t tight_limit(void)
{
    int64_t spent = 0, reserved = 0;
    struct kit *kit = kit_with(1000, false, true);
    kit_request(kit, 0, 0, NULL, ACME);
    kit_wait(kit, 6000);
    const char *at = strstr(kit_reserved, "\"tokens\":");
    assert_non_null(at);
    reserved = strtoll(at + 9, NULL, 10);
    spent = strtoll(strstr(sums_value, "\"tokens\":") + 9, NULL, 10);
    assert_true(spent > 1 && reserved > 100);
    kit_free(kit);
    return reserved + spent - 1;
}

static void a_start_counts_what_the_sums_say(void **state)
{
    (void)state;
    has_topic = true;
    struct slice sums = write_sums();
    struct kit *kit = kit_with(tight_limit(), false, false);
    engine_sums_read(kit->engine, sums, true);
    engine_usage_caught_up(kit->engine);
    kit_request(kit, 0, 0, NULL, ACME);
    kit_turn(kit);
    assert_int_equal(kit_calls_of(kit, 0), 0);
    kit_wait(kit, 20000); /* and has nothing to add to them */
    assert_int_equal(kit->chunk_count, 0);
    assert_int_equal(kit_calls_of(kit, 0), 0);
    kit_free(kit);
}

static void sums_of_others_and_of_other_budgets_count_nothing(void **state)
{
    (void)state;
    struct slice sums = write_sums();
    struct kit *kit = kit_with(tight_limit(), false, false);
    engine_sums_read(kit->engine, sums, false); /* it reads the usage itself */
    char *rules = strstr(sums_value, "\"rules\":\"") + 9;
    rules[3] = rules[3] == '0' ? '1' : '0';
    engine_sums_read(kit->engine, sums, true);
    engine_usage_caught_up(kit->engine);
    kit_request(kit, 0, 0, NULL, ACME);
    kit_wait(kit, 6000);
    assert_int_equal(kit_calls_of(kit, 0), 1);
    kit_free(kit);
}

/* ---- reservations of other workers ---- */

/* What another worker says that it has reserved of acme's budget. */
static void hear_peer(struct kit *kit, int tokens)
{
    char text[sizeof kit_reserved], *worker, *amount;
    memcpy(text, kit_reserved, sizeof text);
    worker = strstr(text, "\"worker\":\"");
    amount = strstr(text, "\"reserved\":[");
    assert_non_null(worker);
    assert_non_null(amount);
    worker[11 + 34] = worker[11 + 34] == '0' ? '1' : '0';
    (void)snprintf(amount, 200, "\"reserved\":[{\"tenant\":\"acme\",\"tokens\":%d}]}}", tokens);
    engine_sums_read(kit->engine, slice_of_text(text), false);
}

static void a_worker_tells_what_it_has_reserved_when_that_changes(void **state)
{
    (void)state;
    has_topic = true;
    struct kit *kit = kit_with(1000, false, true);
    kit_reserved_count = 0;
    kit_request(kit, 0, 0, NULL, ACME);
    kit_wait(kit, 2000);
    assert_int_equal(kit_reserved_count, 1);
    assert_non_null(strstr(kit_reserved, "\"reserved\":[{\"tenant\":\"acme\",\"tokens\":1"));
    engine_sums_read(kit->engine, slice_of_text(kit_reserved), false);
    kit_wait(kit, 5000);
    assert_int_equal(kit_reserved_count, 1);
    kit_wait(kit, 6000); /* the others must not forget it */
    assert_int_equal(kit_reserved_count, 2);
    engine_sums_read(kit->engine, slice_of_text(kit_reserved), false);
    kit_answer(kit, 0);
    kit_settle(kit);
    (void)read_usage(kit, 0);
    kit_wait(kit, 6000);
    assert_non_null(strstr(kit_reserved, "\"reserved\":[]"));
    kit_free(kit);
}

static void a_worker_begins_when_the_others_know_of_it(void **state)
{
    (void)state;
    has_topic = true;
    for (int is_heard = 0; is_heard < 2; is_heard++) {
        struct kit *kit = kit_with(1000, false, false);
        engine_usage_caught_up(kit->engine);
        kit_request(kit, 0, 0, NULL, ACME);
        kit_turn(kit);
        if (is_heard == 1)
            engine_sums_read(kit->engine, slice_of_text(kit_reserved), false);
        kit_wait(kit, 300); /* what they reserved without knowing may still be on its way */
        assert_int_equal(kit_calls_of(kit, 0), 0);
        kit_wait(kit, 2000);
        assert_int_equal(kit_calls_of(kit, 0), is_heard);
        kit_wait(kit, 5000); /* nobody hears it, perhaps because the topic is missing */
        assert_int_equal(kit_calls_of(kit, 0), 1);
        kit_free(kit);
    }
}

static void what_another_worker_has_reserved_holds_requests_until_it_is_gone(void **state)
{
    (void)state;
    has_topic = true;
    for (int is_dead = 0; is_dead < 2; is_dead++) {
        struct kit *kit = kit_with(400, false, true);
        kit_request(kit, 0, 0, NULL, ACME);
        kit_wait(kit, 1000);
        engine_sums_read(kit->engine, slice_of_text(kit_reserved), false);
        hear_peer(kit, 290);
        kit_request(kit, 0, 1, NULL, ACME);
        kit_wait(kit, 1000);
        assert_int_equal(kit_calls_of(kit, 1), 0);
        if (is_dead == 0)
            hear_peer(kit, 20);
        kit_wait(kit, is_dead == 0 ? 1000 : 20000);
        assert_int_equal(kit_calls_of(kit, 1), is_dead == 0);
        kit_wait(kit, 60000);
        assert_int_equal(kit_calls_of(kit, 1), 1);
        kit_free(kit);
    }
}

/* With two workers, half of the budget is this one's until the other knows what it has reserved. */
static void a_share_is_of_what_the_others_do_not_know_yet(void **state)
{
    (void)state;
    has_topic = true;
    for (int is_heard = 0; is_heard < 2; is_heard++) {
        struct kit *kit = kit_with(1000, false, true);
        engine_group_looked(kit->engine, &(struct group_look){.mine_busy = 1, .all_busy = 2});
        for (int64_t i = 0; i < 8; i++)
            kit_request(kit, 0, i, NULL, ACME);
        kit_wait(kit, 700);
        size_t first = kit->call_count;
        assert_in_range(first, 3, 6);
        if (is_heard == 1)
            engine_sums_read(kit->engine, slice_of_text(kit_reserved), false);
        kit_wait(kit, 4000);
        assert_true(is_heard == 1 ? kit->call_count > first : kit->call_count == first);
        assert_int_equal(kit->logged[LOG_BUDGET_HOLDS], 0);
        kit_free(kit);
    }
}

static void sums_are_of_rows_units_and_spans_and_not_of_limits(void **state)
{
    (void)state;
    struct tenant_row row = {.name = SLICE("acme"), .budget = {.per = BUDGET_DAY, .limit = 5}};
    const struct tenant_table table = {.rows = &row, .count = 1};
    uint64_t hash = tenant_budgets_hash(&table);
    row.budget.limit = 6;
    row.budget.soft = 3;
    row.budget.rejects = true;
    assert_true(tenant_budgets_hash(&table) == hash);
    row.budget.per = BUDGET_MONTH;
    assert_true(tenant_budgets_hash(&table) != hash);
    row.budget.per = BUDGET_DAY;
    row.budget.is_money = true;
    assert_true(tenant_budgets_hash(&table) != hash);
    row.budget.is_money = false;
    row.is_unlimited = true;
    assert_true(tenant_budgets_hash(&table) != hash);
    row.is_unlimited = false;
    row.name = SLICE("acme*");
    assert_true(tenant_budgets_hash(&table) != hash);
}

static void a_topic_says_whom_its_requests_bill_and_who_may(void **state)
{
    (void)state;
    static const struct slice topics[] = {{"requests", 8}}, others[] = {{"other.*", 7}};
    static struct tenant_row two[2];
    two[0] = (struct tenant_row){.name = SLICE("shop"), .topics = topics, .topic_count = 1};
    two[1] = (struct tenant_row){.name = SLICE("bank"), .topics = others, .topic_count = 1};
    struct engine_config config = kit_config();
    config.tenants = (struct tenant_table){.rows = two, .count = 2, .is_closed = true};
    struct kit *kit = kit_started(&config);
    kit_request(kit, 0, 0, NULL, "");
    kit_request(kit, 0, 1, NULL, ",\"tenant\":\"bank\"");
    kit_request(kit, 0, 2, NULL, ",\"tenant\":\"stranger\"");
    kit_turn(kit);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit->call_count, 1);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"tenant\":\"shop\"");
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 3);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 1), "do not let requests of the topic requests");
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_of_tenants_with_a_budget_wait_until_usage_is_read),
        cmocka_unit_test(a_call_that_does_not_fit_is_held_and_others_go_on),
        cmocka_unit_test(what_the_group_has_spent_holds_requests_until_the_span_ends),
        cmocka_unit_test(a_budget_that_rejects_ends_requests_with_the_time_when_it_opens),
        cmocka_unit_test(what_waited_for_the_usage_is_held_with_a_log_line_or_rejected),
        cmocka_unit_test(a_money_budget_rejects_what_has_no_price),
        cmocka_unit_test(records_of_other_workers_count),
        cmocka_unit_test(foreign_and_damaged_records_are_passed_over),
        cmocka_unit_test(a_held_request_expires),
        cmocka_unit_test(a_worker_writes_sums_when_usage_is_new_and_no_other_has),
        cmocka_unit_test(a_start_counts_what_the_sums_say),
        cmocka_unit_test(sums_of_others_and_of_other_budgets_count_nothing),
        cmocka_unit_test(a_worker_tells_what_it_has_reserved_when_that_changes),
        cmocka_unit_test(a_worker_begins_when_the_others_know_of_it),
        cmocka_unit_test(what_another_worker_has_reserved_holds_requests_until_it_is_gone),
        cmocka_unit_test(a_share_is_of_what_the_others_do_not_know_yet),
        cmocka_unit_test(sums_are_of_rows_units_and_spans_and_not_of_limits),
        cmocka_unit_test(a_topic_says_whom_its_requests_bill_and_who_may),
        cmocka_unit_test(a_refused_call_keeps_its_reservation_and_a_dropped_one_returns_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
