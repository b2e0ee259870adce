/* wire/bedrock/msk_token.c against what botocore presigns (tests/vectors/make.py). */
#include "unit/unit.h"

#include "base/memory.h"
#include "unit/torture.h"
#include "wire/bedrock/msk_token.h"

#define VECTORS_WALL_MS INT64_C(1795342272000) /* 2026-11-22T10:11:12Z */

static const struct {
    const char *region, *session, *agent, *token;
} TOKENS[] = {
#define TOKEN(...) {__VA_ARGS__},
#include "vectors/msk_tokens.inc"
#undef TOKEN
};

static struct credentials keys(const char *session)
{
    return (struct credentials){.access_key_id = SLICE("AKIDVECTORS"),
                                .secret_access_key = SLICE("vectors/secret+key/of/no/account"),
                                .session_token = slice_of_text(session),
                                .expires_wall_ms = INT64_MAX};
}

static void tokens_are_those_of_aws_own_signer(void **state)
{
    (void)state;
    assert_true(COUNT_OF(TOKENS) >= 12);
    for (size_t i = 0; i < COUNT_OF(TOKENS); i++) {
        struct buf token OWNED_BY(buf_done);
        const struct credentials credentials = keys(TOKENS[i].session);
        buf_init(&token, MSK_TOKEN_BYTES_MAX);
        assert_int_equal(msk_token_add(&token, &credentials, slice_of_text(TOKENS[i].region),
                                       slice_of_text(TOKENS[i].agent), VECTORS_WALL_MS),
                         OK);
        assert_buf(&token, TOKENS[i].token);
    }
    assert_int_equal(memory_live(), 0);
}

static void a_token_ends_after_15_minutes_or_with_its_keys(void **state)
{
    (void)state;
    struct credentials credentials = keys(NULL);
    assert_int_equal(msk_token_ends_ms(&credentials, 1000), 901000);
    credentials.expires_wall_ms = 121000;
    assert_int_equal(msk_token_ends_ms(&credentials, 1000), 121000);
}

static void no_token_is_made_without_keys(void **state)
{
    (void)state;
    struct buf token OWNED_BY(buf_done);
    struct credentials credentials = {.bearer_token = SLICE("bearer"),
                                      .expires_wall_ms = INT64_MAX};
    buf_init(&token, MSK_TOKEN_BYTES_MAX);
    assert_int_equal(msk_token_add(&token, &credentials, SLICE("us-east-1"), SLICE("x"), 1),
                     ERR_NO_CREDENTIALS);
    credentials = (struct credentials){.expires_wall_ms = INT64_MAX};
    assert_int_equal(msk_token_add(&token, &credentials, SLICE("us-east-1"), SLICE("x"), 1),
                     ERR_NO_CREDENTIALS);
    assert_int_equal(token.len, 0);
}

static bool make_one(void *self)
{
    (void)self;
    struct buf token OWNED_BY(buf_done);
    const struct credentials credentials = keys("session");
    buf_init(&token, MSK_TOKEN_BYTES_MAX);
    return msk_token_add(&token, &credentials, SLICE("us-east-1"), SLICE("x"), 1) == OK;
}

static void a_lack_of_memory_makes_no_token(void **state)
{
    (void)state;
    assert_true(torture(make_one, NULL) > 3);
}

static void the_region_is_that_of_the_brokers_name(void **state)
{
    (void)state;
    static const struct {
        const char *servers, *region;
    } NAMED[] = {
        {"b-1.demo.abc123.c2.kafka.us-east-1.amazonaws.com:9098", "us-east-1"},
        {"boot-x1y2.c1.kafka-serverless.eu-central-1.amazonaws.com:9098", "eu-central-1"},
        {"b-1.demo.abc.c4.kafka.cn-north-1.amazonaws.com.cn:9098", "cn-north-1"},
        {"b-1-public.demo.abc.c2.kafka.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
        {"proxy:9098, SASL_SSL://b-2.demo.a.c2.kafka.sa-east-1.amazonaws.com:9198", "sa-east-1"},
        {"127.0.0.1:9092", NULL},
        {"kafka.us-east-1.example.com:9098", NULL},
        {"b-1.kafka.nowhere.amazonaws.com:9098", NULL},
        {"kafka", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(NAMED); i++) {
        struct slice region = msk_region_of(slice_of_text(NAMED[i].servers));
        if (NAMED[i].region == NULL)
            assert_null(region.ptr);
        else
            assert_slice(region, NAMED[i].region);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_those_of_aws_own_signer),
        cmocka_unit_test(a_token_ends_after_15_minutes_or_with_its_keys),
        cmocka_unit_test(no_token_is_made_without_keys),
        cmocka_unit_test(a_lack_of_memory_makes_no_token),
        cmocka_unit_test(the_region_is_that_of_the_brokers_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
