#include "unit/unit.h"

#include "wire/bedrock/invoke/stops.h"

#define LIMIT 4096

/* The text in pieces of this size, what is released after each piece separated by bars. */
static void cut(const char *texts, const char *text, size_t size, bool is_shown, struct buf *ret)
{
    struct arena arena OWNED_BY(arena_done);
    struct stops stops;
    arena_init(&arena, (size_t)1 << 20);
    buf_init(ret, LIMIT);
    assert_int_equal(stops_init(&stops, &arena, slice_of_text(texts), LIMIT), OK);
    struct slice rest = slice_of_text(text);
    while (rest.len > 0) {
        stops_hear(&stops, slice_sub(rest, 0, size), ret);
        rest = slice_sub(rest, size, SIZE_MAX);
        if (is_shown)
            buf_add_byte(ret, '|');
    }
    bool is_cut = stops_end(&stops, ret);
    if (is_shown)
        buf_add_byte(ret, is_cut ? '!' : '.');
    stops_done(&stops);
}

static void assert_cut(const char *texts, const char *text, const char *left)
{
    for (size_t size = 1; size <= strlen(text); size++) {
        struct buf seen OWNED_BY(buf_done);
        cut(texts, text, size, false, &seen);
        assert_buf(&seen, left);
    }
}

static void assert_steps(const char *texts, const char *text, size_t size, const char *steps)
{
    struct buf seen OWNED_BY(buf_done);
    cut(texts, text, size, true, &seen);
    assert_buf(&seen, steps);
}

static void a_text_is_cut_before_its_first_stop_text_however_it_comes(void **state)
{
    (void)state;
    assert_cut("[\"END\"]", "one END two END", "one ");
    assert_cut("[\"END\"]", "ENENDx", "EN");
    assert_cut("[\"END\"]", "END", "");
    assert_cut("[\"END\"]", "EN", "EN");
    assert_cut("[\"x\",\"END\"]", "aENDx", "a");
    assert_cut("[\"END\",\"x\"]", "axEND", "a");
    assert_cut("[\"aab\"]", "aaaaab!", "aaa");
    assert_cut("[\"\\u00e9\\n\"]", "\xc3\xa8\xc3\xa9\n.", "\xc3\xa8");
}

static void the_stop_text_that_begins_first_counts(void **state)
{
    (void)state;
    assert_cut("[\"bc\",\"abcd\"]", "xabcdy", "x");
    assert_cut("[\"bc\",\"abcd\"]", "xabcey", "xa");
    assert_cut("[\"bc\",\"abcd\"]", "xabc", "xa");
    assert_cut("[\"b\",\"abab!\"]", "ababab!", "a");
    assert_cut("[\"ab\",\"abc\"]", "xabc", "x");
}

static void what_may_begin_a_stop_text_is_held_back(void **state)
{
    (void)state;
    assert_steps("[\"END\"]", "a EN E", 2, "a ||EN |E.");
    assert_steps("[\"END\"]", "a ENDE", 2, "a |||!");
    assert_steps("[\"END\"]", "ab EN", 5, "ab |EN.");
    assert_steps("[\"aab\"]", "aaaa", 1, "||a|a|aa.");
}

static void a_text_without_stop_texts_passes_at_once(void **state)
{
    (void)state;
    assert_steps("[]", "one two", 3, "one| tw|o|.");
    assert_steps("[7,null]", "one", 3, "one|.");
}

/* The end is not known to be one: a stop reason may come before more text. */
static void text_behind_an_end_goes_on(void **state)
{
    (void)state;
    struct arena arena OWNED_BY(arena_done);
    struct buf seen OWNED_BY(buf_done);
    struct stops stops;
    arena_init(&arena, (size_t)1 << 20);
    buf_init(&seen, LIMIT);
    assert_int_equal(stops_init(&stops, &arena, SLICE("[\"END\"]"), LIMIT), OK);
    stops_hear(&stops, SLICE("one E"), &seen);
    assert_false(stops_end(&stops, &seen));
    stops_hear(&stops, SLICE("ND two END"), &seen);
    assert_buf(&seen, "one END two ");
    assert_true(stops_end(&stops, &seen));
    assert_true(stops_end(&stops, &seen));
    assert_buf(&seen, "one END two ");
    stops_done(&stops);
}

static void stop_texts_beyond_the_limit_are_not_looked_for(void **state)
{
    (void)state;
    struct buf texts OWNED_BY(buf_done);
    buf_init(&texts, LIMIT);
    buf_add_byte(&texts, '[');
    for (int i = 0; i < STOPS_MAX; i++)
        buf_addf(&texts, "\"<%d>\",", i);
    buf_add_text(&texts, "\"END\"]");
    assert_cut(buf_text(&texts), "a END <63>", "a END ");
}

/* Whatever is held back counts against the limit of an answer. */
static void a_stop_text_longer_than_the_limit_fails(void **state)
{
    (void)state;
    struct arena arena OWNED_BY(arena_done);
    struct buf seen OWNED_BY(buf_done);
    struct stops stops;
    arena_init(&arena, (size_t)1 << 20);
    buf_init(&seen, LIMIT);
    assert_int_equal(stops_init(&stops, &arena, SLICE("[\"aaaaaaaaaaaaaaaa\"]"), 4), OK);
    stops_hear(&stops, SLICE("aaaaaaaa"), &seen);
    assert_int_equal(seen.failed, ERR_TOO_LARGE);
    stops_done(&stops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_cut_before_its_first_stop_text_however_it_comes),
        cmocka_unit_test(the_stop_text_that_begins_first_counts),
        cmocka_unit_test(what_may_begin_a_stop_text_is_held_back),
        cmocka_unit_test(a_text_without_stop_texts_passes_at_once),
        cmocka_unit_test(text_behind_an_end_goes_on),
        cmocka_unit_test(stop_texts_beyond_the_limit_are_not_looked_for),
        cmocka_unit_test(a_stop_text_longer_than_the_limit_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
