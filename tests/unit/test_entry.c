/* A usage record, read in passing. */
#include "unit/books_kit.h"

#define COST                                                                                       \
    "{\"amount\":\"0.1\",\"currency\":\"USD\",\"prices\":\"p\",\"parts\":{\"input\":\"0.1\"}}"

/* ---- records ---- */

static enum entry_verdict read(const char *value, struct entry *ret_entry, const char **ret_why)
{
    static struct arena arena;
    arena_done(&arena);
    arena_init(&arena, 65536);
    return entry_read(&arena, slice_of_text(value), ret_entry, ret_why);
}

static void a_record_is_read_with_all_that_the_sums_need(void **state)
{
    (void)state;
    struct entry entry;
    const char *why;
    const struct kit_record record = {
        .id = "1f", .input = 29, .output = 21, .cost = COST, .tenant = "a\\u00e9\\\"b"};
    assert_int_equal(read(kit_value(&record).ptr, &entry, &why), ENTRY_READ);
    assert_slice(entry.tenant, "aé\"b");
    assert_slice(entry.model, "m");
    assert_slice(entry.currency, "USD");
    assert_int_equal(entry.counts[COUNT_INPUT], 29);
    assert_int_equal(entry.counts[COUNT_OUTPUT], 21);
    assert_int_equal(entry.amount, 100000000000);
    assert_int_equal(entry.part[PART_INPUT], 100000000000);
    assert_int_equal(entry.part[PART_OUTPUT], 0);
    assert_int_equal(entry.started_ms, 1795341600000);
    assert_true(entry.is_final && entry.has_cost && !entry.has_replaces && !entry.is_lost);
    assert_int_equal(entry_id_ms(&entry.id), 0x019aab1e501f);
}

static void a_call_without_its_start_has_the_records_time(void **state)
{
    (void)state;
    struct entry entry;
    const char *why;
    const struct kit_record record = {.is_lost = true};
    assert_int_equal(read(kit_value(&record).ptr, &entry, &why), ENTRY_READ);
    assert_true(entry.is_lost);
    assert_int_equal(entry.started_ms, entry.time_ms);
}

static void what_is_no_usage_record_is_foreign_and_what_distorts_one_is_damaged(void **state)
{
    (void)state;
    struct entry entry;
    const char *why;
    static const struct {
        const char *value;
        enum entry_verdict verdict;
    } CASES[] = {
        {"", ENTRY_FOREIGN},
        {"hello", ENTRY_FOREIGN},
        {"{}", ENTRY_FOREIGN},
        {"{\"type\":\"bedrock.chat.response.v1\"}", ENTRY_FOREIGN},
        {"{\"type\":\"bedrock.chat.usage.v2\"}", ENTRY_VERSION},
        {"{\"type\":\"bedrock.chat.usage.v1\"}", ENTRY_DAMAGED},
        {"{\"type\":\"bedrock.chat.usage.v1\",", ENTRY_DAMAGED},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        assert_int_equal(read(CASES[i].value, &entry, &why), CASES[i].verdict);
}

static void each_distortion_names_its_member(void **state)
{
    (void)state;
    static const struct {
        struct kit_record record;
        const char *why;
    } CASES[] = {
        {{.id = "gg"}, "id"},
        {{.input = -1}, "input_tokens"},
        {{.input = ENTRY_COUNT_MAX + 1}, "input_tokens"},
        {{.time = "2026-13-01T00:00:00Z"}, "time"},
        {{.labels = "[]"}, "labels"},
        {{.labels = "{\"a\":1}"}, "labels"},
        {{.labels = "{\"a\":\"\\x\"}"}, "labels"},
        {{.labels = "{\"a\":\"b\",\"a\":\"c\"}"}, "labels"},
        {{.tenant = "\xff"}, "tenant"},
        {{.tenant = "a\tb"}, "tenant"},
        {{.tenant = "\\ud800"}, "tenant"},
        {{.cost = "{\"amount\":\"1e3\",\"currency\":\"USD\"}"}, "amount"},
        {{.cost = "{\"amount\":\"1\"}"}, "currency"},
        {{.cost = "7"}, "cost"},
        {{.more = ",\"tenant\":\"b\""}, "a member stands twice"},
        {{.more = ",\"replaces\":\"b\""}, "replaces"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct entry entry;
        const char *why = NULL;
        assert_int_equal(read(kit_value(&CASES[i].record).ptr, &entry, &why), ENTRY_DAMAGED);
        assert_string_equal(why, CASES[i].why);
    }
}

/* A record with blanks wherever JSON allows them. */
static void add_spaced(struct buf *buf, struct slice value)
{
    bool is_inside = false;
    for (size_t i = 0; i < value.len; i++) {
        char byte = value.ptr[i];
        is_inside ^= byte == '"' && value.ptr[i - 1] != '\\';
        bool is_mark = !is_inside && memchr("{}[],:", byte, 6) != NULL;
        if (is_mark)
            buf_add_text(buf, " ");
        buf_add_byte(buf, byte);
        if (is_mark)
            buf_add_text(buf, "\n ");
    }
    buf_add_byte(buf, '\0');
}

static void a_record_is_read_alike_however_it_is_laid_out(void **state)
{
    (void)state;
    const struct kit_record record = {.input = 10,
                                      .output = 8,
                                      .cost = COST,
                                      .more = ",\"service_tier\":\"flex\",\"unknown\":{\"a\":[]},"
                                              "\"base_model\":\"m\",\"started_at_\":1"};
    struct entry plain, spaced;
    const char *why = NULL;
    struct buf text;
    buf_init(&text, KIT_BYTES * 4);
    add_spaced(&text, kit_value(&record));
    assert_int_equal(text.failed, OK);
    assert_int_equal(read(buf_text(&text), &spaced, &why), ENTRY_READ);
    assert_int_equal(read(kit_value(&record).ptr, &plain, &why), ENTRY_READ);
    assert_slice(spaced.service_tier, "flex");
    assert_slice(spaced.base_model, "m");
    assert_true(slice_equal(spaced.tenant, plain.tenant));
    assert_memory_equal(spaced.counts, plain.counts, sizeof plain.counts);
    assert_memory_equal(spaced.part, plain.part, sizeof plain.part);
    assert_int_equal(spaced.amount, plain.amount);
    assert_int_equal(spaced.started_ms, plain.started_ms);
    buf_done(&text);
}

static void a_control_anywhere_in_a_text_is_damage(void **state)
{
    (void)state;
    for (size_t len = 1; len < 24; len++) {
        for (size_t odd = 0; odd < len; odd++) {
            char tenant[32] = "";
            struct entry entry;
            const char *why = NULL;
            memset(tenant, 'x', len);
            tenant[odd] = '\x1f';
            const struct kit_record record = {.tenant = tenant};
            assert_int_equal(read(kit_value(&record).ptr, &entry, &why), ENTRY_DAMAGED);
            tenant[odd] = '\x7f';
            assert_int_equal(read(kit_value(&record).ptr, &entry, &why), ENTRY_READ);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_read_with_all_that_the_sums_need),
        cmocka_unit_test(a_call_without_its_start_has_the_records_time),
        cmocka_unit_test(what_is_no_usage_record_is_foreign_and_what_distorts_one_is_damaged),
        cmocka_unit_test(each_distortion_names_its_member),
        cmocka_unit_test(a_record_is_read_alike_however_it_is_laid_out),
        cmocka_unit_test(a_control_anywhere_in_a_text_is_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
