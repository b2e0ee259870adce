/* base/secrets.c */
#include "unit/unit.h"

#include <stdio.h>

#include "base/secrets.h"

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

static int forget(void **state)
{
    (void)state;
    secrets_forget_all();
    return 0;
}

static void is_masked(const char *text, const char *wanted)
{
    char copy[512];
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, sizeof copy);
    secrets_add_masked(&buf, slice_of_text(text));
    assert_string_equal(buf_text(&buf), wanted);
    (void)snprintf(copy, sizeof copy, "%s", text);
    secrets_mask(copy);
    assert_string_equal(copy, wanted);
}

static void a_secret_is_masked_wherever_it_stands(void **state)
{
    (void)state;
    secrets_learn(SLICE(SECRET), false);
    is_masked(SECRET, "***");
    is_masked("the key '" SECRET "' and " SECRET, "the key '***' and ***");
    is_masked("x" SECRET SECRET "y", "x******y");
}

static void a_percent_encoded_secret_is_masked(void **state)
{
    (void)state;
    secrets_learn(SLICE(SECRET), true);
    is_masked("?key=wJalrXUtnFEMI%2FK7MDENG%2BbPxRfiCYEXAMPLEKEY&x", "?key=***&x");
}

static void a_secret_that_the_texts_end_cuts_off_is_masked(void **state)
{
    (void)state;
    secrets_learn(SLICE(SECRET), false);
    is_masked("bad key wJalrXUtnFEMI/K7", "bad key ***");
    is_masked("bad key wJalrXUtnFEM", "bad key ***");
}

static void tokens_that_begin_alike_hide_no_other_text(void **state)
{
    (void)state;
    secrets_learn(SLICE("bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29tLz9BY3Rpb249Q2FsbFdpdGg"),
                  false);
    is_masked("bedrock-runtime.us-east-1.amazonaws.com", "bedrock-runtime.us-east-1.amazonaws.com");
    is_masked("a key such as bedrock-api-key-AAAA", "a key such as bedrock-api-key-AAAA");
    is_masked("not bedrock-api-key-YmVkcm9jay5hb", "not ***");
}

static void other_texts_stay_as_they_are(void **state)
{
    (void)state;
    is_masked("nothing is learned yet: " SECRET, "nothing is learned yet: " SECRET);
    secrets_learn(SLICE(SECRET), false);
    is_masked("", "");
    is_masked("abc", "abc");
    is_masked("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEZ",
              "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEZ");
    is_masked("wJalrXUtnFEMI is not all of it", "wJalrXUtnFEMI is not all of it");
}

static void short_secrets_are_masked_as_whole_words(void **state)
{
    (void)state;
    secrets_learn(SLICE("pass1"), true);
    secrets_learn(SLICE("abc"), true);
    is_masked("'pass1' pass1: pass12 compass1 http://u:pass1@h",
              "'***' ***: pass12 compass1 http://u:***@h");
    is_masked("abc", "abc");
}

static void new_session_tokens_replace_the_oldest_ones_and_no_password(void **state)
{
    (void)state;
    char token[32];
    secrets_learn(SLICE("the password of the settings"), true);
    for (int i = 0; i <= SECRETS_PASSING_MAX; i++) {
        int len = snprintf(token, sizeof token, "session-token-%06d", i);
        secrets_learn(slice_of(token, (size_t)len), false);
        secrets_learn(slice_of(token, (size_t)len), false);
    }
    is_masked("session-token-000000.", "session-token-000000.");
    is_masked("session-token-000001.", "***.");
    is_masked(token, "***");
    is_masked("the password of the settings", "***");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_secret_is_masked_wherever_it_stands, forget),
        cmocka_unit_test_setup(a_percent_encoded_secret_is_masked, forget),
        cmocka_unit_test_setup(a_secret_that_the_texts_end_cuts_off_is_masked, forget),
        cmocka_unit_test_setup(tokens_that_begin_alike_hide_no_other_text, forget),
        cmocka_unit_test_setup(other_texts_stay_as_they_are, forget),
        cmocka_unit_test_setup(short_secrets_are_masked_as_whole_words, forget),
        cmocka_unit_test_setup(new_session_tokens_replace_the_oldest_ones_and_no_password, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
