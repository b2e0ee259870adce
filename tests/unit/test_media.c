/* Pictures, documents, videos and sounds in every form that LangChain and the vendors have for
 * them: what Converse gets, and the place and remedy of each mistake. */
#include "unit/unit.h"

#include <stdio.h>

#include "unit/request_kit.h"
#include "unit/torture.h"

#define BODY(block) "{\"messages\":[{\"role\":\"user\",\"content\":[" block "]}]}"
#define ASK(block)  "[[\"human\",[" block "]]]"
#define PNG         "{\"image\":{\"format\":\"png\",\"source\":{\"bytes\":\"Zm9v\"}}}"
#define PDF(name)                                                                                  \
    "{\"document\":{\"format\":\"pdf\",\"name\":\"" name "\",\"source\":{\"bytes\":\"Zm9v\"}}}"
#define MP4 "{\"video\":{\"format\":\"mp4\",\"source\":{\"bytes\":\"Zm9v\"}}}"

static void every_form_of_a_picture_becomes_converses(void **state)
{
    (void)state;
    assert_messages(
        ASK("{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,Zm9v\","
            "\"detail\":\"high\"}}"),
        BODY(PNG));
    assert_messages(ASK("{\"type\":\"image_url\",\"image_url\":\"data:image/png;base64,Zm9v\"}"),
                    BODY(PNG));
    assert_messages(ASK("{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":"
                        "\"image/png\",\"data\":\"Zm9v\"}}"),
                    BODY(PNG));
    assert_messages(ASK("{\"type\":\"image\",\"source_type\":\"base64\",\"mime_type\":"
                        "\"image/png\",\"data\":\"Zm9v\"}"),
                    BODY(PNG));
    assert_messages(ASK("{\"type\":\"image\",\"base64\":\"Zm9v\",\"mime_type\":\"image/png\","
                        "\"id\":\"lc_1\",\"url\":null}"),
                    BODY(PNG));
    assert_messages(ASK("{\"type\":\"image\",\"url\":\"data:image/png;base64,Zm9v\"}"), BODY(PNG));
    assert_messages(ASK("{\"type\":\"image\",\"image\":{\"format\":\"png\",\"source\":{\"bytes\":"
                        "\"Zm9v\"}}}"),
                    BODY(PNG));
    assert_messages(ASK("{\"image\": {\"format\":\"png\",\"source\":{\"bytes\":\"Zm9v\"}}}"),
                    BODY("{\"image\": {\"format\":\"png\",\"source\":{\"bytes\":\"Zm9v\"}}}"));
}

static void every_form_of_a_document_becomes_converses(void **state)
{
    (void)state;
    assert_messages(ASK("{\"type\":\"file\",\"base64\":\"Zm9v\",\"mime_type\":"
                        "\"application/pdf\",\"name\":\"a\"}"),
                    BODY(PDF("a")));
    assert_messages(ASK("{\"type\":\"file\",\"source_type\":\"base64\",\"data\":\"Zm9v\","
                        "\"mime_type\":\"application/pdf\",\"metadata\":{\"name\":\"b\"}}"),
                    BODY(PDF("b")));
    assert_messages(ASK("{\"type\":\"file\",\"file\":{\"file_data\":"
                        "\"data:application/pdf;base64,Zm9v\",\"filename\":\"c\"}}"),
                    BODY(PDF("c")));
    assert_messages(ASK("{\"type\":\"document\",\"source\":{\"type\":\"base64\",\"media_type\":"
                        "\"application/pdf\",\"data\":\"Zm9v\"},\"title\":\"d\"}"),
                    BODY(PDF("d")));
    assert_messages(ASK("{\"type\":\"document\",\"document\":{\"format\":\"pdf\",\"name\":\"e\","
                        "\"source\":{\"bytes\":\"Zm9v\"}}}"),
                    BODY(PDF("e")));
    assert_messages(ASK("{\"type\":\"document\",\"source\":{\"type\":\"text\",\"media_type\":"
                        "\"text/plain\",\"data\":\"foo\"},\"title\":\"g\",\"context\":\"draft\"}"),
                    BODY("{\"document\":{\"format\":\"txt\",\"name\":\"g\",\"source\":{\"bytes\":"
                         "\"Zm9v\"},\"context\":\"draft\"}}"));
    assert_messages(ASK("{\"type\":\"text-plain\",\"text\":\"foo\",\"mime_type\":\"text/plain\","
                        "\"title\":\"f\"}"),
                    BODY("{\"document\":{\"format\":\"txt\",\"name\":\"f\",\"source\":{\"bytes\":"
                         "\"Zm9v\"}}}"));
    assert_messages(ASK("{\"type\":\"file\",\"base64\":\"Zm9v\",\"mime_type\":"
                        "\"application/pdf\",\"name\":\"a\",\"citations\":{\"enabled\":true}}"),
                    BODY("{\"document\":{\"format\":\"pdf\",\"name\":\"a\",\"source\":{\"bytes\":"
                         "\"Zm9v\"},\"citations\":{\"enabled\":true}}}"));
}

static void a_name_is_taken_where_langchain_puts_it(void **state)
{
    (void)state;
    static const char *const MEMBERS[] = {
        "\"name\":\"x\",\"filename\":\"y\",\"metadata\":{\"name\":\"z\"}",
        "\"filename\":\"x\",\"metadata\":{\"name\":\"z\"}",
        "\"metadata\":{\"name\":\"x\"},\"extras\":{\"name\":\"z\"}",
        "\"extras\":{\"name\":\"x\",\"filename\":\"z\"}",
        "\"name\":\"\",\"extras\":{\"filename\":\"x\"}",
    };
    for (size_t i = 0; i < COUNT_OF(MEMBERS); i++) {
        char value[300];
        (void)snprintf(value, sizeof value,
                       "{\"messages\":" ASK("{\"type\":\"file\",\"base64\":\"Zm9v\",\"mime_type\":"
                                            "\"application/pdf\",%s}") "}",
                       MEMBERS[i]);
        assert_body(value, BODY(PDF("x")));
    }
}

/* SHA-256 of `foo` is 2c26b46b68ff…, of `foobar` c3ab8ff13720… */
static void a_document_without_a_name_is_named_by_its_bytes(void **state)
{
    (void)state;
#define NAMELESS(bytes)                                                                            \
    "{\"type\":\"file\",\"base64\":\"" bytes "\",\"mime_type\":\"application/pdf\"}"
    assert_messages("[[\"human\",[" NAMELESS("Zm9v") "," NAMELESS("Zm9vYmFy") "," NAMELESS(
                        "Zm9v") "]],[\"human\",[" NAMELESS("Zm9v") "]]]",
                    BODY(PDF("2c26b46b68ff") ",{\"document\":{\"format\":\"pdf\",\"name\":"
                                             "\"c3ab8ff13720\",\"source\":{\"bytes\":"
                                             "\"Zm9vYmFy\"}}}," PDF("2c26b46b68ff-2") "," PDF(
                                                 "2c26b46b68ff-3")));
}

static void every_form_of_a_video_becomes_converses(void **state)
{
    (void)state;
    assert_messages(ASK("{\"type\":\"video\",\"base64\":\"Zm9v\",\"mime_type\":\"video/mp4\"}"),
                    BODY(MP4));
    assert_messages(ASK("{\"type\":\"video_url\",\"video_url\":{\"url\":"
                        "\"data:video/mp4;base64,Zm9v\"}}"),
                    BODY(MP4));
    assert_messages(ASK("{\"type\":\"video\",\"source\":{\"type\":\"base64\",\"media_type\":"
                        "\"video/mp4\",\"data\":\"Zm9v\"}}"),
                    BODY(MP4));
    assert_messages(ASK("{\"type\":\"video\",\"source\":{\"type\":\"s3Location\",\"media_type\":"
                        "\"video/quicktime\",\"data\":{\"uri\":\"s3://b/k\",\"bucketOwner\":"
                        "\"123456789012\"}}}"),
                    BODY("{\"video\":{\"format\":\"mov\",\"source\":{\"s3Location\":{\"uri\":"
                         "\"s3://b/k\",\"bucketOwner\":\"123456789012\"}}}}"));
}

static void every_form_of_a_sound_becomes_converses(void **state)
{
    (void)state;
#define WAV "{\"audio\":{\"format\":\"wav\",\"source\":{\"bytes\":\"Zm9v\"}}}"
    assert_messages(ASK("{\"type\":\"audio\",\"data\":\"Zm9v\",\"mimeType\":\"audio/wav\"}"),
                    BODY(WAV));
    assert_messages(ASK("{\"type\":\"audio\",\"base64\":\"Zm9v\",\"mime_type\":\"audio/x-wav\"}"),
                    BODY(WAV));
    assert_messages(ASK("{\"type\":\"audio\",\"url\":\"data:audio/wav;base64,Zm9v\"}"), BODY(WAV));
    assert_messages(ASK("{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"Zm9v\",\"format\":"
                        "\"wav\"}}"),
                    BODY(WAV));
    assert_messages(ASK("{\"type\":\"audio\",\"audio\":{\"format\":\"wav\",\"source\":{\"bytes\":"
                        "\"Zm9v\"}}}"),
                    BODY(WAV));
    assert_messages(ASK("{\"type\":\"audio\",\"fileId\":\"s3://b/k\",\"mimeType\":\"audio/mpeg\"}"),
                    BODY("{\"audio\":{\"format\":\"mpeg\",\"source\":{\"s3Location\":{\"uri\":"
                         "\"s3://b/k\"}}}}"));
}

static void an_object_in_s3_has_the_format_of_its_extension(void **state)
{
    (void)state;
    assert_messages(ASK("{\"type\":\"image_url\",\"image_url\":\"s3://b/a.b/c.JPG\"}"),
                    BODY("{\"image\":{\"format\":\"jpeg\",\"source\":{\"s3Location\":{\"uri\":"
                         "\"s3://b/a.b/c.JPG\"}}}}"));
    assert_refused("{\"messages\":" ASK("{\"type\":\"image\",\"url\":\"s3://b/a.png/c\"}") "}",
                   ERR_INVALID, "messages[0][1][0].mime_type");
}

/* By LangChain's table; what a vendor calls x-… and what is a format's own name. */
static void a_media_type_becomes_bedrocks_format(void **state)
{
    (void)state;
    static const char *const TYPES[][4] = {
        {"image", "image", "image/jpeg", "jpeg"},
        {"image", "image", "image/jpg", "jpeg"},
        {"image", "image", "IMAGE/GIF", "gif"},
        {"video", "video", "video/x-matroska", "mkv"},
        {"video", "video", "video/3gpp", "three_gp"},
        {"video", "video", "video/x-ms-wmv", "wmv"},
        {"video", "video", "video/mpg", "mpg"},
        {"audio", "audio", "audio/mpeg", "mpeg"},
        {"audio", "audio", "audio/ogg; codecs=opus", "ogg"},
        {"file", "document", "text/csv", "csv"},
        {"file", "document", "text/x-python", "txt"},
        {"file", "document", "application/xml", "txt"},
        {"file", "document", "text/plain; charset=utf-8", "txt"},
        {"file", "document", "application/vnd.ms-excel", "xls"},
    };
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        char value[300], body[300];
        bool is_file = strcmp(TYPES[i][1], "document") == 0;
        (void)snprintf(value, sizeof value,
                       "{\"messages\":" ASK("{\"type\":\"%s\",\"base64\":\"Zm9v\",\"mime_type\":"
                                            "\"%s\"%s}") "}",
                       TYPES[i][0], TYPES[i][2], is_file ? ",\"name\":\"n\"" : "");
        (void)snprintf(body, sizeof body,
                       BODY("{\"%s\":{\"format\":\"%s\",%s\"source\":{\"bytes\":\"Zm9v\"}}}"),
                       TYPES[i][1], TYPES[i][3], is_file ? "\"name\":\"n\"," : "");
        assert_body(value, body);
    }
}

static void assert_mistake(const char *block, const char *field, const char *words)
{
    struct request_kit kit;
    char value[600], place[200];
    request_kit_init(&kit);
    (void)snprintf(value, sizeof value, "{\"messages\":[[\"human\",[%s]]]}", block);
    (void)snprintf(place, sizeof place, "messages[0][1][0]%s", field);
    assert_int_equal(request_kit_read(&kit, slice_of_text(value)), ERR_INVALID);
    assert_string_equal(kit.why.field, place);
    if (strstr(kit.why.message, words) == NULL)
        fail_msg("%s: %s", block, kit.why.message);
    request_kit_done(&kit);
}

static void the_place_of_a_flaw_in_base64_is_named(void **state)
{
    (void)state;
    assert_mistake("{\"type\":\"image\",\"base64\":\"Zm9vYm!y\",\"mime_type\":\"image/png\"}",
                   ".base64", "character 7 is not base64");
    assert_mistake("{\"type\":\"image_url\",\"image_url\":{\"url\":"
                   "\"data:image/png;base64,Zm9_\"}}",
                   ".image_url.url", "character 26 is base64url");
    assert_mistake("{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":"
                   "\"image/png\",\"data\":\"Zm9vZm9\"}}",
                   ".source.data", "character 8 is missing");
    assert_mistake("{\"type\":\"image\",\"base64\":\"Zm9v\\nYm!y\",\"mime_type\":\"image/png\"}",
                   ".base64", "character 8 is not base64");
    assert_mistake("{\"image\":{\"format\":\"png\",\"source\":{\"bytes\":\"Zm 9\"}}}",
                   ".image.source.bytes", "character");
    assert_mistake("{\"type\":\"image\",\"base64\":\"\",\"mime_type\":\"image/png\"}", ".base64",
                   "no bytes");
}

static void base64_in_lines_is_taken(void **state)
{
    (void)state;
    assert_messages(ASK("{\"type\":\"image\",\"base64\":\"Zm\\r\\n9v\\n\",\"mime_type\":"
                        "\"image/png\"}"),
                    BODY(PNG));
    assert_messages(ASK("{\"type\":\"image\",\"base64\":\"\\/\\/79\",\"mime_type\":\"image/png\"}"),
                    BODY("{\"image\":{\"format\":\"png\",\"source\":{\"bytes\":\"//79\"}}}"));
}

static void an_address_that_the_worker_does_not_open_is_refused_with_a_remedy(void **state)
{
    (void)state;
    static const char *const URLS[] = {"http://169.254.169.254/", "https://a/b.png", "HTTPS://a"};
    for (size_t i = 0; i < COUNT_OF(URLS); i++) {
        char block[200];
        (void)snprintf(block, sizeof block, "{\"type\":\"image_url\",\"image_url\":\"%s\"}",
                       URLS[i]);
        assert_mistake(block, ".image_url", "the worker opens no addresses; send the bytes");
    }
    assert_mistake("{\"type\":\"image\",\"url\":\"file:///etc/passwd\"}", ".url", "s3://");
    assert_mistake("{\"type\":\"image_url\",\"image_url\":\"data:image/png,abc\"}", ".image_url",
                   "must be base64");
    assert_mistake("{\"type\":\"image\",\"file_id\":\"f-1\"}", ".file_id", "keeps no files");
    assert_mistake("{\"type\":\"image\",\"source_type\":\"id\",\"id\":\"f-1\"}", ".id",
                   "keeps no files");
    assert_mistake("{\"type\":\"video\",\"source\":{\"type\":\"s3Location\",\"media_type\":"
                   "\"video/mp4\",\"data\":{\"uri\":\"https://b\"}}}",
                   ".source.data.uri", "s3://");
}

static void a_type_without_a_format_is_refused_by_name(void **state)
{
    (void)state;
    assert_mistake("{\"type\":\"image_url\",\"image_url\":{\"url\":"
                   "\"data:image/bmp;base64,Zm9v\"}}",
                   ".image_url.url", "\"image/bmp\"; it takes png, jpeg, gif, webp");
    assert_mistake("{\"type\":\"image\",\"base64\":\"Zm9v\",\"mime_type\":\"application/pdf\"}",
                   ".mime_type", "\"application/pdf\"");
    assert_mistake("{\"type\":\"file\",\"base64\":\"Zm9v\",\"mime_type\":\"application/zip\"}",
                   ".mime_type", "pdf, csv, doc");
    assert_mistake("{\"type\":\"image\",\"base64\":\"Zm9v\"}", ".mime_type", "missing");
    assert_mistake("{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"data\":\"Zm9v\"}}",
                   ".source.media_type", "missing");
    assert_mistake("{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"Zm9v\",\"format\":"
                   "\"midi\"}}",
                   ".input_audio.format", "\"midi\"");
}

static void a_medium_without_data_is_refused(void **state)
{
    (void)state;
    assert_mistake("{\"type\":\"image\"}", "", "has no data");
    assert_mistake("{\"type\":\"image\",\"base64\":7,\"mime_type\":\"image/png\"}", ".base64",
                   "must be a string");
    assert_mistake("{\"type\":\"image\",\"bas64\":\"Zm9v\"}", ".bas64", "did you mean \"base64\"?");
    assert_mistake("{\"type\":\"image_url\"}", ".image_url", "must be a string");
    assert_mistake("{\"type\":\"input_audio\"}", ".input_audio", "must be an object");
    assert_refused("{\"messages\":[[\"human\",\"a\"],[\"system\",[{\"type\":\"image\"}]]]}",
                   ERR_INVALID, "messages[1][1][0].type");
}

/* For dialects that have another form of it. */
static void a_block_in_converses_form_is_read_as_well(void **state)
{
    (void)state;
    struct request_kit kit;
    request_kit_init(&kit);
    assert_int_equal(
        request_kit_read(
            &kit, SLICE("{\"messages\":[[\"human\",[{\"document\":{\"format\":\"pdf\",\"name\":"
                        "\"a\\u00e4\",\"source\":{\"bytes\":\"Zm9v\"},\"citations\":{\"enabled\":"
                        "true}}},{\"type\":\"video\",\"video\":{\"format\":\"mp4\",\"source\":{"
                        "\"s3_location\":{\"uri\":\"s3://b/k\",\"bucket_owner\":\"1\"}}}}]]]}")),
        OK);
    const struct block *blocks = kit.request.turns[0].blocks;
    assert_slice(blocks[0].media.format, "pdf");
    assert_slice(blocks[0].media.name, "a\xc3\xa4");
    assert_slice(blocks[0].media.bytes, "Zm9v");
    assert_int_equal(blocks[0].cites, CITES);
    assert_slice(blocks[1].media.uri, "s3://b/k");
    assert_slice(blocks[1].media.owner, "1");
    assert_slice(blocks[1].json, "{\"format\":\"mp4\",\"source\":{\"s3Location\":{\"uri\":"
                                 "\"s3://b/k\",\"bucketOwner\":\"1\"}}}");
    request_kit_done(&kit);
}

static void a_template_fills_a_mediums_variables(void **state)
{
    (void)state;
    assert_body(
        "{\"prompt\":{\"template\":" ASK(
            "{\"type\":\"image_url\",\"image_url\":{\"url\":"
            "\"data:image/png;base64,{picture}\"}}") ","
                                                     "\"variables\":{\"picture\":\"Zm9v\"}}}",
        BODY(PNG));
}

/* Claude's own form of a document passes as it is, but no address and no flaw. */
static void a_document_of_claudes_own_is_checked_too(void **state)
{
    (void)state;
#define CLAUDES(source)                                                                            \
    "{\"api\":\"invoke\",\"model\":\"anthropic.claude-3-haiku-20240307-v1:0\",\"messages\":" ASK(  \
        "{\"type\":\"document\",\"source\":" source "}") "}"
    assert_refused(CLAUDES("{\"type\":\"url\",\"url\":\"https://a/b.pdf\"}"), ERR_INVALID,
                   "messages[0][1][0].source.url");
    assert_refused(CLAUDES("{\"type\":\"file\",\"file_id\":\"f\"}"), ERR_INVALID,
                   "messages[0][1][0].source.file_id");
    assert_refused(
        CLAUDES("{\"type\":\"base64\",\"media_type\":\"application/pdf\",\"data\":\"Zm9!\"}"),
        ERR_INVALID, "messages[0][1][0].source.data");
}

static bool read_once(void *self)
{
    const char *value = self;
    struct request_kit kit;
    struct buf body;
    request_kit_init(&kit);
    buf_init(&body, 1 << 20);
    enum err err = request_kit_read(&kit, slice_of_text(value));
    if (err == OK)
        err = dialect_encode(&dialect_converse, &kit.request, &body);
    buf_done(&body);
    request_kit_done(&kit);
    assert_true(err == OK || err == ERR_NO_MEMORY);
    return err == OK;
}

static void a_request_with_media_survives_any_failing_allocation(void **state)
{
    (void)state;
    char value[] = "{\"cache_control\":{\"type\":\"ephemeral\"},\"messages\":" ASK(
        "{\"type\":\"image\",\"base64\":\"Zm\\n9v\",\"mime_type\":\"image\\/png\"},"
        "{\"type\":\"file\",\"base64\":\"Zm9v\",\"mime_type\":\"application/pdf\"},"
        "{\"type\":\"file\",\"text\":\"a\\u00e4\",\"metadata\":{\"name\":\"b\\n\"}},"
        "{\"type\":\"document\",\"document\":{\"source\":{\"s3_location\":{\"uri\":\"s3:\"}}}},"
        "{\"type\":\"guard_content\",\"guard_content\":{\"text\":{\"text\":\"a\\n\"}}},"
        "{\"type\":\"search_result\",\"source\":\"s\",\"title\":\"t\",\"content\":[]},"
        "{\"type\":\"text\",\"text\":\"c\",\"citations\":[{\"source_content\":[]}]},"
        "{\"type\":\"cache_point\",\"ttl\":\"1h\"}") "}";
    assert_true(torture(read_once, value) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_a_picture_becomes_converses),
        cmocka_unit_test(every_form_of_a_document_becomes_converses),
        cmocka_unit_test(a_name_is_taken_where_langchain_puts_it),
        cmocka_unit_test(a_document_without_a_name_is_named_by_its_bytes),
        cmocka_unit_test(every_form_of_a_video_becomes_converses),
        cmocka_unit_test(every_form_of_a_sound_becomes_converses),
        cmocka_unit_test(an_object_in_s3_has_the_format_of_its_extension),
        cmocka_unit_test(a_media_type_becomes_bedrocks_format),
        cmocka_unit_test(the_place_of_a_flaw_in_base64_is_named),
        cmocka_unit_test(base64_in_lines_is_taken),
        cmocka_unit_test(an_address_that_the_worker_does_not_open_is_refused_with_a_remedy),
        cmocka_unit_test(a_type_without_a_format_is_refused_by_name),
        cmocka_unit_test(a_medium_without_data_is_refused),
        cmocka_unit_test(a_block_in_converses_form_is_read_as_well),
        cmocka_unit_test(a_template_fills_a_mediums_variables),
        cmocka_unit_test(a_document_of_claudes_own_is_checked_too),
        cmocka_unit_test(a_request_with_media_survives_any_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
