#include "unit/unit.h"

#include "base/glob.h"

static bool matches(const char *pattern, const char *text)
{
    return glob_match(slice_of_text(pattern), slice_of_text(text), false);
}

static void a_pattern_without_wildcards_matches_only_itself(void **state)
{
    (void)state;
    assert_true(matches("", ""));
    assert_true(matches("replies", "replies"));
    assert_false(matches("replies", "Replies"));
    assert_false(matches("replies", "replies2"));
    assert_false(matches("replies", "replie"));
    assert_false(matches("", "x"));
    assert_true(matches("[a].\\", "[a].\\"));
    assert_false(matches("[a]", "a"));
}

static void a_star_matches_any_bytes(void **state)
{
    (void)state;
    assert_true(matches("*", ""));
    assert_true(matches("**", "anything"));
    assert_true(matches("reply.*", "reply."));
    assert_true(matches("reply.*", "reply.orders"));
    assert_false(matches("reply.*", "reply"));
    assert_true(matches("*correlation*", "kafka_correlationId"));
    assert_true(matches("a*b*c", "aXbXbXc"));
    assert_false(matches("a*b*c", "aXbXbX"));
    assert_true(matches("*abab", "abababab"));
    assert_false(matches("*abac", "abababab"));
}

static void a_question_mark_matches_one_byte(void **state)
{
    (void)state;
    assert_true(matches("reply-?", "reply-1"));
    assert_false(matches("reply-?", "reply-"));
    assert_false(matches("reply-?", "reply-12"));
    assert_true(matches("?*?", "ab"));
    assert_false(matches("?*?", "a"));
}

static void case_is_ignored_on_request(void **state)
{
    (void)state;
    assert_true(glob_match(SLICE("*CORRELATION*"), SLICE("kafka_correlationId"), true));
    assert_true(glob_match(SLICE("traceparent"), SLICE("TraceParent"), true));
    assert_false(glob_match(SLICE("traceparent"), SLICE("TraceParent"), false));
    assert_true(glob_match(SLICE("AZ"), SLICE("az"), true));
    assert_false(glob_match(SLICE("["), SLICE("{"), true));
    assert_false(glob_match(SLICE("@"), SLICE("`"), true));
}

static void nul_and_bytes_above_ascii_match_like_others(void **state)
{
    (void)state;
    assert_true(glob_match(SLICE("a\0*"), SLICE("a\0b"), false));
    assert_false(glob_match(SLICE("a\0c"), SLICE("a\0b"), false));
    assert_true(glob_match(SLICE("\xff?"), SLICE("\xff\xfe"), true));
}

/* Backtracking over all stars would take forever. */
static void many_stars_match_in_bounded_time(void **state)
{
    (void)state;
    char pattern[201], text[1000];
    for (size_t i = 0; i < 200; i += 2)
        memcpy(pattern + i, "*a", 2);
    pattern[200] = 'b';
    memset(text, 'a', sizeof text);
    assert_false(glob_match(slice_of(pattern, 201), slice_of(text, sizeof text), false));
    assert_true(glob_match(slice_of(pattern, 200), slice_of(text, sizeof text), false));
}

static bool covers(const char *pattern, const char *other)
{
    return glob_covers(slice_of_text(pattern), slice_of_text(other), true);
}

static void a_pattern_covers_those_that_match_no_more(void **state)
{
    (void)state;
    assert_true(covers("*", "us.*"));
    assert_true(covers("us.*", "us.*"));
    assert_true(covers("us.*", "US.anthropic.*"));
    assert_true(covers("*claude*", "us.*claude-4*"));
    assert_true(covers("a?c", "abc"));
    assert_true(covers("a?*", "a?"));
    assert_false(covers("us.*", "*"));
    assert_false(covers("a?", "a*"));
    assert_false(covers("a??", "a*"));
    assert_false(covers("a*b", "a*"));
    assert_false(covers("abc", "a?c"));
    assert_false(covers("eu.*", "us.*"));
    assert_false(covers("", "*"));
}

static void assert_pair(const char *a, const char *b, bool overlaps)
{
    struct slice left = slice_of_text(a), right = slice_of_text(b);
    assert_int_equal(glob_overlaps(left, right), overlaps);
    assert_int_equal(glob_overlaps(right, left), overlaps);
}

static void patterns_overlap_where_one_text_matches_both(void **state)
{
    (void)state;
    assert_pair("claude-3", "claude-3", true);
    assert_pair("claude-3", "claude-4", false);
    assert_pair("claude-*", "claude-3*", true);
    assert_pair("claude-3*", "claude-*", true);
    assert_pair("*sonnet*", "anthropic.*", true);
    assert_pair("anthropic.*", "*sonnet*", true);
    assert_pair("anthropic.*-v1", "anthropic.*-v2", false);
    assert_pair("a?c", "a*c", true);
    assert_pair("a*c", "a?c", true);
    assert_pair("a?c", "abc", true);
    assert_pair("abc", "a?c", true);
    assert_pair("", "*", true);
    assert_pair("*", "", true);
    assert_pair("**", "*", true);
    assert_pair("", "a", false);
}

/* Against all texts of up to 4 letters of an alphabet of two, for all patterns of up to 3 bytes. */
static void comparisons_agree_with_matching_every_text(void **state)
{
    (void)state;
    static const char SIGNS[] = "ab*?";
    struct slice patterns[85], texts[31];
    char pattern_bytes[85][3], text_bytes[31][4];
    size_t pattern_count = 0, text_count = 0;
    for (size_t len = 0; len <= 3; len++)
        for (size_t n = 0; n < (size_t)1 << (2 * len); n++, pattern_count++) {
            for (size_t i = 0; i < len; i++)
                pattern_bytes[pattern_count][i] = SIGNS[n >> (2 * i) & 3];
            patterns[pattern_count] = slice_of(pattern_bytes[pattern_count], len);
        }
    for (size_t len = 0; len <= 4; len++)
        for (size_t n = 0; n < (size_t)1 << len; n++, text_count++) {
            for (size_t i = 0; i < len; i++)
                text_bytes[text_count][i] = "ab"[n >> i & 1];
            texts[text_count] = slice_of(text_bytes[text_count], len);
        }
    size_t within = 0;
    for (size_t i = 0; i < pattern_count; i++) {
        for (size_t j = 0; j < pattern_count; j++) {
            bool both = false, only_left = false;
            for (size_t t = 0; t < text_count; t++) {
                bool left = glob_match(patterns[i], texts[t], false);
                bool right = glob_match(patterns[j], texts[t], false);
                both = both || (left && right);
                only_left = only_left || (left && !right);
            }
            assert_int_equal(glob_overlaps(patterns[i], patterns[j]), both);
            if (glob_covers(patterns[j], patterns[i], false)) {
                assert_false(only_left);
                within++;
            }
        }
    }
    assert_true(within > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_without_wildcards_matches_only_itself),
        cmocka_unit_test(a_star_matches_any_bytes),
        cmocka_unit_test(a_question_mark_matches_one_byte),
        cmocka_unit_test(case_is_ignored_on_request),
        cmocka_unit_test(nul_and_bytes_above_ascii_match_like_others),
        cmocka_unit_test(many_stars_match_in_bounded_time),
        cmocka_unit_test(a_pattern_covers_those_that_match_no_more),
        cmocka_unit_test(patterns_overlap_where_one_text_matches_both),
        cmocka_unit_test(comparisons_agree_with_matching_every_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
