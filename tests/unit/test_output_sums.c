/* Records of the topic of budgets: what is written is read again, and nothing else is taken for it.
 */
#include "unit/unit.h"

#include "unit/output_kit.h"

#include "wire/outputs/sums.h"

#define SINCE_MS INT64_C(1764460800000) /* 2025-11-30T00:00:00Z */

static const struct sums_row ROWS[] = {
    {{"acme", 4}, SINCE_MS, {12503817000000, {"USD", 3}}},
    {{"a \"shop\"", 8}, SINCE_MS, {1730042, {NULL, 0}}},
};

static struct sums sums_of(const struct sums_lost *lost)
{
    return (struct sums){
        .usage_topic = SLICE("bedrock.usage"),
        .partition = 3,
        .offset = 120417,
        .rules = 0x81a4c1ae0bd8e2f3,
        .wall_ms = SINCE_MS + 5000,
        .rows = ROWS,
        .row_count = COUNT_OF(ROWS),
        .lost = lost,
        .lost_count = lost == NULL ? 0 : 1,
    };
}

static struct output *encoded(const struct sums *sums)
{
    struct output_kit kit;
    struct output *output = NULL;
    kit_init(&kit);
    assert_int_equal(output_sums(&kit.context, sums, &output), OK);
    return output;
}

static void assert_amount(const struct sums_amount *found, const struct sums_amount *wanted)
{
    assert_int_equal(found->value, wanted->value);
    assert_true(slice_equal(found->currency, wanted->currency));
}

static void sums_are_read_as_they_were_written(void **state)
{
    (void)state;
    struct sums_lost lost = {
        .tenant = SLICE("acme"), .at_ms = SINCE_MS + 1, .spent = {412, SLICE_NULL}};
    assert_true(entry_id_read(SLICE("019aaa1c-2f00-7abc-8def-0123456789ab"), &lost.id));
    struct sums sums = sums_of(&lost), found;
    struct output *output = encoded(&sums);
    struct arena arena OWNED_BY(arena_done);
    const char *why = NULL;
    arena_init(&arena, 1 << 20);
    assert_true(slice_equal_text(output->topic, "bedrock.budgets"));
    assert_true(slice_equal_text(output->key, "bedrock.usage-3"));
    assert_int_equal(sums_read(&arena, output->value, &found, &why), SUMS_READ);
    assert_true(slice_equal(found.usage_topic, sums.usage_topic));
    assert_int_equal(found.partition, 3);
    assert_int_equal(found.offset, 120417);
    assert_true(found.rules == sums.rules);
    assert_int_equal(found.wall_ms, sums.wall_ms);
    assert_int_equal(found.row_count, COUNT_OF(ROWS));
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        assert_true(slice_equal(found.rows[i].tenant, ROWS[i].tenant));
        assert_int_equal(found.rows[i].since_ms, SINCE_MS);
        assert_amount(&found.rows[i].spent, &ROWS[i].spent);
    }
    assert_int_equal(found.lost_count, 1);
    assert_memory_equal(&found.lost[0].id, &lost.id, sizeof lost.id);
    assert_int_equal(found.lost[0].at_ms, lost.at_ms);
    assert_amount(&found.lost[0].spent, &lost.spent);
    output_free(output);
}

/* Reads a record in which `from` is `to`. */
static enum sums_verdict verdict_with(const char *from, const char *to, const char **ret_why)
{
    struct sums sums = sums_of(NULL), found;
    struct output *output = encoded(&sums);
    struct arena arena OWNED_BY(arena_done);
    struct buf text OWNED_BY(buf_done);
    arena_init(&arena, 1 << 20);
    buf_init(&text, 1 << 16);
    const char *at = memmem(output->value.ptr, output->value.len, from, strlen(from));
    assert_non_null(at);
    size_t before = (size_t)(at - output->value.ptr);
    buf_add(&text, slice_sub(output->value, 0, before));
    buf_add_text(&text, to);
    buf_add(&text, slice_sub(output->value, before + strlen(from), SIZE_MAX));
    enum sums_verdict verdict = sums_read(&arena, buf_slice(&text), &found, ret_why);
    output_free(output);
    return verdict;
}

static void a_record_of_another_version_or_kind_is_named(void **state)
{
    (void)state;
    const char *why = NULL;
    assert_int_equal(verdict_with("budgets.v1", "budgets.v2", &why), SUMS_VERSION);
    assert_string_equal(why, "its version is another one");
    assert_int_equal(verdict_with("chat.budgets", "chat.usage", &why), SUMS_FOREIGN);
    assert_int_equal(verdict_with("{\"specversion\"", "[\"specversion\"", &why), SUMS_FOREIGN);
}

static void a_damaged_record_is_not_taken(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *why;
    } DAMAGE[] = {
        {"\"offset\":120417", "\"offset\":-1", "its offset is damaged"},
        {"\"offset\":120417", "\"offset\":\"120417\"", "its offset is damaged"},
        {"\"partition\":3", "\"partition\":3000000000", "topic or partition is damaged"},
        {"\"topic\":\"bedrock.usage\"", "\"topic\":\"\"", "topic or partition is damaged"},
        {"81a4c1ae0bd8e2f3", "81a4c1ae0bd8e2fg", "rules is damaged"},
        {"81a4c1ae0bd8e2f3", "81a4", "rules is damaged"},
        {"\"12.503817\"", "\"-12.5\"", "spent is damaged"},
        {"\"12.503817\"", "12.503817", "spent is damaged"},
        {"\"USD\"", "\"\"", "spent is damaged"},
        {"\"tokens\":1730042", "\"tokens\":-4", "spent is damaged"},
        {"\"tokens\":1730042", "\"coins\":1730042", "spent is damaged"},
        {"\"since\":\"2025", "\"since\":\"20x5", "spent is damaged"},
        {"\"lost\":[]", "\"lost\":{}", "lost is damaged"},
        {"\"lost\":[]", "\"lots\":[]", "lost is damaged"},
        {"\"time\":\"2025", "\"time\":\"2x25", "its time is damaged"},
    };
    for (size_t i = 0; i < COUNT_OF(DAMAGE); i++) {
        const char *why = NULL;
        assert_int_equal(verdict_with(DAMAGE[i].from, DAMAGE[i].to, &why), SUMS_DAMAGED);
        assert_string_equal(why, DAMAGE[i].why);
    }
}

static void sums_that_no_topic_would_take_are_not_written(void **state)
{
    (void)state;
    struct output_kit kit;
    struct output *output = NULL;
    kit_init(&kit);
    static struct sums_row rows[12000];
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        rows[i] = (struct sums_row){
            SLICE("a tenant with a name of some length"), SINCE_MS, {(int64_t)i, SLICE_NULL}};
    struct sums sums = sums_of(NULL);
    sums.rows = rows;
    sums.row_count = COUNT_OF(rows);
    assert_int_equal(output_sums(&kit.context, &sums, &output), ERR_TOO_LARGE);
    sums.row_count = COUNT_OF(rows) / 2;
    assert_int_equal(output_sums(&kit.context, &sums, &output), OK);
    output_free(output);
}

static void reservations_are_read_as_they_were_written(void **state)
{
    (void)state;
    struct output_kit kit;
    struct output *output = NULL;
    struct arena arena OWNED_BY(arena_done);
    const char *why = NULL;
    struct sums sums;
    struct reserved found;
    const struct reserved reserved = {
        .usage_topic = SLICE("bedrock.usage"),
        .rules = 0x81a4c1ae0bd8e2f3,
        .worker = SLICE("019aaa1c-2f00-7abc-8def-0123456789ab"),
        .number = 17,
        .wall_ms = SINCE_MS,
        .rows = ROWS,
        .row_count = COUNT_OF(ROWS),
    };
    kit_init(&kit);
    arena_init(&arena, 1 << 20);
    assert_int_equal(output_reserved(&kit.context, &reserved, SLICE("group-w0"), &output), OK);
    assert_true(slice_equal_text(output->key, "group-w0"));
    assert_true(reserved_read(&arena, output->value, &found));
    assert_true(slice_equal(found.worker, reserved.worker));
    assert_true(slice_equal(found.usage_topic, reserved.usage_topic));
    assert_int_equal(found.number, 17);
    assert_true(found.rules == reserved.rules);
    assert_int_equal(found.wall_ms, SINCE_MS);
    assert_int_equal(found.row_count, COUNT_OF(ROWS));
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        assert_amount(&found.rows[i].spent, &ROWS[i].spent);
    assert_int_equal(sums_read(&arena, output->value, &sums, &why), SUMS_FOREIGN);
    assert_false(reserved_read(&arena, slice_sub(output->value, 0, output->value.len - 1), &found));
    output_free(output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_read_as_they_were_written),
        cmocka_unit_test(a_record_of_another_version_or_kind_is_named),
        cmocka_unit_test(a_damaged_record_is_not_taken),
        cmocka_unit_test(reservations_are_read_as_they_were_written),
        cmocka_unit_test(sums_that_no_topic_would_take_are_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
