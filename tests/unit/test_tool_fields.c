/* tools and tool_choice: each form of a tool and of a choice, and what Converse gets for it. */
#include "unit/unit.h"

#include <stdio.h>

#include "unit/request_kit.h"

#define SCHEMA            "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}}}"
#define SPEC(more)        "{\"toolSpec\":{\"name\":\"w\"," more "\"inputSchema\":{\"json\":" SCHEMA "}}}"
#define DESCRIBED         SPEC("\"description\":\"d\",")
#define ASKED_WITH(tools) ASKED "],\"toolConfig\":{\"tools\":[" tools "]}}"

/* A request with these tools, and what is sent of them. */
static void assert_tools(const char *tools, const char *sent)
{
    char value[2048], body[2048];
    (void)snprintf(value, sizeof value, "{" SAID ",\"tools\":[%s]}", tools);
    (void)snprintf(body, sizeof body, ASKED_WITH("%s"), sent);
    assert_body(value, body);
}

static void assert_wrong_tools(const char *tools, const char *field)
{
    char value[2048];
    (void)snprintf(value, sizeof value, "{" SAID ",\"tools\":%s}", tools);
    assert_refused(value, ERR_INVALID, field);
}

static void every_form_of_a_tool_is_read(void **state)
{
    (void)state;
    assert_tools("{\"type\":\"function\",\"function\":{\"name\":\"w\",\"description\":\"d\","
                 "\"parameters\":" SCHEMA "}}",
                 DESCRIBED);
    assert_tools("{\"name\":\"w\",\"description\":\"d\",\"parameters\":" SCHEMA "}", DESCRIBED);
    assert_tools(
        "{\"type\":\"function\",\"name\":\"w\",\"description\":\"d\",\"parameters\":" SCHEMA "}",
        DESCRIBED);
    assert_tools("{\"name\":\"w\",\"description\":\"d\",\"input_schema\":" SCHEMA "}", DESCRIBED);
    assert_tools("{\"title\":\"w\",\"description\":\"d\",\"type\":\"object\",\"properties\":{"
                 "\"city\":{\"type\":\"string\"}}}",
                 DESCRIBED);
    assert_tools(DESCRIBED, DESCRIBED);
    assert_tools("{\"cachePoint\":{\"type\":\"default\"}}," DESCRIBED,
                 "{\"cachePoint\":{\"type\":\"default\"}}," DESCRIBED);
}

static void a_marked_tool_has_a_cache_point_behind_it(void **state)
{
    (void)state;
    assert_body("{" SAID ",\"model\":\"anthropic.claude-3-7-sonnet-20250219-v1:0\",\"tools\":[{"
                "\"name\":\"w\",\"description\":\"d\",\"input_schema\":" SCHEMA
                ",\"cache_control\":{\"type\":\"ephemeral\",\"ttl\":\"1h\"}}]}",
                ASKED_WITH(DESCRIBED ",{\"cachePoint\":{\"type\":\"default\",\"ttl\":\"1h\"}}"));
}

static void a_missing_description_is_the_name(void **state)
{
    (void)state;
    const char *named = SPEC("\"description\":\"w\",");
    assert_tools("{\"name\":\"w\",\"parameters\":" SCHEMA "}", named);
    assert_tools("{\"name\":\"w\",\"description\":\"\",\"parameters\":" SCHEMA "}", named);
    assert_tools("{\"name\":\"w\",\"description\":null,\"input_schema\":" SCHEMA "}", named);
    assert_tools(
        "{\"title\":\"w\",\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}}}",
        named);
    assert_tools(SPEC(""), "{\"toolSpec\":{\"name\":\"w\",\"inputSchema\":{\"json\":" SCHEMA
                           "},\"description\":\"w\"}}");
    assert_tools(SPEC("\"description\":\"\","),
                 "{\"toolSpec\":{\"name\":\"w\",\"inputSchema\":{\"json\":" SCHEMA
                 "},\"description\":\"w\"}}");
}

static void a_tool_without_parameters_takes_none(void **state)
{
    (void)state;
    const char *empty = "{\"toolSpec\":{\"name\":\"w\",\"description\":\"w\",\"inputSchema\":{"
                        "\"json\":{\"type\":\"object\",\"properties\":{}}}}}";
    assert_tools("{\"name\":\"w\"}", empty);
    assert_tools("{\"name\":\"w\",\"parameters\":null}", empty);
    assert_tools("{\"title\":\"w\"}", empty);
}

static void strict_is_sent(void **state)
{
    (void)state;
    assert_tools("{\"function\":{\"name\":\"w\",\"parameters\":{},\"strict\":true}}",
                 "{\"toolSpec\":{\"name\":\"w\",\"description\":\"w\",\"inputSchema\":{\"json\":{}}"
                 ",\"strict\":true}}");
    assert_tools("{\"name\":\"w\",\"parameters\":{},\"strict\":false}",
                 "{\"toolSpec\":{\"name\":\"w\",\"description\":\"w\",\"inputSchema\":{\"json\":{}}"
                 ",\"strict\":false}}");
}

static void tools_of_bedrock_stand_behind_the_others(void **state)
{
    (void)state;
    assert_tools("\"nova_grounding\"," DESCRIBED
                 ",{\"systemTool\":{\"name\":\"x\"}},\"nova_code_interpreter\"",
                 DESCRIBED
                 ",{\"systemTool\":{\"name\":\"nova_grounding\"}},{\"systemTool\":{\"name\":\"x\"}}"
                 ",{\"systemTool\":{\"name\":\"nova_code_interpreter\"}}");
}

static void a_converse_tool_passes_byte_for_byte(void **state)
{
    (void)state;
    const char *tool = "{ \"toolSpec\" : {\"description\":\"caf\\u00e9\", \"name\":\"w\", "
                       "\"inputSchema\":{\"json\":{\"type\":[\"string\",\"null\"],\"maximum\":1."
                       "0e2}}, \"more\":[1.50]} }";
    assert_tools(tool, tool);
}

static void a_schema_is_neither_renamed_nor_rounded(void **state)
{
    (void)state;
    assert_tools("{\"name\":\"w\",\"description\":\"d\",\"parameters\":{ \"type\":\"object\", "
                 "\"$defs\":{\"a_b\":{\"maximum\":12345678901234567890.10}},\"properties\":{\"c_"
                 "d\":{\"$ref\":\"#/$defs/a_b\",\"default\":null}}}}",
                 "{\"toolSpec\":{\"name\":\"w\",\"description\":\"d\",\"inputSchema\":{\"json\":{ "
                 "\"type\":\"object\", "
                 "\"$defs\":{\"a_b\":{\"maximum\":12345678901234567890.10}},\"properties\":{\"c_"
                 "d\":{\"$ref\":\"#/$defs/a_b\",\"default\":null}}}}}}");
}

static void no_tools_are_not_sent(void **state)
{
    (void)state;
    assert_body("{" SAID ",\"tools\":[]}", ASKED "]}");
    assert_body("{" SAID ",\"tools\":null,\"tool_choice\":null}", ASKED "]}");
}

static void wrong_tools_are_rejected_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *tools, *field;
    } cases[] = {
        {"{}", "tools"},
        {"[7]", "tools[0]"},
        {"[\"web\"]", "tools[0]"},
        {"[{}]", "tools[0]"},
        {"[{\"name\":\"w\",\"description\":\"d\"},{\"name\":\"\"}]", "tools[1].name"},
        {"[{\"name\":7}]", "tools[0].name"},
        {"[{\"name\":\"w\",\"description\":7}]", "tools[0].description"},
        {"[{\"name\":\"w\",\"parameters\":[]}]", "tools[0].parameters"},
        {"[{\"name\":\"w\",\"params\":{}}]", "tools[0].params"},
        {"[{\"name\":\"w\",\"strict\":\"yes\"}]", "tools[0].strict"},
        {"[{\"type\":\"tool\",\"name\":\"w\"}]", "tools[0].type"},
        {"[{\"type\":\"function\",\"function\":7}]", "tools[0].function"},
        {"[{\"type\":\"function\",\"function\":{}}]", "tools[0].function.name"},
        {"[{\"type\":\"function\",\"function\":{\"name\":\"w\"},\"name\":\"w\"}]", "tools[0].name"},
        {"[{\"input_schema\":{}}]", "tools[0].name"},
        {"[{\"name\":\"w\",\"input_schema\":[]}]", "tools[0].input_schema"},
        {"[{\"name\":\"w\",\"input_schema\":{},\"cache_control\":1}]", "tools[0].cache_control"},
        {"[{\"title\":\"w\",\"properties\":[]}]", "tools[0].properties"},
        {"[{\"toolSpec\":{}}]", "tools[0].toolSpec.name"},
        {"[{\"toolSpec\":{\"name\":\"w\"},\"name\":\"w\"}]", "tools[0].toolSpec"},
        {"[{\"cachePoint\":7}]", "tools[0].cachePoint"},
        {"[{\"systemTool\":{}}]", "tools[0].systemTool.name"},
        {"[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"\\u0061\"}]", "tools[2]"},
        {"[\"nova_grounding\",\"nova_grounding\"]", "tools[1]"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_wrong_tools(cases[i].tools, cases[i].field);
}

/* "{\"name\":\"t0\"},{\"name\":\"t1\"}" … */
static void add_tools(struct buf *value, int count, int names)
{
    buf_add_text(value, "{" SAID ",\"tools\":[");
    for (int i = 0; i < count; i++)
        buf_addf(value, "%s{\"name\":\"t%d\"}", i > 0 ? "," : "", i % names);
    buf_add_text(value, "]}");
}

static void assert_many_tools(int count, int names, const char *field)
{
    struct buf value OWNED_BY(buf_done);
    buf_init(&value, 1 << 20);
    add_tools(&value, count, names);
    assert_refused(buf_text(&value), ERR_INVALID, field);
}

static void too_many_tools_and_names_twice_are_rejected(void **state)
{
    (void)state;
    assert_many_tools(10000, 10000, "tools");
    assert_many_tools(1000, 999, "tools[999]");
    struct request_kit kit;
    struct buf value OWNED_BY(buf_done);
    buf_init(&value, 1 << 20);
    add_tools(&value, 1000, 1000);
    request_kit_init(&kit);
    assert_int_equal(request_kit_read(&kit, buf_slice(&value)), OK);
    assert_int_equal(kit.request.tool_count, 1000);
    request_kit_done(&kit);
}

static void a_schema_of_a_megabyte_passes(void **state)
{
    (void)state;
    struct request_kit kit;
    struct buf value OWNED_BY(buf_done);
    buf_init(&value, 4 << 20);
    buf_add_text(&value,
                 "{" SAID
                 ",\"tools\":[{\"name\":\"w\",\"parameters\":{\"type\":\"object\",\"properties\":{"
                 "\"first\":{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}");
    for (int i = 0; i < 20000; i++)
        buf_addf(&value, ",\"property_%d\":{\"type\":\"string\",\"x\":\"%016d\"}", i, i);
    buf_add_text(&value, "}}}]}");
    request_kit_init(&kit);
    assert_int_equal(request_kit_read(&kit, buf_slice(&value)), OK);
    assert_true(kit.request.tools[0].schema.len > 1000000);
    request_kit_done(&kit);
}

/* --- the choice --- */

static void assert_choice(const char *choice, const char *sent)
{
    char value[2048], body[2048];
    (void)snprintf(value, sizeof value, "{" SAID ",\"tools\":[" DESCRIBED "],\"tool_choice\":%s}",
                   choice);
    (void)snprintf(body, sizeof body,
                   ASKED "],\"toolConfig\":{\"tools\":[" DESCRIBED "],\"toolChoice\":%s}}", sent);
    assert_body(value, body);
}

static void every_form_of_a_choice_is_sent(void **state)
{
    (void)state;
    static const struct {
        const char *choice, *sent;
    } cases[] = {
        {"\"auto\"", "{\"auto\":{}}"},
        {"\"any\"", "{\"any\":{}}"},
        {"\"required\"", "{\"any\":{}}"},
        {"true", "{\"any\":{}}"},
        {"\"w\"", "{\"tool\":{\"name\":\"w\"}}"},
        {"{\"auto\":{}}", "{\"auto\":{}}"},
        {"{\"any\":{}}", "{\"any\":{}}"},
        {"{\"tool\":{\"name\":\"w\"}}", "{\"tool\":{\"name\":\"w\"}}"},
        {"{\"type\":\"any\"}", "{\"any\":{}}"},
        {"{\"type\":\"auto\",\"disable_parallel_tool_use\":true}", "{\"auto\":{}}"},
        {"{\"type\":\"tool\",\"name\":\"w\"}", "{\"tool\":{\"name\":\"w\"}}"},
        {"{\"type\":\"function\",\"function\":{\"name\":\"w\"}}", "{\"tool\":{\"name\":\"w\"}}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_choice(cases[i].choice, cases[i].sent);
}

static void the_choice_none_sends_no_tools(void **state)
{
    (void)state;
    static const char *const nones[] = {"\"none\"", "{\"none\":{}}", "{\"type\":\"none\"}"};
    char value[1024];
    for (size_t i = 0; i < COUNT_OF(nones); i++) {
        (void)snprintf(value, sizeof value,
                       "{" SAID ",\"tools\":[" DESCRIBED "],\"tool_choice\":%s}", nones[i]);
        assert_body(value, ASKED "]}");
    }
}

static void wrong_choices_are_rejected_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *choice, *field;
    } cases[] = {
        {"7", "tool_choice"},
        {"false", "tool_choice"},
        {"\"\"", "tool_choice"},
        {"\"x\"", "tool_choice"},
        {"{}", "tool_choice"},
        {"{\"any\":7}", "tool_choice"},
        {"{\"any\":{},\"auto\":{}}", "tool_choice"},
        {"{\"all\":{}}", "tool_choice.all"},
        {"{\"tool\":{}}", "tool_choice.tool.name"},
        {"{\"tool\":{\"name\":\"x\"}}", "tool_choice"},
        {"{\"type\":\"all\"}", "tool_choice.type"},
        {"{\"type\":\"tool\"}", "tool_choice.name"},
        {"{\"type\":\"function\"}", "tool_choice.function.name"},
    };
    char value[1024];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        (void)snprintf(value, sizeof value,
                       "{" SAID ",\"tools\":[" DESCRIBED "],\"tool_choice\":%s}", cases[i].choice);
        assert_refused(value, ERR_INVALID, cases[i].field);
    }
    assert_refused("{" SAID ",\"tool_choice\":\"auto\"}", ERR_INVALID, "tool_choice");
    assert_refused("{" SAID ",\"tool_choice\":\"w\",\"tools\":[]}", ERR_INVALID, "tool_choice");
}

static void a_wrong_tool_does_not_make_the_choice_wrong(void **state)
{
    (void)state;
    struct request_kit kit;
    request_kit_init(&kit);
    assert_int_equal(
        request_kit_read(&kit, SLICE("{" SAID ",\"tools\":[7],\"tool_choice\":\"w\"}")),
        ERR_INVALID);
    assert_string_equal(kit.why.field, "tools[0]");
    assert_null(kit.why.others);
    request_kit_done(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_a_tool_is_read),
        cmocka_unit_test(a_marked_tool_has_a_cache_point_behind_it),
        cmocka_unit_test(a_missing_description_is_the_name),
        cmocka_unit_test(a_tool_without_parameters_takes_none),
        cmocka_unit_test(strict_is_sent),
        cmocka_unit_test(tools_of_bedrock_stand_behind_the_others),
        cmocka_unit_test(a_converse_tool_passes_byte_for_byte),
        cmocka_unit_test(a_schema_is_neither_renamed_nor_rounded),
        cmocka_unit_test(no_tools_are_not_sent),
        cmocka_unit_test(wrong_tools_are_rejected_with_their_place),
        cmocka_unit_test(too_many_tools_and_names_twice_are_rejected),
        cmocka_unit_test(a_schema_of_a_megabyte_passes),
        cmocka_unit_test(every_form_of_a_choice_is_sent),
        cmocka_unit_test(the_choice_none_sends_no_tools),
        cmocka_unit_test(wrong_choices_are_rejected_with_their_place),
        cmocka_unit_test(a_wrong_tool_does_not_make_the_choice_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
