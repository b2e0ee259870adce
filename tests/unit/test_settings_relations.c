/* Rules across settings: contradictory settings, and settings that would fail requests. */
#include "unit/settings_kit.h"

static void contradictory_settings_are_rejected(void **state)
{
    (void)state;
    assert_problems("delivery: {max_held: 100}\n",
                    "w.yaml:1:22: delivery.max_held: delivery.max_in_flight must not be above "
                    "delivery.max_held; change one of them\n");
    assert_problem("delivery: {drain_timeout: 6m}\n", "w.yaml:1:27: delivery.drain_timeout: ");
    assert_problem("kafka: {consumer: {max.poll.interval.ms: 60000}}\n",
                   "delivery.drain_timeout: must be below max.poll.interval.ms (60000 ms)");
    assert_problem("delivery: {commit_interval: 20s}\n", "kafka.transaction_timeout");
    assert_problem("topics: {responses: bedrock.requests}\n",
                   "w.yaml:1:21: topics.responses: topic bedrock.requests is in topics.requests");
    assert_problem("topics: {requests: [a, a]}\n", "topic a is there twice");
    assert_problems("topics: {responses: bedrock.usage}\n",
                    "w.yaml:1:21: topics.responses: topic bedrock.usage is topics.responses and "
                    "topics.usage: its readers cannot distinguish the records; use two topics\n");
    assert_problem("models: {default: claude}\n",
                   "w.yaml:1:19: models.default: \"claude\" is neither an alias");
    assert_problem("delivery: {dead_letters: false, error_responses: false}\n",
                   "is off, and so is delivery.error_responses");
    assert_problem("kafka: {static_membership: true}\n", "set kafka.instance");
    assert_problem("bedrock: {endpoint_url: 'http://127.0.0.1:1', fips: true}\n", "has no effect");
    assert_problem("bedrock: {timeouts: {total: 10s}}\n",
                   "bedrock.timeouts.first_byte must not be");
    assert_problem("bedrock: {retry: {max_delay: 500ms}}\n",
                   "bedrock.retry.throttle_base must not");
}

static void one_mistake_does_not_hide_another(void **state)
{
    (void)state;
    assert_problems(
        "kafka: {group_idd: x}\n"
        "delivery:\n"
        "  max_in_flight: 600\n"
        "  max_held: 500\n"
        "  drain_timeout: 6m\n"
        "models: {default: claude}\n",
        "w.yaml:1:9: kafka.group_idd: unknown setting; did you mean kafka.group_id?\n"
        "w.yaml:3:18: delivery.max_in_flight: delivery.max_in_flight must not be above "
        "delivery.max_held; change one of them\n"
        "w.yaml:5:18: delivery.drain_timeout: delivery.drain_timeout must be below "
        "kafka.max_poll_interval; change one of them\n"
        "w.yaml:6:19: models.default: \"claude\" is neither an alias from the settings nor a "
        "model id or ARN (the settings have no aliases)\n");
    assert_problems(
        "delivery: {max_in_flight: 600, max_held: few, drain_timeout: soon}\n",
        "w.yaml:1:42: delivery.max_held: 'few' is not a whole number\n"
        "w.yaml:1:62: delivery.drain_timeout: 'soon' is not a duration such as 200ms, 30s, "
        "5m or 1h\n");
    assert_problems(
        "kafka: {static_membership: true, instance: 'a b'}\n",
        "w.yaml:1:44: kafka.instance: is not a name; use printable ASCII without spaces, "
        "at most 200\n");
}

static void a_duplicate_topic_is_reported_once(void **state)
{
    (void)state;
    assert_problems("topics: {requests: [a, a], responses: a}\n",
                    "w.yaml:1:20: topics.requests: topic a is there twice; keep one\n"
                    "w.yaml:1:39: topics.responses: topic a is in topics.requests and "
                    "topics.responses: its records would become requests again; use two topics\n");
}

static void a_default_model_that_is_not_a_text_is_rejected(void **state)
{
    (void)state;
    static const char *const NONE[] = {"[1]", "{a: 1}", "~", ""};
    for (size_t i = 0; i < COUNT_OF(NONE); i++) {
        char text[100];
        (void)snprintf(text, sizeof text,
                       "models: {aliases: {a: {id: x.y, defaults: {top_k: %s}}}}\n", NONE[i]);
        assert_problem(text, "w.yaml:1:");
        assert_problem(text, "models.aliases.a.defaults.top_k: ");
        assert_problem(text, "; write a text");
    }
}

static void models_and_templates_are_checked(void **state)
{
    (void)state;
    assert_problem("models: {aliases: {a: {}}}\n", "models.aliases.a: has no id");
    assert_problem("models: {aliases: {a: x.y}}\n",
                   "models.aliases.a: is a text; write a map such as {id: ");
    assert_problem("models: {aliases: {a: {id: x.y, regiom: 1}}}\n",
                   "models.aliases.a.regiom: unknown; did you mean region?");
    assert_problem(
        "models: {aliases: {a: {id: x.y, note: 1}}}\n",
        "an alias has id, api, region, defaults, drop, identity, fallback and fallback_after");
    assert_problem("models: {aliases: {a: {id: x.y, defaults: {temprature: 1}}}}\n",
                   "defaults.temprature: unknown; did you mean temperature?");
    assert_problem("models: {aliases: {a: {id: x.y, api: chat}}}\n",
                   "is not one of auto, converse");
    assert_problem("models: {aliases: {a: {id: x.y, defaults: {temperature: warm}}}}\n",
                   "w.yaml:1:57: models.aliases.a.defaults.temperature: must be a number from 0");
    assert_problem("models: {aliases: {a: {id: x.y, defaults: {max_tokens: 1.5}}}}\n",
                   "must be a whole number from 1");
    assert_problem("models: {aliases: {a: {id: x.y, defaults: {stop: END}}}}\n",
                   "is not a list of texts");
    assert_problem("models: {aliases: {a: {id: 'x\\ny'}, b: {id: \"x\\ny.z\"}}}\n",
                   "models.aliases.b.id: is not a model");
    assert_problem("templates: {t: [[human, 'Hi {name']]}\n",
                   "w.yaml:1:25: templates.t: is not a template: ");
    assert_problem("templates: {t: [[robot, 'Hi']]}\n",
                   "the role must be system, user (human) or assistant (ai)");
    assert_problem("templates: {t: []}\n", "is not a list of messages");
    assert_problem("templates: {t: [human]}\n", "write a role and a text such as");
}

static void librdkafka_properties_are_checked(void **state)
{
    (void)state;
    assert_problem("kafka: {client: {enable.auto.commit: true}}\n",
                   "w.yaml:1:38: kafka.client.enable.auto.commit: is rejected: ");
    assert_problem("kafka: {producer: {no.such.property: 1}}\n", "librdkafka rejects it: ");
    assert_problem("kafka: {client: {linger.ms: [1]}}\n", "is a list; write a text");
    struct reading *reading = read_text("kafka: {client: {sasl.mechanisms: ['${SECRET}'], "
                                        "security.protocol: nonsense, ssl.key.password: "
                                        "'${SECRET}'}}\n");
    assert_null(strstr(buf_text(&reading->text), "canary"));
    end(reading);
    assert_problem("kafka: {client: {security.protocol: '${SECRET}'}}\n",
                   "librdkafka rejects it: Invalid value \"***\" for configuration property "
                   "\"security.protocol\"");
}

static void a_limit_below_what_outputs_need_is_rejected(void **state)
{
    (void)state;
    assert_problems(
        "kafka: {producer: {message.max.bytes: 1000}}\n",
        "w.yaml:1:39: kafka.producer.message.max.bytes: must be at least 34603008: "
        "responses, usage and dead letters may be that large (bedrock.max_answer_size, "
        "delivery.max_request_size), and librdkafka would reject larger ones; remove it\n");
    assert_problem("kafka: {client: {message.max.bytes: '34603007'}}\n",
                   "w.yaml:1:37: kafka.client.message.max.bytes: must be at least 34603008: ");
    assert_problem(
        "kafka: {client: {message.max.bytes: 99000000}}\nbedrock: {max_answer_size: 64MiB}\n",
        "w.yaml:1:37: kafka.client.message.max.bytes: must be at least 140509184: ");
    static const char *const GOOD[] = {
        "kafka: {client: {message.max.bytes: 34603008}}\n",
        "kafka: {client: {message.max.bytes: 1000}, producer: {message.max.bytes: 50000000}}\n",
    };
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        struct reading *reading = read_text(GOOD[i]);
        assert_good(reading);
        end(reading);
    }
}

static void heartbeats_too_far_apart_for_the_session_are_rejected(void **state)
{
    (void)state;
    assert_problems(
        "kafka: {consumer: {heartbeat.interval.ms: 16000}}\n",
        "w.yaml:1:43: kafka.consumer.heartbeat.interval.ms: heartbeats every 16000 ms are "
        "more than a third of the session's 45000 ms apart: a worker that lost its "
        "partitions would learn of it too late; remove it, and set kafka.session_timeout\n");
    assert_problem(
        "kafka: {client: {session.timeout.ms: 6000}}\n",
        "w.yaml:1:38: kafka.client.session.timeout.ms: heartbeats every 3000 ms are more "
        "than a third of the session's 6000 ms apart");
    static const char *const GOOD[] = {
        "kafka: {consumer: {heartbeat.interval.ms: 15000}}\n",
        "kafka: {client: {heartbeat.interval.ms: 2000, session.timeout.ms: 6000}}\n",
        "kafka: {producer: {heartbeat.interval.ms: 9000}, session_timeout: 1s}\n",
    };
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        struct reading *reading = read_text(GOOD[i]);
        assert_good(reading);
        end(reading);
    }
}

static void settings_that_would_fail_every_request_are_rejected(void **state)
{
    (void)state;
    assert_problems(
        "models: {aliases: {a: {id: x.y, defaults: {top_p: 3, top_k: -1, temperature: 0}}}}\n",
        "w.yaml:1:51: models.aliases.a.defaults.top_p: must be a number from 0 to 1\n"
        "w.yaml:1:61: models.aliases.a.defaults.top_k: must be a whole number from 0\n");
    assert_problems("models: {default: 'arn:aws:bedrock'}\n",
                    "w.yaml:1:19: models.default: is not a complete ARN\n");
    assert_problems("models: {default: a, aliases: {a: {id: 'arn:aws:bedrock'}}}\n",
                    "w.yaml:1:40: models.aliases.a.id: is not a complete ARN\n");
    assert_problems(
        "models: {default: claud, aliases: {claude: {id: x.y}}}\n",
        "w.yaml:1:19: models.default: \"claud\" is neither an alias from the settings nor a "
        "model id or ARN (aliases: claude); did you mean \"claude\"?\n");
    struct reading *reading = read_text("templates: {t: [[system, 'Be brief.']]}\n");
    assert_good(reading);
    end(reading);
    assert_problems(
        "templates: {t: [[system, a], [ai, '{b}'], [human, c]]}\n",
        "w.yaml:1:30: templates.t: the conversation must begin with a user message (after "
        "system messages)\n");
    assert_problems("models: {aliases: {a: {id: x.y, region: -us-}}}\n",
                    "w.yaml:1:41: models.aliases.a.region: is not an AWS region; write one such as "
                    "us-east-1\n");
}

static void a_default_is_stored_as_a_request_would_write_it(void **state)
{
    (void)state;
    struct reading *reading = read_text(
        "models: {aliases: {a: {id: x.y, defaults: {max_tokens: 1e3, top_k: 0, top_p: 1.0}}}}\n");
    assert_good(reading);
    assert_slice(reading->settings.models_aliases.list[0].defaults[PARAMETER_MAX_TOKENS], "1000");
    assert_slice(reading->settings.models_aliases.list[0].defaults[PARAMETER_TOP_K], "0");
    assert_slice(reading->settings.models_aliases.list[0].defaults[PARAMETER_TOP_P], "1.0");
    end(reading);
}

static void assert_clients_tell(const char *text, const char *words)
{
    struct reading *reading = read_text(text);
    buf_reset(&reading->text);
    assert_false(settings_try_clients(&reading->settings, &reading->problems));
    problems_add_text(&reading->problems, &reading->text);
    assert_string_equal(buf_text(&reading->text), words);
    end(reading);
}

static void a_client_that_librdkafka_rejects_is_reported_at_its_property(void **state)
{
    (void)state;
    assert_clients_tell(
        "kafka: {client: {client.id: a}, producer: {linger.ms: 1, max.in.flight: 9}}\n",
        "w.yaml:1:73: kafka.producer.max.in.flight: librdkafka creates no client "
        "with it: `max.in.flight` must be set <= 5 when `enable.idempotence` is "
        "true\n");
    assert_clients_tell("kafka: {client: {security.protocol: sasl_plaintext, sasl.username: u, "
                        "sasl.password: '${SECRET}', sasl.mechanism: PLAIN}, consumer: "
                        "{session.timeout.ms: 400000}}\ndelivery: {max_helt: 1}\n",
                        "w.yaml:1:154: kafka.consumer.session.timeout.ms: librdkafka creates no "
                        "client with it: `max.poll.interval.ms`must be >= `session.timeout.ms`\n"
                        "w.yaml:2:12: delivery.max_helt: unknown setting; did you mean "
                        "delivery.max_held?\n");
    assert_clients_tell(
        "kafka: {session_timeout: 10m}\n",
        "w.yaml:1:26: kafka.session_timeout: kafka.session_timeout must not be above "
        "kafka.max_poll_interval; change one of them\n");
    struct reading *reading = read_text("kafka: {client: {security.protocol: ssl}}\n");
    assert_true(settings_try_clients(&reading->settings, &reading->problems));
    end(reading);
    static const char *const NO_FILE[] = {
        "kafka: {client: {ssl.ca.location: /no/such.pem, security.protocol: ssl}}\n",
        "kafka: {client: {security.protocol: ssl, ssl.ca.location: /no/such.pem}}\n",
    };
    for (size_t i = 0; i < COUNT_OF(NO_FILE); i++) {
        reading = read_text(NO_FILE[i]);
        assert_false(settings_try_clients(&reading->settings, &reading->problems));
        assert_string_equal(reading->problems.list[0].path, "kafka.client.ssl.ca.location");
        assert_non_null(strstr(reading->problems.list[0].text, "ssl.ca.location failed: "));
        assert_int_equal(reading->problems.count, 1);
        end(reading);
    }
}

static void a_login_to_msk_contradicts_other_logins(void **state)
{
    (void)state;
    static const char *const GOOD[] = {
        "kafka: {auth: aws_msk_iam, identity: {profile: x}}\n",
        "kafka: {client: {sasl.mechanism: AWS_MSK_IAM, security.protocol: SASL_SSL}}\n",
    };
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        struct reading *reading = read_text(GOOD[i]);
        assert_good(reading);
        end(reading);
    }
    assert_problem("kafka: {auth: aws_msk_iam, client: {security.protocol: SSL}}\n",
                   "kafka.client.security.protocol: contradicts kafka.auth: aws_msk_iam");
    assert_problem("kafka: {auth: aws_msk_iam, producer: {sasl.mechanisms: PLAIN}}\n",
                   "kafka.producer.sasl.mechanisms: contradicts kafka.auth: aws_msk_iam");
    assert_problem("kafka: {region: us-east-1}\n", "has no effect without kafka.auth: aws_msk_iam");
    assert_problem("kafka: {identity: {role_arn: 'arn:aws:iam::123456789012:role/x'}}\n",
                   "has no effect without kafka.auth: aws_msk_iam");
    assert_problem("bedrock: {client_key: /dev/null}\n",
                   "bedrock.client_key: has no effect without bedrock.client_certificate");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contradictory_settings_are_rejected),
        cmocka_unit_test(one_mistake_does_not_hide_another),
        cmocka_unit_test(a_login_to_msk_contradicts_other_logins),
        cmocka_unit_test(a_duplicate_topic_is_reported_once),
        cmocka_unit_test(a_default_model_that_is_not_a_text_is_rejected),
        cmocka_unit_test(models_and_templates_are_checked),
        cmocka_unit_test(librdkafka_properties_are_checked),
        cmocka_unit_test(a_limit_below_what_outputs_need_is_rejected),
        cmocka_unit_test(heartbeats_too_far_apart_for_the_session_are_rejected),
        cmocka_unit_test(settings_that_would_fail_every_request_are_rejected),
        cmocka_unit_test(a_default_is_stored_as_a_request_would_write_it),
        cmocka_unit_test(a_client_that_librdkafka_rejects_is_reported_at_its_property),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
