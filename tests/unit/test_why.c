#include "unit/unit.h"

#include "base/utf8.h"
#include "wire/formats/path.h"
#include "base/suggest.h"
#include "wire/formats/text.h"
#include "wire/formats/why.h"

static void a_why_keeps_error_field_and_message(void **state)
{
    (void)state;
    struct why why;
    assert_int_equal(why_set(&why, ERR_INVALID, "messages", "has %d of %s", 3, "it"), ERR_INVALID);
    assert_int_equal(why.err, ERR_INVALID);
    assert_string_equal(why.field, "messages");
    assert_string_equal(why.message, "has 3 of it");
    assert_string_equal(why.type, "");
    why_clear(&why);
    assert_int_equal(why.err, OK);
    assert_string_equal(why.field, "");
}

static void a_long_message_is_cut_between_code_points(void **state)
{
    (void)state;
    struct why why;
    struct buf text OWNED_BY(buf_done);
    for (size_t lead = 0; lead < 4; lead++) {
        buf_init(&text, 4096);
        for (size_t i = 0; i < lead; i++)
            buf_add_byte(&text, 'a');
        for (size_t i = 0; i < 400; i++)
            buf_add_text(&text, "\xe2\x82\xac");
        why_set(&why, ERR_INVALID, NULL, "%s", buf_text(&text));
        size_t len = strlen(why.message);
        assert_true(len < WHY_MESSAGE_MAX && len >= WHY_MESSAGE_MAX - 4);
        assert_int_equal(utf8_valid_len(slice_of(why.message, len)), len);
        assert_null(strchr(why.message, '?'));
        buf_done(&text);
    }
}

static void control_characters_in_foreign_text_are_replaced(void **state)
{
    (void)state;
    char text[32];
    why_copy(text, sizeof text,
             SLICE("a\nb\x7f"
                   "c\xff"
                   "d\xc2\x85"
                   "e\xc3\xa9"));
    assert_string_equal(text, "a b c?d e\xc3\xa9");
    why_copy(text, 4, SLICE("ab\xc3\xa9"));
    assert_string_equal(text, "ab");
    why_copy(text, sizeof text, SLICE_NULL);
    assert_string_equal(text, "");
    why_copy(text, sizeof text, SLICE("\xe2\x82"));
    assert_string_equal(text, "??");
}

static void a_path_names_the_place_of_a_value(void **state)
{
    (void)state;
    struct path path = path_element("messages", 12);
    assert_string_equal(path.text, "messages[12]");
    path = path_member(path.text, SLICE("content"));
    assert_string_equal(path.text, "messages[12].content");
    assert_string_equal(path_member("", SLICE("id")).text, "id");
    for (size_t i = 0; i < 60; i++)
        path = path_element(path.text, i);
    assert_true(strlen(path.text) < WHY_FIELD_MAX);
}

static const char *nearest(const char *name)
{
    static const char *const names[] = {"temperature", "top_p", "top_k", "max_tokens", "stop"};
    struct suggest suggest;
    suggest_init(&suggest, slice_of_text(name));
    for (size_t i = 0; i < COUNT_OF(names); i++)
        suggest_offer(&suggest, slice_of_text(names[i]));
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (slice_equal_text(suggest.nearest, names[i]))
            return names[i];
    return "";
}

static void the_nearest_name_is_suggested(void **state)
{
    (void)state;
    assert_string_equal(nearest("temprature"), "temperature");
    assert_string_equal(nearest("tepmerature"), "temperature");
    assert_string_equal(nearest("maxTokens"), "max_tokens");
    assert_string_equal(nearest("max-token"), "max_tokens");
    assert_string_equal(nearest("stpo"), "stop");
    assert_string_equal(nearest("topp"), "top_p");
    assert_string_equal(nearest("colour"), "");
    assert_string_equal(nearest(""), "");
    assert_string_equal(
        nearest("temperaturetemperaturetemperaturetemperaturetemperaturetemperature"), "");
}

static void white_space_of_every_script_is_trimmed(void **state)
{
    (void)state;
    assert_slice(text_trim_end(SLICE(" a b \t\r\n")), " a b");
    assert_slice(text_trim_end(SLICE("a\xc2\xa0\xe3\x80\x80\xe2\x80\x83 ")), "a");
    assert_slice(text_trim_end(SLICE("\xc3\xa9")), "\xc3\xa9");
    assert_true(text_is_blank(SLICE("\xe2\x80\x8a\x1c\n")));
    assert_true(text_is_blank(SLICE("")));
    assert_false(text_is_blank(SLICE("\xe2\x80\x8b")));
    assert_false(text_is_blank(SLICE(" .")));
}

static void control_characters_are_recognized(void **state)
{
    (void)state;
    assert_true(text_has_control(SLICE("a\x01")));
    assert_true(text_has_control(SLICE("\x7f")));
    assert_true(text_has_control(SLICE("\xc2\x85")));
    assert_false(text_has_control(SLICE("a b\xc2\xa0\xc3\xa9")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_why_keeps_error_field_and_message),
        cmocka_unit_test(a_long_message_is_cut_between_code_points),
        cmocka_unit_test(control_characters_in_foreign_text_are_replaced),
        cmocka_unit_test(a_path_names_the_place_of_a_value),
        cmocka_unit_test(the_nearest_name_is_suggested),
        cmocka_unit_test(white_space_of_every_script_is_trimmed),
        cmocka_unit_test(control_characters_are_recognized),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
