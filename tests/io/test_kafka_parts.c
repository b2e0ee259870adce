/* The table of partitions, without a broker: what a look-up and a turn cost with thousands of them,
 * counted in instructions. */
#include <librdkafka/rdkafka.h>

#include "unit/steps.h"

#include "io/kafka/lists.h"
#include "io/kafka/partitions.h"

#define FEW  10
#define MANY 4000
#define MOST 20000
#define MORE 600

/* In the engine's place. */
struct engine {
    bool is_full;
};

size_t engine_room(struct engine *self, struct tenure tenure)
{
    (void)self, (void)tenure;
    return 1;
}

bool engine_is_full(const struct engine *self)
{
    return self->is_full;
}

void engine_record(struct engine *self, struct tenure tenure, const struct record *record)
{
    (void)self, (void)tenure, (void)record;
    fail();
}

void engine_partition_end(struct engine *self, struct tenure tenure, int64_t position)
{
    (void)self, (void)tenure, (void)position;
    fail();
}

void engine_partition_out_of_range(struct engine *self, struct tenure tenure, int64_t end)
{
    (void)end;
    (void)self, (void)tenure;
    fail();
}

void engine_partition_empty(struct engine *self, struct tenure tenure)
{
    (void)self, (void)tenure;
    fail();
}

void engine_partition_high(struct engine *self, struct tenure tenure, int64_t high)
{
    (void)self, (void)tenure, (void)high;
}

bool engine_partition_is_idle(struct engine *self, struct tenure tenure)
{
    (void)self, (void)tenure;
    return false;
}

static struct parts parts;
static struct engine engine;

static void begin(int count)
{
    assert_true(parts_init(&parts, 1U << 20));
    parts.engine = &engine;
    for (int i = 0; i < count; i++) {
        struct part *part = parts_take(&parts, "bedrock.requests", i);
        assert_non_null(part);
        part->state = PART_RUNNING;
    }
}

static void expect_equal_cost(void (*act)(void *self))
{
    size_t steps[2];
    static const int COUNTS[] = {FEW, MANY};
    for (size_t i = 0; i < COUNT_OF(COUNTS); i++) {
        begin(COUNTS[i]);
        steps[i] = steps_of(act, NULL, MOST);
        parts_done(&parts);
    }
    print_message("%zu with %d partitions, %zu with %d\n", steps[0], FEW, steps[1], MANY);
    assert_true(steps[0] < MOST && steps[1] < steps[0] + MORE);
}

static void find_last(void *self)
{
    (void)self;
    (void)parts_find(&parts, "bedrock.requests", 9);
}

static void a_partition_is_found_at_the_same_cost_among_many(void **state)
{
    (void)state;
    if (!STEPS_ARE_THE_CODES_OWN)
        return;
    expect_equal_cost(find_last);
    begin(MANY);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(parts_find(&parts, "bedrock.requests", i)->partition, i);
    assert_null(parts_find(&parts, "bedrock.requests", MANY));
    assert_null(parts_find(&parts, "bedrock", 1));
    parts_done(&parts);
}

static void take_one(void *self)
{
    (void)self;
    (void)parts_take(&parts, "bedrock.requests", MANY + 1);
}

static void a_slot_is_taken_at_the_same_cost_among_many(void **state)
{
    (void)state;
    if (!STEPS_ARE_THE_CODES_OWN)
        return;
    expect_equal_cost(take_one);
    begin(MANY);
    part_free(parts_find(&parts, "bedrock.requests", 7));
    part_free(parts_find(&parts, "bedrock.requests", 3));
    assert_null(parts_find(&parts, "bedrock.requests", 3));
    assert_int_equal(part_tenure(parts_take(&parts, "other", 1)).slot, 3); /* the lowest free one */
    assert_int_equal(part_tenure(parts_take(&parts, "other", 2)).slot, 7);
    assert_int_equal(part_tenure(parts_take(&parts, "other", 3)).slot, MANY);
    parts_done(&parts);
}

static void pump(void *self)
{
    (void)self;
    bool has_more = parts_pump(&parts);
    (void)has_more;
}

static void a_turn_costs_the_same_however_many_partitions_are_empty(void **state)
{
    (void)state;
    if (!STEPS_ARE_THE_CODES_OWN)
        return;
    engine.is_full = false;
    size_t steps[2];
    static const int COUNTS[] = {FEW, MANY};
    for (size_t i = 0; i < COUNT_OF(COUNTS); i++) {
        begin(COUNTS[i]);
        steps[i] = steps_of(pump, NULL, MOST);
        parts_done(&parts);
    }
    print_message("%zu with %d partitions, %zu with %d\n", steps[0], FEW, steps[1], MANY);
    assert_true(steps[1] < steps[0] + MANY); /* 64 partitions are one look */
}

static void a_turn_asks_no_partition_while_the_engine_is_full(void **state)
{
    (void)state;
    if (!STEPS_ARE_THE_CODES_OWN)
        return;
    engine.is_full = true;
    begin(FEW);
    for (int i = 0; i < FEW; i++)
        part_restarted(
            parts_find(&parts, "bedrock.requests", i)); /* its queue may hold something */
    assert_false(parts_pump(&parts));
    size_t few = steps_of(pump, NULL, MOST);
    parts_done(&parts);
    begin(MANY);
    for (int i = 0; i < MANY; i++)
        part_restarted(parts_find(&parts, "bedrock.requests", i));
    size_t many = steps_of(pump, NULL, MOST);
    parts_done(&parts);
    print_message("%zu, %zu\n", few, many);
    assert_true(many < few + MORE);
}

/* ---- lists ---- */

static rd_kafka_topic_partition_list_t *list;

static void find_in_list(void *self)
{
    (void)self;
    (void)list_find(list, "bedrock.requests", 7);
}

static void a_sorted_list_finds_at_the_cost_of_a_search(void **state)
{
    (void)state;
    if (!STEPS_ARE_THE_CODES_OWN)
        return;
    list = rd_kafka_topic_partition_list_new(MANY);
    for (int i = MANY; i > 0; i--)
        rd_kafka_topic_partition_list_add(list, i % 2 == 0 ? "bedrock.requests" : "other", i)
            ->offset = i;
    list_sort(list);
    for (int i = 1; i <= MANY; i++) {
        const rd_kafka_topic_partition_t *found =
            list_find(list, i % 2 == 0 ? "bedrock.requests" : "other", i);
        assert_non_null(found);
        assert_int_equal(found->offset, i);
    }
    assert_null(list_find(list, "other", 2));
    assert_null(list_find(NULL, "other", 2));
    assert_true(steps_of(find_in_list, NULL, 5000) < 5000);
    rd_kafka_topic_partition_list_destroy(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_partition_is_found_at_the_same_cost_among_many),
        cmocka_unit_test(a_slot_is_taken_at_the_same_cost_among_many),
        cmocka_unit_test(a_turn_costs_the_same_however_many_partitions_are_empty),
        cmocka_unit_test(a_turn_asks_no_partition_while_the_engine_is_full),
        cmocka_unit_test(a_sorted_list_finds_at_the_cost_of_a_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
