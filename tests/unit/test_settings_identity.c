#include "unit/settings_kit.h"

#define ROLE "arn:aws:iam::111122223333:role/path/worker"

static void must_say(const char *text, const char *part)
{
    struct reading *reading = read_text(text);
    assert_false(reading->is_good);
    if (strstr(buf_text(&reading->text), part) == NULL)
        fail_msg("the problems are: %s", buf_text(&reading->text));
    end(reading);
}

static void an_identity_is_read(void **state)
{
    (void)state;
    struct reading *reading =
        read_text("bedrock: {identity: {profile: work, role_arn: " ROLE ", external_id: 'a:b/c', "
                  "session_name: me@x, session_tags: {team: search, Cost: '${CALLS}'}}}\n");
    assert_true(reading->is_good);
    const struct setting_identity identity = settings_default_identity(&reading->settings);
    assert_slice(identity.profile, "work");
    assert_slice(identity.role_arn, ROLE);
    assert_slice(identity.external_id, "a:b/c");
    assert_slice(identity.session_name, "me@x");
    assert_int_equal(identity.session_tags.count, 2);
    assert_slice(identity.session_tags.list[1].key, "Cost");
    assert_slice(identity.session_tags.list[1].value, "12");
    end(reading);
}

static void the_old_name_of_the_profile_gets_a_hint(void **state)
{
    (void)state;
    must_say("bedrock: {profile: work}\n",
             "bedrock.profile: unknown setting; did you mean bedrock.identity.profile?");
}

static void aliases_with_equal_identities_share_one(void **state)
{
    (void)state;
    struct reading *reading = read_text(
        "models:\n  aliases:\n    a: {id: m.a, identity: {profile: x}}\n    b: {id: m.b}\n"
        "    c: {id: m.c, identity: {profile: y, session_name: ''}}\n"
        "    d: {id: m.d, identity: {profile: x}}\n");
    if (!reading->is_good)
        fail_msg("%s", buf_text(&reading->text));
    const struct setting_aliases *aliases = &reading->settings.models_aliases;
    assert_int_equal(aliases->identity_count, 2);
    assert_int_equal(aliases->list[0].identity, 1);
    assert_int_equal(aliases->list[1].identity, 0);
    assert_int_equal(aliases->list[2].identity, 2);
    assert_int_equal(aliases->list[3].identity, 1);
    assert_slice(aliases->identities[1].profile, "y");
    struct reading *other =
        read_text("models: {aliases: {a: {id: m.a, identity: {profile: x}}}}\n");
    assert_true(settings_identities_equal(&reading->settings, &reading->settings));
    assert_false(settings_identities_equal(&reading->settings, &other->settings));
    end(other);
    end(reading);
}

static void parts_that_need_a_role_or_do_not_go_together_are_named(void **state)
{
    (void)state;
    must_say("bedrock: {identity: {external_id: abc}}\n",
             "bedrock.identity: has external_id, which needs role_arn");
    must_say("bedrock: {identity: {session_tags: {a: b}}}\n",
             "bedrock.identity: has session_tags, which needs role_arn");
    must_say("models: {aliases: {a: {id: m.a, identity: {session_name: abc}}}}\n",
             "models.aliases.a.identity: has session_name, which needs role_arn");
    must_say("bedrock: {identity: {token_file: /x, role_arn: " ROLE "}}\n",
             "a Bedrock API key cannot assume a role");
}

static void wrong_forms_are_named(void **state)
{
    (void)state;
    must_say("bedrock: {identity: {role_arn: worker}}\n", "role_arn: is not a role; write its ARN");
    must_say("bedrock: {identity: {role_arn: " ROLE ", session_name: x}}\n",
             "session_name: is not a session name");
    must_say("bedrock: {identity: {role_arn: " ROLE ", external_id: 'a b'}}\n",
             "external_id: is not an external id");
    must_say("bedrock: {identity: {session_tags: [a]}}\n", "session_tags: ");
    must_say("models: {aliases: {a: {id: m.a, identity: x}}}\n", "models.aliases.a.identity: ");
    must_say("models: {aliases: {a: {id: m.a, identity: {profil: x}}}}\n", "did you mean profile?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_identity_is_read),
        cmocka_unit_test(the_old_name_of_the_profile_gets_a_hint),
        cmocka_unit_test(aliases_with_equal_identities_share_one),
        cmocka_unit_test(parts_that_need_a_role_or_do_not_go_together_are_named),
        cmocka_unit_test(wrong_forms_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
