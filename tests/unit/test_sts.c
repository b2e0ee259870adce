#include "unit/unit.h"

#include <stdio.h>

#include "base/memory.h"
#include "unit/torture.h"
#include "wire/aws/api_key.h"
#include "wire/aws/sts.h"
#include "wire/formats/xml.h"

static struct arena arena;
static struct buf text;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 1024 * 1024);
    buf_init(&text, 65536);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    buf_done(&text);
    assert_int_equal(memory_live(), 0);
    return 0;
}

/* ---- XML ---- */

static const struct xml_leaf *parse(const char *xml)
{
    const struct xml_leaf *first;
    const char *why;
    assert_int_equal(xml_parse(&arena, slice_of_text(xml), &first, &why), OK);
    return first;
}

static void must_refuse(const char *xml, const char *expected)
{
    const struct xml_leaf *first;
    const char *why = "";
    enum err err = xml_parse(&arena, slice_of_text(xml), &first, &why);
    if (err != ERR_FORMAT || strcmp(why, expected) != 0)
        print_message("%s: %s\n", xml, why);
    assert_int_equal(err, ERR_FORMAT);
    assert_string_equal(why, expected);
    assert_null(first);
}

static void texts_are_found_by_their_path(void **state)
{
    (void)state;
    const struct xml_leaf *first =
        parse("<?xml version=\"1.0\"?>\n<a x=\"1\" y:z = '>'>\n <b>one</b><c><b>two</b><d/></c >"
              "<!-- no -->\n <b>three</b><e></e>\n</a>\n<!-- end -->\n");
    assert_slice(xml_text(first, "a/b"), "one");
    assert_slice(xml_text(first, "a/c/b"), "two");
    assert_slice(xml_text(first, "a/c/d"), "");
    assert_slice(xml_text(first, "a/e"), "");
    assert_null(xml_text(first, "a").ptr);
    assert_null(xml_text(first, "b").ptr);
    assert_null(xml_text(first, "a/c").ptr);
    assert_slice(xml_text(parse("<a/>"), "a"), "");
}

static void references_are_decoded(void **state)
{
    (void)state;
    assert_slice(
        xml_text(parse("<a>&lt;&gt;&amp;&quot;&apos; &#65;&#x42;&#xe9;&#8364;&#x1f600;</a>"), "a"),
        "<>&\"' AB\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    static const char *const WRONG[] = {"&bomb;", "&#0;", "&#xd800;", "&#x110000;",  "&#;",
                                        "&#x;",   "&",    "&#1;",     "&#999999999;"};
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        char xml[64];
        (void)snprintf(xml, sizeof xml, "<a>%s</a>", WRONG[i]);
        must_refuse(xml, "an entity that XML does not define");
    }
}

static void what_is_not_needed_is_refused(void **state)
{
    (void)state;
    must_refuse("<!DOCTYPE a [<!ENTITY b \"bb\">]><a>&b;</a>",
                "a declaration (DOCTYPE, CDATA or a processing instruction)");
    must_refuse("<a><![CDATA[x]]></a>",
                "a declaration (DOCTYPE, CDATA or a processing instruction)");
    must_refuse("<a><?php?></a>", "a declaration (DOCTYPE, CDATA or a processing instruction)");
    must_refuse("<a>x<!-- y -->z</a>", "text beside elements");
    must_refuse("", "its end is missing");
    must_refuse("<html><body>", "its end is missing");
    must_refuse("Bad Gateway", "text outside of the root element");
    must_refuse("<a>x<b/></a>", "text beside elements");
    must_refuse("<a><b/>x</a>", "text beside elements");
    must_refuse("<a/><b/>", "a second root element");
    must_refuse("<a></b>", "an end tag that does not match");
    must_refuse("<a></a", "an end tag that does not match");
    must_refuse("</a>", "an end tag that does not match");
    must_refuse("<a b></a>", "an attribute without a quoted value");
    must_refuse("<a b='<'></a>", "an attribute without an end");
    must_refuse("<a\"></a>", "a tag that is not one");
    must_refuse("< a></a>", "a tag that is not one");
    must_refuse("<a><!-- </a>", "a comment within a text");
    must_refuse("<a><b/><!-- </a>", "a comment without an end");
    must_refuse("<a>\xff</a>", "a byte that is not UTF-8 text");
    must_refuse("<?xml <a/>", "a declaration without an end");
}

static void depth_and_number_are_limited(void **state)
{
    (void)state;
    for (int i = 0; i <= XML_DEPTH_MAX; i++)
        buf_add_text(&text, "<a>");
    must_refuse(buf_text(&text), "elements nested too deeply");
    buf_reset(&text);
    buf_add_text(&text, "<a>");
    for (int i = 0; i < XML_ELEMENTS_MAX; i++)
        buf_add_text(&text, "<b/>");
    must_refuse(buf_text(&text), "too many elements");
    buf_reset(&text);
    buf_add_byte(&text, '<');
    for (int i = 0; i < XML_PATH_MAX; i++)
        buf_add_byte(&text, 'a');
    buf_add_text(&text, "/>");
    must_refuse(buf_text(&text), "names that are too long");
}

/* ---- forms, as botocore 1.43 writes them ---- */

static void assume_role_is_a_form(void **state)
{
    (void)state;
    const struct sts_tag tags[] = {{SLICE("team"), SLICE("a b&c")}, {SLICE("k"), SLICE("")}};
    sts_add_assume_role(&text, &(struct sts_role){
                                   .role_arn = SLICE("arn:aws:iam::123456789012:role/My/Role"),
                                   .session_name = SLICE("sess"),
                                   .external_id = SLICE("ext id"),
                                   .duration_s = 900,
                               });
    assert_buf(&text, "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A12345678"
                      "9012%3Arole%2FMy%2FRole&RoleSessionName=sess&ExternalId=ext+id&"
                      "DurationSeconds=900");
    buf_reset(&text);
    sts_add_assume_role(&text, &(struct sts_role){
                                   .role_arn = SLICE("r"),
                                   .session_name = SLICE("\xc3\xa9~"),
                                   .tags = tags,
                                   .tag_count = 2,
                               });
    assert_buf(&text, "Action=AssumeRole&Version=2011-06-15&RoleArn=r&RoleSessionName=%C3%A9~&"
                      "Tags.member.1.Key=team&Tags.member.1.Value=a+b%26c&Tags.member.2.Key=k&"
                      "Tags.member.2.Value=");
}

static void a_web_identity_has_a_token_and_no_external_id(void **state)
{
    (void)state;
    sts_add_assume_role(&text, &(struct sts_role){
                                   .role_arn = SLICE("arn:aws:iam::123456789012:role/r"),
                                   .session_name = SLICE("sess"),
                                   .web_identity_token = SLICE("ey.aa.bb"),
                               });
    assert_buf(&text, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam"
                      "%3A%3A123456789012%3Arole%2Fr&RoleSessionName=sess&WebIdentityToken="
                      "ey.aa.bb");
    buf_reset(&text);
    sts_add_get_caller_identity(&text);
    assert_buf(&text, "Action=GetCallerIdentity&Version=2011-06-15");
}

/* ---- answers ---- */

#define CREDENTIALS                                                                                \
    "<Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s/e&#x2b;c</SecretAccessKey>"   \
    "<SessionToken>tok==</SessionToken><Expiration>2026-11-30T10:00:00Z</Expiration></"            \
    "Credentials>"

static void an_answer_has_keys_with_an_end(void **state)
{
    (void)state;
    static const char *const RESULTS[] = {"AssumeRole", "AssumeRoleWithWebIdentity"};
    for (size_t i = 0; i < COUNT_OF(RESULTS); i++) {
        struct key_answer keys;
        const char *why;
        buf_reset(&text);
        buf_addf(&text,
                 "<%sResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><%sResult>"
                 "<AssumedRoleUser><Arn>a</Arn></AssumedRoleUser>" CREDENTIALS
                 "</%sResult></%sResponse>",
                 RESULTS[i], RESULTS[i], RESULTS[i], RESULTS[i]);
        assert_int_equal(sts_read_keys(&arena, buf_slice(&text), &keys, &why), OK);
        assert_slice(keys.access_key_id, "ASIA1");
        assert_slice(keys.secret_access_key, "s/e+c");
        assert_slice(keys.session_token, "tok==");
        assert_true(keys.expires_wall_ms == INT64_C(1796032800000));
    }
}

static void an_answer_without_keys_says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *body, *why;
    } CASES[] = {
        {"", "its end is missing"},
        {"{}", "text outside of the root element"},
        {"<a/>", "it has no credentials"},
        {"<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>A</AccessKeyId>"
         "<SecretAccessKey>B</SecretAccessKey><SessionToken>C</SessionToken>"
         "<Expiration>soon</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
         "its Expiration is no RFC 3339 date and time"},
        {"<GetCallerIdentityResponse>" CREDENTIALS "</GetCallerIdentityResponse>",
         "it has no credentials"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct key_answer keys;
        const char *why = "";
        assert_int_equal(sts_read_keys(&arena, slice_of_text(CASES[i].body), &keys, &why),
                         ERR_FORMAT);
        assert_string_equal(why, CASES[i].why);
    }
}

static void the_caller_has_an_account_and_an_arn(void **state)
{
    (void)state;
    struct sts_caller caller;
    const char *why;
    struct slice body = SLICE(
        "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::1:assumed-role/r/s"
        "</Arn><UserId>AROA:s</UserId><Account>1</Account></GetCallerIdentityResult>"
        "</GetCallerIdentityResponse>");
    assert_int_equal(sts_read_caller(&arena, body, &caller, &why), OK);
    assert_slice(caller.account, "1");
    assert_slice(caller.arn, "arn:aws:sts::1:assumed-role/r/s");
    assert_int_equal(sts_read_caller(&arena, SLICE("<a/>"), &caller, &why), ERR_FORMAT);
}

static void an_error_has_a_code_and_a_message(void **state)
{
    (void)state;
    struct sts_error error;
    sts_read_error(SLICE("<ErrorResponse xmlns=\"x\"><Error><Type>Sender</Type><Code>AccessDenied"
                         "</Code><Message>not\nyou</Message></Error></ErrorResponse>"),
                   &error);
    assert_string_equal(error.code, "AccessDenied");
    assert_string_equal(error.message, "not you");
    sts_read_error(SLICE("<html>"), &error);
    assert_string_equal(error.code, "");
}

/* Made by aws-bedrock-token-generator's rules with botocore: a presigned URL of
 * 2026-01-02T03:04:05Z, valid for twelve hours. */
static void a_short_term_api_key_says_when_it_ends(void **state)
{
    (void)state;
    assert_true(
        api_key_expires_ms(SLICE(
            "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29tLz9BY3Rpb249Q2FsbFdpdGhCZWFyZXJUb2tlb"
            "iZYLUFtei1EYXRlPTIwMjYwMTAyVDAzMDQwNVomWC1BbXotRXhwaXJlcz00MzIwMCZWZXJzaW9uPTE"
            "=")) == INT64_C(1767366245000));
    static const char *const OTHERS[] = {
        "",
        "bedrock-api-key-",
        "bedrock-api-key-!",
        "ABSKlong-term",
        "bedrock-api-key-YmVkcm9jaw==",
        "bedrock-api-key-YS8/WC1BbXotRGF0ZT0yMDI2JlgtQW16LUV4cGlyZXM9MQ=="};
    for (size_t i = 0; i < COUNT_OF(OTHERS); i++)
        assert_true(api_key_expires_ms(slice_of_text(OTHERS[i])) == INT64_MAX);
}

static bool reads(void *self)
{
    (void)self;
    struct arena own;
    struct key_answer keys;
    const char *why;
    arena_init(&own, 1024 * 1024);
    enum err err = sts_read_keys(&own,
                                 SLICE("<AssumeRoleResponse><AssumeRoleResult>" CREDENTIALS
                                       "</AssumeRoleResult></AssumeRoleResponse>"),
                                 &keys, &why);
    assert_true(err == OK || err == ERR_NO_MEMORY);
    arena_done(&own);
    return err == OK;
}

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    assert_true(torture(reads, NULL) > 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(texts_are_found_by_their_path),
        CASE(references_are_decoded),
        CASE(what_is_not_needed_is_refused),
        CASE(depth_and_number_are_limited),
        CASE(assume_role_is_a_form),
        CASE(a_web_identity_has_a_token_and_no_external_id),
        CASE(an_answer_has_keys_with_an_end),
        CASE(an_answer_without_keys_says_what_is_wrong),
        CASE(the_caller_has_an_account_and_an_arn),
        CASE(an_error_has_a_code_and_a_message),
        CASE(a_short_term_api_key_says_when_it_ends),
        CASE(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
