/* Content blocks by their list, blocks.def: Converse's forms pass in the roles that may have them,
 * LangChain's types are read or rejected by name. */
#include "unit/unit.h"

#include <stdio.h>

#include "unit/request_kit.h"

/* A request with this block in a message of a role, behind a user's. */
static void write_request(char *ret_text, size_t room, enum role role, const char *block)
{
    static const char *const ROLES[] = {"system", "human", "ai"};
    (void)snprintf(ret_text, room, "{\"messages\":[[\"human\",\"Hi\"],[\"%s\",[%s]]]}", ROLES[role],
                   block);
}

static const struct block *last_block(const struct request *request, enum role role)
{
    const struct turn *turn = &request->turns[request->turn_count - 1];
    return role == ROLE_SYSTEM ? &request->system[request->system_count - 1]
                               : &turn->blocks[turn->count - 1];
}

static void assert_passes(enum block_kind kind, enum role role)
{
    struct request_kit kit;
    char block[100], value[300];
    request_kit_init(&kit);
    (void)snprintf(block, sizeof block, "{\"%s\" : %s}", block_rows[kind].member,
                   kind == BLOCK_TEXT ? "\"x\"" : "{\"a\": 1.0}");
    write_request(value, sizeof value, role, block);
    if (request_kit_read(&kit, slice_of_text(value)) != OK)
        fail_msg("%s: %s", value, kit.why.message);
    const struct block *read = last_block(&kit.request, role);
    assert_int_equal(read->kind, kind);
    assert_true(read->is_converse);
    assert_slice(read->json, block);
    request_kit_done(&kit);
}

static void a_converse_block_passes_in_the_roles_of_its_kind(void **state)
{
    (void)state;
    char block[100], value[300];
    for (enum block_kind kind = 0; kind < BLOCK_RAW; kind++) {
        assert_int_equal(block_kind_of(slice_of_text(block_rows[kind].member)), kind);
        for (enum role role = ROLE_SYSTEM; role <= ROLE_ASSISTANT; role++) {
            if ((block_rows[kind].roles & 1U << role) != 0) {
                assert_passes(kind, role);
                continue;
            }
            (void)snprintf(block, sizeof block, "{\"%s\":{}}", block_rows[kind].member);
            write_request(value, sizeof value, role, block);
            assert_refused(value, ERR_INVALID, "messages[1][1][0]");
        }
    }
}

static void a_block_of_an_unknown_kind_passes_only_in_answers(void **state)
{
    (void)state;
    struct request_kit kit;
    char value[300];
    request_kit_init(&kit);
    assert_int_equal(block_kind_of(SLICE("futureBlock")), BLOCK_RAW);
    write_request(value, sizeof value, ROLE_ASSISTANT, "{\"futureBlock\": {\"a\":1}}");
    assert_int_equal(request_kit_read(&kit, slice_of_text(value)), OK);
    const struct block *read = last_block(&kit.request, ROLE_ASSISTANT);
    assert_int_equal(read->kind, BLOCK_RAW);
    assert_slice(read->json, "{\"futureBlock\": {\"a\":1}}");
    request_kit_done(&kit);
    write_request(value, sizeof value, ROLE_USER, "{\"futureBlock\": {\"a\":1}}");
    assert_refused(value, ERR_INVALID, "messages[1][1][0].futureBlock");
}

static void an_error_lists_the_blocks_that_a_system_message_accepts(void **state)
{
    (void)state;
    struct request_kit kit;
    char value[300];
    request_kit_init(&kit);
    write_request(value, sizeof value, ROLE_SYSTEM, "{\"image\":{}}");
    assert_int_equal(request_kit_read(&kit, slice_of_text(value)), ERR_INVALID);
    assert_non_null(strstr(kit.why.message, ": text, guardContent, cachePoint"));
    request_kit_done(&kit);
}

static void a_type_of_another_vendor_is_rejected_by_name(void **state)
{
    (void)state;
    struct request_kit kit;
    char value[300];
    write_request(value, sizeof value, ROLE_USER, "{\"type\":\"sonnet\"}");
    assert_refused(value, ERR_INVALID, "messages[1][1][0].type");
    request_kit_init(&kit);
    write_request(value, sizeof value, ROLE_ASSISTANT, "{\"type\":\"web_search_call\"}");
    assert_int_equal(request_kit_read(&kit, slice_of_text(value)), ERR_INVALID);
    assert_non_null(strstr(kit.why.message, "\"web_search_call\""));
    request_kit_done(&kit);
}

static void a_type_is_accepted_only_in_the_roles_of_its_row(void **state)
{
    (void)state;
    char value[300];
    write_request(value, sizeof value, ROLE_USER,
                  "{\"type\":\"reasoning_content\",\"reasoning_content\":{\"text\":\"t\"}}");
    assert_refused(value, ERR_INVALID, "messages[1][1][0].type");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_converse_block_passes_in_the_roles_of_its_kind),
        cmocka_unit_test(a_block_of_an_unknown_kind_passes_only_in_answers),
        cmocka_unit_test(an_error_lists_the_blocks_that_a_system_message_accepts),
        cmocka_unit_test(a_type_of_another_vendor_is_rejected_by_name),
        cmocka_unit_test(a_type_is_accepted_only_in_the_roles_of_its_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
