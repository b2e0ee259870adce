/* The inference parameters: whatever parameters.def lists is read, filled in from an alias, taken
 * out of model_kwargs, sent, and named by settings and schema. */
#include "unit/unit.h"

#include <stdio.h>

#include "app/settings/settings.h"
#include "unit/request_kit.h"
#include "wire/chat/presets.h"

/* A valid value of each form, as written and as kept. */
static const char *const GOOD[] = {
    [PARAMETER_NUMBER] = "0.5", [PARAMETER_WHOLE] = "17", [PARAMETER_TEXTS] = "[\"END\"]"};

static void assert_sent(const struct request *request, const struct parameter_row *row)
{
    struct buf sent OWNED_BY(buf_done);
    char part[200];
    buf_init(&sent, 1 << 16);
    assert_int_equal(dialect_encode(&dialect_converse, request, &sent), OK);
    (void)snprintf(part, sizeof part, "{\"%s\":%s}}",
                   row->converse != NULL ? row->converse : row->name, GOOD[row->form]);
    if (strstr(buf_text(&sent), part) == NULL)
        fail_msg("%s\nis not in\n%s", part, buf_text(&sent));
}

/* `where` "" = in the request, else in this object of it. */
static void assert_kept(const char *where, const struct parameter_row *row, const char *name)
{
    struct request_kit kit;
    char value[512];
    request_kit_init(&kit);
    (void)snprintf(value, sizeof value, "{" SAID ",%s\"%s\":%s%s}", where, name, GOOD[row->form],
                   where[0] == '\0' ? "" : "}");
    if (request_kit_read(&kit, slice_of_text(value)) != OK)
        fail_msg("%s: %s", value, kit.why.message);
    assert_slice(kit.request.parameters[row - parameter_rows], GOOD[row->form]);
    assert_sent(&kit.request, row);
    request_kit_done(&kit);
}

static void every_parameter_is_sent_from_every_place_it_may_have(void **state)
{
    (void)state;
    for (const struct parameter_row *row = parameter_rows; row < parameter_rows + PARAMETER_COUNT;
         row++) {
        assert_int_equal(parameter_find(slice_of_text(row->name)), row - parameter_rows);
        assert_kept("", row, row->name);
        assert_kept("\"model_kwargs\":{", row, row->name);
        if (row->other != NULL)
            assert_kept("\"model_kwargs\":{", row, row->other);
    }
}

static void an_alias_can_set_a_default_for_every_parameter(void **state)
{
    (void)state;
    for (enum parameter i = 0; i < PARAMETER_COUNT; i++) {
        struct request_kit kit;
        request_kit_init(&kit);
        kit.aliases[1].defaults[i] = slice_of_text(GOOD[parameter_rows[i].form]);
        assert_int_equal(request_kit_read(&kit, SLICE("{" SAID "}")), OK);
        assert_sent(&kit.request, &parameter_rows[i]);
        request_kit_done(&kit);
    }
}

static void settings_and_their_schema_name_every_default(void **state)
{
    (void)state;
    struct buf page OWNED_BY(buf_done), schema OWNED_BY(buf_done);
    struct arena arena OWNED_BY(arena_done);
    const struct json *node = NULL;
    buf_init(&page, 1 << 20);
    buf_init(&schema, 1 << 20);
    arena_init(&arena, 16 << 20);
    settings_add_reference(&page);
    settings_add_schema(&schema);
    assert_int_equal(json_parse(&arena, buf_slice(&schema), &node, NULL), OK);
    static const char *const PATH[] = {
        "properties",           "models",     "properties", "aliases",
        "additionalProperties", "properties", "defaults",   "properties"};
    for (size_t i = 0; i < COUNT_OF(PATH); i++)
        node = json_member(node, PATH[i]);
    size_t preset_count = 0;
    const struct preset_row *presets = preset_rows(&preset_count);
    assert_int_equal(node->count, PARAMETER_COUNT + preset_count);
    for (size_t i = 0; i < preset_count; i++) {
        assert_non_null(strstr(buf_text(&page), presets[i].name));
        assert_non_null(json_member(node, presets[i].name));
    }
    for (enum parameter i = 0; i < PARAMETER_COUNT; i++) {
        assert_non_null(strstr(buf_text(&page), parameter_rows[i].name));
        assert_non_null(json_member(node, parameter_rows[i].name));
    }
}

static void an_unknown_parameter_is_not_found(void **state)
{
    (void)state;
    assert_int_equal(parameter_find(SLICE("stop_sequences")), PARAMETER_COUNT);
    assert_int_equal(parameter_find(SLICE("")), PARAMETER_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_parameter_is_sent_from_every_place_it_may_have),
        cmocka_unit_test(an_alias_can_set_a_default_for_every_parameter),
        cmocka_unit_test(settings_and_their_schema_name_every_default),
        cmocka_unit_test(an_unknown_parameter_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
