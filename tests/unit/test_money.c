#include "unit/unit.h"

#include "base/money.h"
#include "base/random.h"

static void assert_price(const char *text, int64_t expected)
{
    int64_t price = -1;
    assert_null(money_price_fault(slice_of_text(text), &price));
    assert_int_equal(price, expected);
}

static void assert_no_price(const char *text, const char *words)
{
    int64_t price = -7;
    const char *fault = money_price_fault(slice_of_text(text), &price);
    assert_non_null(fault);
    if (strstr(fault, words) == NULL)
        fail_msg("%s: %s", text, fault);
    assert_int_equal(price, -7);
}

static void a_price_for_a_million_tokens_is_a_whole_number_for_one(void **state)
{
    (void)state;
    assert_price("3", 3000000);
    assert_price("0.0375", 37500);
    assert_price("0.000001", 1);
    assert_price("0", 0);
    assert_price("0.0", 0);
    assert_price("15.250000000000000000000000000000", 15250000);
    assert_price("000000000000000000000000000001", 1000000);
    assert_price("1000000", MONEY_PRICE_MAX);
}

static void a_price_is_read_by_its_digits_or_rejected_with_a_reason(void **state)
{
    (void)state;
    assert_no_price("0.0000001", "more than 6 decimals");
    assert_no_price("3.1234567", "more than 6 decimals");
    assert_no_price("-3", "negative");
    assert_no_price("-0", "negative");
    assert_no_price("1e3", "exponent");
    assert_no_price("2.5E-01", "exponent");
    assert_no_price("1000000.000001", "above 1000000");
    assert_no_price("99999999999999999999", "above 1000000");
    static const char *const NONE[] = {"",    ".",   "3.",  ".5",  "+3",    " 3", "3 ",
                                       "3,5", "1_0", "0x1", "nan", "3.5.1", "$3", "1000000,0"};
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++)
        assert_no_price(NONE[i], "is not a price");
}

static void assert_written(int64_t amount, const char *text)
{
    struct buf buf OWNED_BY(buf_done);
    int64_t again = -1;
    buf_init(&buf, 100);
    money_add_amount(&buf, amount);
    assert_buf(&buf, text);
    assert_true(money_read_amount(buf_slice(&buf), &again));
    assert_int_equal(again, amount);
}

static void an_amount_is_written_to_its_last_digit_without_needless_zeros(void **state)
{
    (void)state;
    assert_written(0, "0");
    assert_written(1, "0.000000000001");
    assert_written(10, "0.00000000001");
    assert_written(1000000000000, "1");
    assert_written(1000000000001, "1.000000000001");
    assert_written(120500000000000, "120.5");
    assert_written(INT64_MAX, "9223372.036854775807");
    struct random random;
    random_init(&random, 1);
    for (int i = 0; i < 10000; i++) {
        struct buf buf OWNED_BY(buf_done);
        int64_t amount = (int64_t)(random_next(&random) >> (1 + i % 60)), again = -1;
        buf_init(&buf, 100);
        money_add_amount(&buf, amount);
        assert_true(money_read_amount(buf_slice(&buf), &again));
        assert_int_equal(again, amount);
    }
}

static void a_price_is_written_for_a_million_tokens(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, 100);
    money_add_price(&buf, 37500);
    buf_add_byte(&buf, ' ');
    money_add_price(&buf, 3000000);
    buf_add_byte(&buf, ' ');
    money_add_price(&buf, 0);
    assert_buf(&buf, "0.0375 3 0");
}

static void what_is_no_amount_is_rejected(void **state)
{
    (void)state;
    static const char *const NONE[] = {"",
                                       "-1",
                                       "1e3",
                                       "1.",
                                       ".1",
                                       "0.0000000000001",
                                       "1 ",
                                       "x",
                                       "+",
                                       "9223373",
                                       "99999999999999999999"};
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++) {
        int64_t amount = -7;
        assert_false(money_read_amount(slice_of_text(NONE[i]), &amount));
    }
    int64_t amount;
    assert_true(money_read_amount(SLICE("0.0000000000010000"), &amount));
    assert_int_equal(amount, 1);
    assert_true(money_read_amount(SLICE("0001.50"), &amount));
    assert_int_equal(amount, 1500000000000);
    assert_false(money_read_amount(SLICE("9223373"), &amount));
    assert_false(money_read_amount(SLICE("1.2.3"), &amount));
    assert_false(money_read_amount(SLICE("0.0000000000001"), &amount));
}

static void assert_number(const char *text, int shift, int64_t expected)
{
    int64_t units = -7;
    assert_true(money_read_number(slice_of_text(text), shift, &units));
    assert_int_equal(units, expected);
}

static void a_number_with_an_exponent_is_scaled_digit_by_digit(void **state)
{
    (void)state;
    assert_number("1.25e-05", 0, 12500000); /* for one token */
    assert_number("8.25e-08", 0, 82500);
    assert_number("3E-6", 0, 3000000);
    assert_number("0.000003", 0, 3000000);
    assert_number("0", 0, 0);
    assert_number("0e-500", 0, 0);
    assert_number("0.0030000000", -3, 3000000); /* for a thousand */
    assert_number("3.0000", -6, 3000000);       /* for a million */
    assert_number("1e+1", -6, 10000000);
    int64_t units;
    static const char *const NONE[] = {
        "-1e-5", "1e-13",  "3.0000000000000004e-06", "1e",    "1e+", "1e+-5", "1e9",
        "e5",    "1e1001", "9999999999999999999",    "1e-5x", ""};
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++)
        assert_false(money_read_number(slice_of_text(NONE[i]), 0, &units));
}

static void a_cost_beyond_64_bits_is_not_added(void **state)
{
    (void)state;
    int64_t amount = 5;
    assert_true(money_add_times(&amount, 1000, 3000000));
    assert_int_equal(amount, 3000000005);
    assert_false(money_add_times(&amount, 9223372036855, 1000000));
    assert_false(money_add_times(&amount, INT64_MAX - 5, 1));
    assert_false(money_add_times(&amount, -1, 1));
    assert_false(money_add_times(&amount, 1, -1));
    assert_int_equal(amount, 3000000005);
}

static void a_sum_goes_beyond_64_bits(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    struct money_sum sum = {0}, all = {0};
    buf_init(&buf, 100);
    for (int i = 0; i < 1000; i++)
        money_sum_add(&sum, INT64_MAX);
    money_add_sum(&buf, &sum);
    assert_buf(&buf, "9223372036.854775807");
    for (int i = 0; i < 10; i++)
        money_sum_add_sum(&all, &sum);
    buf_reset(&buf);
    money_add_sum(&buf, &all);
    assert_buf(&buf, "92233720368.54775807");
}

static void currencies_are_those_of_iso_4217(void **state)
{
    (void)state;
    assert_true(money_is_currency(SLICE("USD")));
    assert_true(money_is_currency(SLICE("AED")));
    assert_true(money_is_currency(SLICE("ZMW")));
    assert_false(money_is_currency(SLICE("usd")));
    assert_false(money_is_currency(SLICE("XXX")));
    assert_false(money_is_currency(SLICE("SD ")));
    assert_false(money_is_currency(SLICE("")));
    assert_false(money_is_currency(SLICE("USD EUR")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_price_for_a_million_tokens_is_a_whole_number_for_one),
        cmocka_unit_test(a_price_is_read_by_its_digits_or_rejected_with_a_reason),
        cmocka_unit_test(an_amount_is_written_to_its_last_digit_without_needless_zeros),
        cmocka_unit_test(a_price_is_written_for_a_million_tokens),
        cmocka_unit_test(what_is_no_amount_is_rejected),
        cmocka_unit_test(a_number_with_an_exponent_is_scaled_digit_by_digit),
        cmocka_unit_test(a_cost_beyond_64_bits_is_not_added),
        cmocka_unit_test(a_sum_goes_beyond_64_bits),
        cmocka_unit_test(currencies_are_those_of_iso_4217),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
