#include "unit/unit.h"

#include <stdio.h>

#include "unit/torture.h"
#include "base/secrets.h"
#include "wire/bedrock/fault.h"
#include "wire/formats/http.h"

#define JSON_HEAD "HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\n"

static struct why why;

static enum err judge(int status, const char *head, const char *body)
{
    memset(&why, 'x', sizeof why);
    enum err err = fault_of_answer(status, slice_of_text(head), slice_of_text(body), &why);
    assert_int_equal(why.err, err);
    assert_true(strlen(why.type) < sizeof why.type);
    assert_true(strlen(why.message) < sizeof why.message);
    assert_string_equal(why.field, "");
    return err;
}

static enum err judge_event(enum event_kind kind, const char *type, const char *payload)
{
    struct event event = {
        .kind = kind,
        .type = slice_of_text(type),
        .message = SLICE_NULL,
        .payload = slice_of_text(payload),
    };
    memset(&why, 'x', sizeof why);
    enum err err = fault_of_event(&event, &why);
    assert_int_equal(why.err, err);
    return err;
}

/* The error type decides, whatever the status. */
static void every_error_type_of_the_table_is_recognized(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int status;
        enum err err;
    } ROWS[] = {
#define FAULT(name, status, err) {name, status, ERR_##err},
#define STATUS(status, err)
#include "wire/bedrock/fault.def"
#undef FAULT
#undef STATUS
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        char head[200];
        (void)snprintf(head, sizeof head, "HTTP/1.1 418 x\r\nx-amzn-ErrorType: %s:http://a/b\r\n",
                       ROWS[i].name);
        assert_int_equal(judge(418, head, "{\"message\":\"words\"}"), ROWS[i].err);
        assert_string_equal(why.type, ROWS[i].name);
        assert_string_equal(why.message, "words");
        assert_int_equal(fault_status(slice_of_text(ROWS[i].name)), ROWS[i].status);
        assert_int_equal(judge_event(EVENT_KIND_EXCEPTION, ROWS[i].name, "{}"), ROWS[i].err);
    }
    assert_int_equal(fault_status(SLICE("NoSuchException")), 0);
}

/* The statuses and names of Bedrock Runtime's own errors, with what the worker does about each. */
static void errors_of_bedrock_have_the_right_remedy(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int status;
        enum remedy remedy;
        const char *code;
    } ROWS[] = {
        {"AccessDeniedException", 403, DO_REJECT, "access_denied"},
        {"ThrottlingException", 429, DO_PACE, "throttled"},
        {"ResourceNotFoundException", 404, DO_REJECT, "model_not_found"},
        {"ModelTimeoutException", 408, DO_RETRY_ONCE, "timeout"},
        {"InternalServerException", 500, DO_RETRY, "unavailable"},
        {"ServiceUnavailableException", 503, DO_BACK_OFF, "unavailable"},
        {"ValidationException", 400, DO_REJECT, "rejected"},
        {"ModelNotReadyException", 429, DO_BACK_OFF, "unavailable"},
        {"ModelErrorException", 424, DO_REJECT, "model_error"},
        {"ModelStreamErrorException", 424, DO_RETRY, "broken_stream"},
        {"ServiceQuotaExceededException", 400, DO_REJECT, "quota_exceeded"},
        {"ExpiredTokenException", 403, DO_REFRESH, "credentials"},
        {"InvalidSignatureException", 403, DO_REFRESH, "credentials"},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        char body[200];
        (void)snprintf(body, sizeof body, "{\"__type\":\"com.amazon.coral.service#%s\"}",
                       ROWS[i].name);
        enum err err = judge(ROWS[i].status, JSON_HEAD, body);
        assert_int_equal(err_remedy(err), ROWS[i].remedy);
        assert_string_equal(err_code(err), ROWS[i].code);
        assert_string_equal(why.type, ROWS[i].name);
        assert_int_equal(fault_status(slice_of_text(ROWS[i].name)), ROWS[i].status);
    }
}

static void an_error_type_is_read_from_all_its_places(void **state)
{
    (void)state;
    static const struct {
        const char *head, *body;
    } ROWS[] = {
        {"x-amzn-errortype: ThrottlingException\r\n", ""},
        {"x-amzn-errortype: ThrottlingException:http://internal/x\r\n", ""},
        {"x-amzn-errortype: ns#ThrottlingException:http://internal/x#y\r\n", ""},
        {"", "{\"__type\":\"ThrottlingException\"}"},
        {"", "{\"__type\":\"a.b#ThrottlingException\"}"},
        {"", "{\"code\":\"ThrottlingException\"}"},
        {"", "{\"__type\":7,\"code\":\"throttlingException\"}"},
        {"x-amzn-errortype: ThrottlingException\r\n", "{\"__type\":\"ValidationException\"}"},
        {"x-amzn-errortype: ThrottlingException\r\n", "<html>"},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        assert_int_equal(judge(400, ROWS[i].head, ROWS[i].body), ERR_THROTTLED);
        assert_string_equal(why.type, "ThrottlingException");
    }
}

static void an_error_type_is_never_read_from_the_message(void **state)
{
    (void)state;
    assert_int_equal(judge(400, JSON_HEAD, "{\"message\":\"ThrottlingException: slow down\"}"),
                     ERR_REJECTED);
    assert_string_equal(why.type, "");
    assert_string_equal(why.message, "ThrottlingException: slow down");
}

static void words_of_a_prompt_over_the_context_window_are_recognized(void **state)
{
    (void)state;
    static const char *const MESSAGES[] = {
#define FAULT(name, status, err)
#define STATUS(status, err)
#define OVERFLOW(words) "{\"message\":\"Malformed: " words ", 200001 > 200000.\"}",
#include "wire/bedrock/fault.def"
#undef FAULT
#undef STATUS
        "{\"message\":\"Input Is Too Long\"}",
    };
    static const char NAMED[] = "HTTP/1.1 400 x\r\nx-amzn-ErrorType: ValidationException\r\n";
    assert_int_equal(COUNT_OF(MESSAGES), 11);
    for (size_t i = 0; i < COUNT_OF(MESSAGES); i++) {
        assert_int_equal(judge(400, NAMED, MESSAGES[i]), ERR_CONTEXT_OVERFLOW);
        assert_string_equal(why.type, "ValidationException");
        assert_int_equal(judge_event(EVENT_KIND_EXCEPTION, "validationException", MESSAGES[i]),
                         ERR_CONTEXT_OVERFLOW);
    }
    assert_int_equal(err_remedy(ERR_CONTEXT_OVERFLOW), err_remedy(ERR_REJECTED));
}

/* A throttled call is called again, whatever its message says. */
static void only_a_validation_exception_is_classified_by_its_message(void **state)
{
    (void)state;
    static const char MESSAGE[] = "{\"message\":\"too many input tokens\"}";
    assert_int_equal(judge(400, "x-amzn-errortype: ThrottlingException\r\n", MESSAGE),
                     ERR_THROTTLED);
    assert_int_equal(judge(400, JSON_HEAD, MESSAGE), ERR_REJECTED);
    assert_int_equal(judge_event(EVENT_KIND_EXCEPTION, "throttlingException", MESSAGE),
                     ERR_THROTTLED);
    assert_int_equal(judge(400, "x-amzn-errortype: ValidationException\r\n",
                           "{\"message\":\"the input is too lo\"}"),
                     ERR_REJECTED);
}

static void without_an_error_type_the_status_decides(void **state)
{
    (void)state;
    static const struct {
        int status;
        enum err err;
    } ROWS[] = {
        {400, ERR_REJECTED},        {401, ERR_ACCESS_DENIED}, {403, ERR_ACCESS_DENIED},
        {404, ERR_MODEL_NOT_FOUND}, {407, ERR_BAD_ANSWER},    {408, ERR_MODEL_TIMEOUT},
        {413, ERR_REJECTED},        {424, ERR_MODEL_ERROR},   {429, ERR_THROTTLED},
        {499, ERR_REJECTED},        {500, ERR_UNAVAILABLE},   {502, ERR_UNAVAILABLE},
        {503, ERR_OVERLOADED},      {504, ERR_UNAVAILABLE},   {529, ERR_OVERLOADED},
        {599, ERR_UNAVAILABLE},     {200, ERR_BAD_ANSWER},    {204, ERR_BAD_ANSWER},
        {302, ERR_BAD_ANSWER},      {600, ERR_BAD_ANSWER},    {0, ERR_BAD_ANSWER},
        {-1, ERR_BAD_ANSWER},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        assert_int_equal(judge(ROWS[i].status, JSON_HEAD, "{\"message\":\"m\"}"), ROWS[i].err);
        assert_int_equal(judge(ROWS[i].status, JSON_HEAD, "{\"__type\":\"NeverHeardOfIt\"}"),
                         ROWS[i].err);
        assert_string_equal(why.type, "NeverHeardOfIt");
    }
}

static void a_model_error_is_classified_by_its_original_status(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum err err;
    } ROWS[] = {
        {"{\"originalStatusCode\":429}", ERR_THROTTLED},
        {"{\"originalStatusCode\":500}", ERR_UNAVAILABLE},
        {"{\"originalStatusCode\":503.0}", ERR_UNAVAILABLE},
        {"{\"originalStatusCode\":400}", ERR_MODEL_ERROR},
        {"{\"originalStatusCode\":\"429\"}", ERR_MODEL_ERROR},
        {"{\"originalStatusCode\":600}", ERR_MODEL_ERROR},
        {"{\"originalStatusCode\":-1}", ERR_MODEL_ERROR},
        {"{}", ERR_MODEL_ERROR},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        assert_int_equal(judge(424, "x-amzn-errortype: ModelErrorException\r\n", ROWS[i].body),
                         ROWS[i].err);
        assert_int_equal(judge(424, JSON_HEAD, ROWS[i].body), ROWS[i].err);
    }
    assert_int_equal(
        judge(400, "x-amzn-errortype: ValidationException\r\n", "{\"originalStatusCode\":500}"),
        ERR_REJECTED);
}

static void the_message_comes_from_the_body(void **state)
{
    (void)state;
    (void)judge(400, JSON_HEAD, "{\"message\":\"m\",\"Message\":\"M\"}");
    assert_string_equal(why.message, "m");
    (void)judge(400, JSON_HEAD, "{\"Message\":\"two\\nlines \\u00fc\"}");
    assert_string_equal(why.message, "two lines ü");
    (void)judge(400, JSON_HEAD, "{\"message\":7}");
    assert_string_equal(why.message, "status 400 without a message");
    (void)judge(400, JSON_HEAD, "");
    assert_string_equal(why.message, "status 400 without a body");
}

static void bodies_that_are_not_bedrocks_are_named_as_foreign(void **state)
{
    (void)state;
    static const char *const BODIES[] = {"<html>secret page</html>", "[]",  "{\"a\":1", "7",
                                         "{\"a\":1,\"a\":2}",        "\xff"};
    for (size_t i = 0; i < COUNT_OF(BODIES); i++) {
        assert_int_equal(judge(502, "HTTP/1.1 502 x\r\nContent-Type: text/html\r\n", BODIES[i]),
                         ERR_UNAVAILABLE);
        assert_non_null(strstr(why.message, "not Bedrock's (text/html): a proxy's page?"));
        assert_null(strstr(why.message, "secret"));
    }
    assert_int_equal(judge(200, "HTTP/1.1 200 OK\r\n", "<html>"), ERR_BAD_ANSWER);
    assert_non_null(strstr(why.message, "(no content type)"));
}

static void a_body_over_the_limit_is_not_read(void **state)
{
    (void)state;
    static char body[70000];
    memset(body, ' ', sizeof body);
    memcpy(body, "{\"message\":\"m\"}", 15);
    body[sizeof body - 1] = '\0';
    assert_int_equal(judge(500, JSON_HEAD, body), ERR_UNAVAILABLE);
    assert_non_null(strstr(why.message, "not Bedrock's"));
}

static void long_types_and_messages_are_clipped(void **state)
{
    (void)state;
    static char text[3000], head[3100], body[3100];
    memset(text, 'a', sizeof text - 1);
    (void)snprintf(head, sizeof head, "x-amzn-errortype: %s\r\n", text);
    (void)snprintf(body, sizeof body, "{\"message\":\"%s\"}", text);
    assert_int_equal(judge(400, head, body), ERR_REJECTED);
    assert_int_equal(strlen(why.type), WHY_TYPE_MAX - 1);
    assert_int_equal(strlen(why.message), WHY_MESSAGE_MAX - 1);
}

static void exceptions_in_a_stream_are_classified(void **state)
{
    (void)state;
    assert_int_equal(
        judge_event(EVENT_KIND_EXCEPTION, "throttlingException", "{\"message\":\"slow\"}"),
        ERR_THROTTLED);
    assert_string_equal(why.type, "ThrottlingException");
    assert_string_equal(why.message, "slow");
    assert_int_equal(
        judge_event(EVENT_KIND_EXCEPTION, "validationException", "{\"message\":\"bad\"}"),
        ERR_REJECTED);
    assert_int_equal(
        judge_event(EVENT_KIND_EXCEPTION, "modelErrorException", "{\"originalStatusCode\":500}"),
        ERR_UNAVAILABLE);
    assert_int_equal(judge_event(EVENT_KIND_EXCEPTION, "modelStreamErrorException",
                                 "{\"originalStatusCode\":400,\"message\":\"x\"}"),
                     ERR_BROKEN_STREAM);
    assert_int_equal(judge_event(EVENT_KIND_EXCEPTION, "novelException", "{\"Message\":\"new\"}"),
                     ERR_BROKEN_STREAM);
    assert_string_equal(why.type, "novelException");
    assert_string_equal(why.message, "new");
    assert_int_equal(judge_event(EVENT_KIND_EXCEPTION, NULL, ""), ERR_BROKEN_STREAM);
    assert_string_equal(why.type, "");
}

static void error_events_in_a_stream_count_as_service_errors(void **state)
{
    (void)state;
    const struct event event = {
        .kind = EVENT_KIND_ERROR,
        .type = SLICE("SomethingInternal"),
        .message = SLICE("An internal error occurred."),
        .payload = SLICE(""),
    };
    assert_int_equal(fault_of_event(&event, &why), ERR_UNAVAILABLE);
    assert_string_equal(why.type, "SomethingInternal");
    assert_string_equal(why.message, "An internal error occurred.");
}

static void a_message_that_repeats_a_token_is_masked(void **state)
{
    (void)state;
    struct why own;
    secrets_learn(SLICE("IQoJb3JpZ2luX2VjEXAMPLE//TOKEN+canary=="), false);
    (void)fault_of_answer(
        403, SLICE("x-amzn-errortype: InvalidSignatureException\r\n"),
        SLICE("{\"message\":\"x-amz-security-token:IQoJb3JpZ2luX2VjEXAMPLE\\/\\/TOKEN+"
              "canary== is signed\"}"),
        &own);
    secrets_forget_all();
    assert_string_equal(own.message, "x-amz-security-token:*** is signed");
}

static bool judges(void *self)
{
    (void)self;
    struct why own;
    enum err err = fault_of_answer(424, SLICE("x-amzn-errortype: ThrottlingException\r\n"),
                                   SLICE("{\"message\":\"a\\nb\"}"), &own);
    /* The error type is known without memory, too. */
    assert_int_equal(err, ERR_THROTTLED);
    return strcmp(own.message, "a b") == 0;
}

static void without_memory_the_error_type_still_decides(void **state)
{
    (void)state;
    assert_true(torture(judges, NULL) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_that_repeats_a_token_is_masked),
        cmocka_unit_test(every_error_type_of_the_table_is_recognized),
        cmocka_unit_test(errors_of_bedrock_have_the_right_remedy),
        cmocka_unit_test(an_error_type_is_read_from_all_its_places),
        cmocka_unit_test(an_error_type_is_never_read_from_the_message),
        cmocka_unit_test(words_of_a_prompt_over_the_context_window_are_recognized),
        cmocka_unit_test(only_a_validation_exception_is_classified_by_its_message),
        cmocka_unit_test(without_an_error_type_the_status_decides),
        cmocka_unit_test(a_model_error_is_classified_by_its_original_status),
        cmocka_unit_test(the_message_comes_from_the_body),
        cmocka_unit_test(bodies_that_are_not_bedrocks_are_named_as_foreign),
        cmocka_unit_test(a_body_over_the_limit_is_not_read),
        cmocka_unit_test(long_types_and_messages_are_clipped),
        cmocka_unit_test(exceptions_in_a_stream_are_classified),
        cmocka_unit_test(error_events_in_a_stream_count_as_service_errors),
        cmocka_unit_test(without_memory_the_error_type_still_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
