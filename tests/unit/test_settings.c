/* The settings reader: what a file may say, and how its mistakes are reported. */
#include "unit/settings_kit.h"
#include "unit/torture.h"

#include "wire/formats/json.h"

static void an_empty_file_is_valid(void **state)
{
    (void)state;
    static const char *const EMPTY[] = {"", "\n", "# nothing\n", "---\n", "---\n...\n", "kafka:\n"};
    for (size_t i = 0; i < COUNT_OF(EMPTY); i++) {
        struct reading *reading = read_text(EMPTY[i]);
        assert_good(reading);
        assert_slice(reading->settings.kafka_bootstrap_servers, "127.0.0.1:9092");
        assert_slice(reading->settings.kafka_group_id, "bedrock-worker");
        assert_int_equal(reading->settings.delivery_max_in_flight, 256);
        assert_int_equal(reading->settings.delivery_max_held_bytes, 256 * 1024 * 1024);
        assert_int_equal(reading->settings.delivery_commit_interval_ms, 100);
        assert_int_equal(reading->settings.delivery_drain_timeout_ms, 120000);
        assert_int_equal(reading->settings.delivery_ordering, ORDERING_KEY);
        assert_int_equal(reading->settings.delivery_guarantee, GUARANTEE_EXACTLY_ONCE);
        assert_int_equal(reading->settings.bedrock_timeouts_total_ms, 3600000);
        assert_int_equal(reading->settings.topics_requests.count, 1);
        assert_int_equal(reading->settings.topics_echo_headers.count, 3);
        assert_slice(reading->settings.topics_echo_headers.items[2], "*correlation*");
        assert_int_equal(reading->settings.topics_reply_allowed.count, 0);
        assert_true(reading->settings.delivery_dead_letters);
        assert_int_equal(reading->settings.telemetry_log_level, LOG_INFO);
        assert_int_equal(reading->settings.telemetry_log_format, LOG_FORMAT_AUTO);
        end(reading);
    }
}

static char *slurp(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = calloc(1, 65536);
    assert_non_null(text);
    assert_true(fread(text, 1, 65535, file) > 0);
    (void)fclose(file);
    return text;
}

/* The shipped file shows every setting, and shows it with its default. */
static void the_shipped_file_shows_the_defaults(void **state)
{
    (void)state;
    char *text = slurp(SOURCE_DIR "/config/worker.yaml");
    struct reading *shipped = read_text(text), *empty = read_text("");
    size_t count = 0;
    const struct setting_row *rows = settings_rows(&count);
    assert_good(shipped);
    for (size_t i = 0; i < count; i++) {
        const char *a = (const char *)&shipped->settings + rows[i].value_at;
        const char *b = (const char *)&empty->settings + rows[i].value_at;
        const char *at = (const char *)&shipped->settings.at + rows[i].place_at;
        if (((const struct place *)(const void *)at)->line == 0)
            fail_msg("%s is not in config/worker.yaml", rows[i].path);
        if (rows[i].kind == SETTING_TEXT) {
            struct slice left, right;
            memcpy(&left, a, sizeof left);
            memcpy(&right, b, sizeof right);
            assert_true(slice_equal(left, right));
        } else if (rows[i].kind == SETTING_COUNT || rows[i].kind == SETTING_SPAN ||
                   rows[i].kind == SETTING_SIZE) {
            if (memcmp(a, b, sizeof(int64_t)) != 0)
                fail_msg("%s differs from its default", rows[i].path);
        } else if (rows[i].kind == SETTING_CHOICE) {
            assert_memory_equal(a, b, sizeof(int));
        } else if (rows[i].kind == SETTING_FLAG) {
            assert_memory_equal(a, b, sizeof(bool));
        } else if (rows[i].kind == SETTING_LIST) {
            struct setting_list left, right;
            memcpy(&left, a, sizeof left);
            memcpy(&right, b, sizeof right);
            assert_int_equal(left.count, right.count);
        }
    }
    end(shipped);
    end(empty);
    free(text);
}

static void values_of_every_kind_are_read(void **state)
{
    (void)state;
    struct reading *reading = read_text("kafka:\n"
                                        "  bootstrap_servers: ${BROKERS}\n"
                                        "  client: {security.protocol: SASL_SSL, "
                                        "sasl.mechanisms: PLAIN, sasl.password: '$$${SECRET}'}\n"
                                        "  producer:\n    compression.type: zstd\n"
                                        "delivery:\n"
                                        "  guarantee: at_least_once\n"
                                        "  ordering: none\n"
                                        "  max_in_flight: ${CALLS:-99}\n"
                                        "  max_held: ${NOT_SET:-7777}\n"
                                        "  max_held_bytes: 1GB\n"
                                        "  drain_timeout: 1m30s\n"
                                        "  dead_letters: false\n"
                                        "bedrock: {region: '${EMPTY:-eu-west-1}'}\n"
                                        "topics: {requests: [a, \"b.c\"]}\n");
    assert_good(reading);
    const struct settings *s = &reading->settings;
    assert_slice(s->kafka_bootstrap_servers, "kafka-1:9092,kafka-2:9092");
    assert_int_equal(s->kafka_client.set.count, 3);
    assert_slice(s->kafka_client.set.list[0].name, "security.protocol");
    assert_slice(s->kafka_client.set.list[2].value, "$canary-of-a-password");
    assert_slice(s->kafka_producer.set.list[0].value, "zstd");
    assert_int_equal(s->delivery_guarantee, GUARANTEE_AT_LEAST_ONCE);
    assert_int_equal(s->delivery_ordering, ORDERING_NONE);
    assert_int_equal(s->delivery_max_in_flight, 12);
    assert_int_equal(s->delivery_max_held, 7777);
    assert_int_equal(s->delivery_max_held_bytes, 1000000000);
    assert_int_equal(s->delivery_drain_timeout_ms, 90000);
    assert_false(s->delivery_dead_letters);
    assert_slice(s->bedrock_region, "eu-west-1");
    assert_int_equal(s->topics_requests.count, 2);
    assert_slice(s->topics_requests.items[1], "b.c");
    assert_int_equal(s->at.delivery_max_in_flight.line, 9);
    assert_int_equal(s->at.delivery_max_in_flight.column, 18);
    end(reading);
}

static void aliases_and_templates_become_a_catalog(void **state)
{
    (void)state;
    struct reading *reading =
        read_text("models:\n"
                  "  default: claude\n"
                  "  aliases:\n"
                  "    claude: {id: 'anthropic.claude-3-haiku-20240307-v1:0', region: us-west-2,\n"
                  "      api: converse, defaults: {temperature: 0, top_p: 0.9, max_tokens: 1024,\n"
                  "      stop: [END, \"a\\\"b\"]}}\n"
                  "templates:\n"
                  "  greet:\n"
                  "    - [system, \"Speak {language}, cost $${price}.\"]\n"
                  "    - [human, \"{input}\"]\n");
    assert_good(reading);
    const struct settings *s = &reading->settings;
    assert_int_equal(s->models_aliases.count, 1);
    const struct model_alias *alias = &s->models_aliases.list[0];
    assert_slice(alias->name, "claude");
    assert_slice(alias->id, "anthropic.claude-3-haiku-20240307-v1:0");
    assert_slice(alias->region, "us-west-2");
    assert_slice(alias->api, "converse");
    assert_slice(alias->defaults[PARAMETER_TEMPERATURE], "0");
    assert_slice(alias->defaults[PARAMETER_TOP_P], "0.9");
    assert_slice(alias->defaults[PARAMETER_MAX_TOKENS], "1024");
    assert_null(alias->defaults[PARAMETER_TOP_K].ptr);
    assert_slice(alias->defaults[PARAMETER_STOP], "[\"END\",\"a\\\"b\"]");
    assert_int_equal(s->templates.count, 1);
    assert_int_equal(s->templates.list[0].count, 2);
    assert_slice(s->templates.list[0].messages[0].text, "Speak {language}, cost ${price}.");
    assert_slice(s->templates.list[0].messages[1].role, "human");
    end(reading);
}

static void every_problem_is_reported_at_once_with_its_place(void **state)
{
    (void)state;
    assert_problems(
        "kafka:\n"
        "  group_idd: x\n"
        "delivery:\n"
        "  max_in_flight: many\n"
        "  commit_interval: 5\n"
        "  max_held_bytes: 1 MiB\n"
        "  ordering: keys\n"
        "  dead_letters: yes\n"
        "  max_begun: 10\n"
        "topics:\n"
        "  requests: bedrock.requests\n"
        "  usage: [a]\n"
        "  responses:\n"
        "wrong: 1\n",
        "w.yaml:2:3: kafka.group_idd: unknown setting; did you mean kafka.group_id?\n"
        "w.yaml:4:18: delivery.max_in_flight: 'many' is not a whole number\n"
        "w.yaml:5:20: delivery.commit_interval: '5' has no unit; write 5s, or another unit "
        "of ms, s, m, h and d\n"
        "w.yaml:6:19: delivery.max_held_bytes: '1 MiB' is not a size; did you mean 1MiB?\n"
        "w.yaml:7:13: delivery.ordering: 'keys' is not one of key, partition, none\n"
        "w.yaml:8:17: delivery.dead_letters: 'yes' is not true or false; write true\n"
        "w.yaml:9:14: delivery.max_begun: '10' is outside of its limits; write 1 to 9\n"
        "w.yaml:11:13: topics.requests: is a text; write a list such as [a, b]\n"
        "w.yaml:12:10: topics.usage: is a list; write a text, in quotes if it begins with "
        "[\n"
        "w.yaml:13:13: topics.responses: has no value; write a text, or '' for none\n"
        "w.yaml:14:1: wrong: unknown setting; `bedrock-worker reference` lists all\n");
}

static void a_name_longer_than_any_setting_gets_no_suggestion(void **state)
{
    (void)state;
    char text[320];
    (void)snprintf(text, sizeof text, "%0300d: 1\n", 0);
    assert_problem(text, "unknown setting; `bedrock-worker reference` lists all\n");
}

static void an_error_shows_the_place_of_a_misplaced_setting(void **state)
{
    (void)state;
    assert_problems("max_in_flight: 5\n",
                    "w.yaml:1:1: max_in_flight: unknown setting; did you mean "
                    "delivery.max_in_flight?\n");
    assert_problems(
        "bedrock: {timeout: 5s}\n",
        "w.yaml:1:11: bedrock.timeout: unknown setting; did you mean bedrock.timeouts?\n");
    assert_problems("delivery: 5\n",
                    "w.yaml:1:11: delivery: holds settings, not a value; write its "
                    "settings below it, indented\n");
}

static void a_duplicate_setting_is_rejected(void **state)
{
    (void)state;
    assert_problems("delivery: {max_held: 300, max_held: 301}\n",
                    "w.yaml:1:27: delivery.max_held: is there twice; keep one of them\n");
    assert_problems("kafka: {client: {linger.ms: 1, linger.ms: 2}}\n",
                    "w.yaml:1:32: kafka.client.linger.ms: is there twice; keep one of them\n");
}

static void a_missing_variable_is_named(void **state)
{
    (void)state;
    assert_problems(
        "kafka: {group_id: 'a-${NOPE}'}\n",
        "w.yaml:1:19: kafka.group_id: environment variable NOPE is not set; set it, write "
        "${NOPE:-default}, or $${ for the characters ${\n");
    assert_problem("kafka: {group_id: 'a-${NO'}\n", "has a ${ that is not a variable");
    assert_problem("kafka: {client: {sasl.password: $SECRET_1}}\n",
                   "is a $ and a name: write ${NAME} for the environment variable, or $$NAME for");
    assert_problem("kafka: {group_id: '${9X}'}\n", "has a ${ that is not a variable");
    assert_problem("kafka: {group_id: '${X-y}'}\n", "has a ${ that is not a variable");
    assert_problems(
        "kafka: {group_id: '${NOPE:-${CALLS:-c}}'}\n",
        "w.yaml:1:19: kafka.group_id: has a ${ that is not a variable, or one within another; "
        "write ${NAME}, ${NAME:-default} (a plain text), or $${ for the characters ${\n");
    assert_problem("kafka: {group_id: '${CALLS:-${NOPE}}'}\n", "or one within another");
    assert_problem("kafka: {group_id: '${EMPTY}'}\n", "is empty; give it a value");
}

static void yaml_that_could_be_a_bomb_is_rejected(void **state)
{
    (void)state;
    assert_problem("a: &a [1]\nb: [*a, *a]\n", "w.yaml:1:4: anchors, aliases and tags");
    assert_problem("kafka: !!map {}\n", "anchors, aliases and tags");
    assert_problem("topics: {responses: *x}\n", "anchors, aliases and tags");
    assert_problem("--- {}\n--- {}\n", "a second document begins");
    assert_problem("a: [[[[[[[[[[[[[[[[[[[[[[[[\n", "nested too deeply");
    assert_problem("? [a]\n: b\n", "a key must be a plain text");
    assert_problem("kafka: {group_id: \"a\\0b\"}\n", "NUL");
    assert_problem("kafka: {group_id: \"\xff\"}\n", "not UTF-8");
    assert_problem("kafka: {\n", "invalid YAML");
    assert_problems("kafka:\n\tgroup_id: a\n",
                    "w.yaml:2:1: invalid YAML: a tab indents this line; use spaces\n");
    assert_problem("delivery: {max_in_flight: 010}\n", "'010' is not a whole number");
    assert_problem("- a\n", "w.yaml:1:1: is a list; write `name: value` lines");
    char *big = calloc(1, DOCUMENT_BYTES_MAX + 2);
    assert_non_null(big);
    memset(big, '#', DOCUMENT_BYTES_MAX + 1);
    assert_problem(big, "w.yaml:1:1: the file is over 4 MiB");
    free(big);
    char *many = calloc(1, 500000);
    assert_non_null(many);
    memcpy(many, "a: [", 4);
    for (size_t i = 0; i < DOCUMENT_NODES_MAX; i++)
        memcpy(many + 4 + 2 * i, "1,", 2);
    assert_problem(many, "too many values");
    free(many);
}

static void secrets_are_never_quoted(void **state)
{
    (void)state;
    struct reading *reading =
        read_text("kafka:\n  client: {security.protocol: '${SECRET}'}\n"
                  "  group_id: ' ${SECRET}'\n"
                  "delivery: {max_held: '${SECRET}', ordering: '${SECRET}'}\n"
                  "bedrock: {proxy: 'user:canary@x', endpoint_url: '${SECRET}'}\n");
    assert_false(reading->is_good);
    assert_null(strstr(buf_text(&reading->text), "canary"));
    assert_non_null(strstr(buf_text(&reading->text), "'${SECRET}' is not a whole number"));
    end(reading);
    assert_true(settings_property_is_secret(SLICE("sasl.password")));
    assert_true(settings_property_is_secret(SLICE("ssl.key.pem")));
    assert_true(settings_property_is_secret(SLICE("sasl.oauthbearer.client.secret")));
    assert_false(settings_property_is_secret(SLICE("linger.ms")));
}

static void secrets_are_wiped(void **state)
{
    (void)state;
    struct reading *reading =
        read_text("kafka: {client: {sasl.password: '${SECRET}', linger.ms: 5}}\n");
    assert_good(reading);
    settings_forget_secrets(&reading->settings);
    const struct kafka_properties *set = &reading->settings.kafka_client.set;
    for (size_t i = 0; i < set->list[0].value.len; i++)
        assert_int_equal(set->list[0].value.ptr[i], 0);
    assert_slice(set->list[1].value, "5");
    end(reading);
}

static void a_text_in_the_wrong_form_is_rejected(void **state)
{
    (void)state;
    assert_problem("topics: {usage: 'a b'}\n", "is not a topic name");
    assert_problem("topics: {requests: []}\n", "is empty; list at least one");
    assert_problem("topics: {requests: [..]}\n", "is not a topic name");
    assert_problem("kafka: {bootstrap_servers: 'a:b'}\n", "is not a list of brokers");
    assert_problem("kafka: {bootstrap_servers: 'a:9092,'}\n", "is not a list of brokers");
    assert_problem("kafka: {bootstrap_servers: ''}\n", "is empty");
    assert_problem("bedrock: {region: US_EAST}\n", "is not an AWS region");
    assert_problem("bedrock: {endpoint_url: 'ftp://x'}\n", "is not an endpoint");
    assert_problem("bedrock: {proxy: 'x:1'}\n", "is not a proxy");
    assert_problem("bedrock: {ca_bundle: /no/such/file.pem}\n", "cannot be read");
    struct reading *reading = read_text("kafka: {bootstrap_servers: '[::1]:9092,SSL://b:1'}\n");
    assert_good(reading);
    end(reading);
}

/* A longer URL would be cut, and the worker would call another place. */
static void a_url_over_the_limit_is_rejected(void **state)
{
    (void)state;
    char text[ENDPOINT_URL_MAX + 64];
    (void)snprintf(text, sizeof text, "bedrock: {endpoint_url: 'http://x/%0*d'}\n",
                   ENDPOINT_URL_MAX - 9, 0);
    struct reading *reading = read_text(text);
    assert_good(reading);
    assert_int_equal(reading->settings.bedrock_endpoint_url.len, ENDPOINT_URL_MAX);
    end(reading);
    (void)snprintf(text, sizeof text, "bedrock: {endpoint_url: 'http://x/%0*d'}\n",
                   ENDPOINT_URL_MAX - 8, 0);
    assert_problem(text, "is not an endpoint");
}

static void the_command_line_takes_precedence_over_the_file(void **state)
{
    (void)state;
    static const char *const GOOD[] = {"delivery.max_held=5000", "topics.requests=[x, y]",
                                       "kafka.group_id=g=h", "bedrock.region="};
    struct reading *reading = read_with("delivery: {max_held: 300}\nbedrock: {region: us-east-1}\n",
                                        GOOD, COUNT_OF(GOOD));
    assert_good(reading);
    assert_int_equal(reading->settings.delivery_max_held, 5000);
    assert_int_equal(reading->settings.topics_requests.count, 2);
    assert_slice(reading->settings.kafka_group_id, "g=h");
    assert_int_equal(reading->settings.bedrock_region.len, 0);
    end(reading);
    static const char *const BAD[] = {"delivery.max_held", "delivery.max_helt=5",
                                      "delivery.max_held=none", "delivry.max_held=5",
                                      "bedrock.foo=1"};
    reading = read_with("", BAD, COUNT_OF(BAD));
    assert_string_equal(buf_text(&reading->text),
                        "--set:1:1: write --set path=value\n"
                        "--set:2:1: delivery.max_helt: unknown setting; did you mean "
                        "delivery.max_held?\n"
                        "--set:3:19: delivery.max_held: 'none' is not a whole number\n"
                        "--set:4:1: delivry.max_held: unknown setting; did you mean "
                        "delivery.max_held?\n"
                        "--set:5:1: bedrock.foo: unknown setting; `bedrock-worker reference` lists "
                        "all\n");
    end(reading);
}

static void problems_beyond_the_limit_are_counted(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 65536);
    for (int i = 0; i < 150; i++)
        buf_addf(&text, "zzzzzzzz%d: 1\n", i);
    struct reading *reading = read_text(buf_text(&text));
    assert_int_equal(reading->problems.count, PROBLEMS_MAX);
    assert_int_equal(reading->problems.dropped, 50);
    assert_non_null(strstr(buf_text(&reading->text), "and 50 more problems"));
    end(reading);
    buf_done(&text);
}

/* Every row: on the page, in the schema, with a default that the reader accepts. */
static void page_and_schema_contain_every_setting(void **state)
{
    (void)state;
    struct buf page, schema;
    buf_init(&page, TEXT_BYTES_MAX);
    buf_init(&schema, TEXT_BYTES_MAX);
    settings_add_reference(&page);
    settings_add_schema(&schema);
    assert_int_equal(page.failed, OK);
    struct arena arena;
    arena_init(&arena, TEXT_BYTES_MAX * 8);
    const struct json *root = NULL;
    struct json_fault fault;
    assert_int_equal(json_parse(&arena, buf_slice(&schema), &root, &fault), OK);
    size_t count = 0;
    const struct setting_row *rows = settings_rows(&count);
    for (size_t i = 0; i < count; i++) {
        char line[200];
        snprintf(line, sizeof line, "\n  %s\n", rows[i].path);
        assert_non_null(strstr(buf_text(&page), line));
        const struct json *node = root;
        struct slice rest = slice_of_text(rows[i].path);
        while (rest.len > 0) {
            char part[64] = "";
            size_t len = slice_find(rest, '.');
            memcpy(part, rest.ptr, len);
            node = json_member(json_member(node, "properties"), part);
            rest = slice_sub(rest, len + 1, rest.len);
        }
        assert_true(json_is(json_member(node, "description"), JSON_STRING));
    }
    arena_done(&arena);
    buf_done(&page);
    buf_done(&schema);
}

static void a_missing_file_is_reported(void **state)
{
    (void)state;
    struct reading *reading = calloc(1, sizeof *reading);
    assert_non_null(reading);
    assert_false(settings_load(&reading->settings, "/no/such.yaml", NULL, 0, &reading->problems));
    buf_init(&reading->text, 4096);
    problems_add_text(&reading->problems, &reading->text);
    assert_string_equal(buf_text(&reading->text),
                        "/no/such.yaml: cannot be read: No such file or directory; name another "
                        "file with -c\n");
    end(reading);
}

/* Memory runs out: a problem is reported, or the settings are complete. */
static bool read_in_little_memory(void *self)
{
    static const char TEXT[] =
        "kafka: {client: {linger.ms: 5}, group_id: g}\n"
        "models: {default: a, aliases: {a: {id: x.y, defaults: {stop: [E]}}}}\n"
        "templates: {t: [[human, '{x}']]}\n"
        "quotas: [{model: x.*, tokens_per_minute: 1}]\n"
        "tenants: {a: {weight: 2}}\n";
    struct reading *reading = self;
    struct settings_source source = {
        .text = slice_of_text(TEXT), .file = "w.yaml", .environment = {get_variable, NULL, NULL}};
    bool is_good = settings_read(&reading->settings, &source, &reading->problems);
    assert_true(is_good == (reading->problems.count == 0));
    if (is_good) {
        assert_slice(reading->settings.kafka_group_id, "g");
        assert_slice(reading->settings.topics_usage, "bedrock.usage");
        assert_int_equal(reading->settings.topics_echo_headers.count, 3);
        assert_slice(reading->settings.models_aliases.list[0].defaults[PARAMETER_STOP], "[\"E\"]");
        assert_int_equal(reading->settings.templates.count, 1);
        assert_int_equal(reading->settings.quotas.rows.count, 1);
        assert_int_equal(reading->settings.tenants.table.count, 1);
    }
    settings_free(&reading->settings);
    return is_good;
}

static void running_out_of_memory_is_a_problem(void **state)
{
    (void)state;
    struct reading *reading = calloc(1, sizeof *reading);
    assert_non_null(reading);
    assert_true(torture(read_in_little_memory, reading) > 10);
    free(reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_is_valid),
        cmocka_unit_test(the_shipped_file_shows_the_defaults),
        cmocka_unit_test(values_of_every_kind_are_read),
        cmocka_unit_test(aliases_and_templates_become_a_catalog),
        cmocka_unit_test(every_problem_is_reported_at_once_with_its_place),
        cmocka_unit_test(a_name_longer_than_any_setting_gets_no_suggestion),
        cmocka_unit_test(an_error_shows_the_place_of_a_misplaced_setting),
        cmocka_unit_test(a_duplicate_setting_is_rejected),
        cmocka_unit_test(a_missing_variable_is_named),
        cmocka_unit_test(yaml_that_could_be_a_bomb_is_rejected),
        cmocka_unit_test(secrets_are_never_quoted),
        cmocka_unit_test(secrets_are_wiped),
        cmocka_unit_test(a_text_in_the_wrong_form_is_rejected),
        cmocka_unit_test(a_url_over_the_limit_is_rejected),
        cmocka_unit_test(the_command_line_takes_precedence_over_the_file),
        cmocka_unit_test(problems_beyond_the_limit_are_counted),
        cmocka_unit_test(page_and_schema_contain_every_setting),
        cmocka_unit_test(a_missing_file_is_reported),
        cmocka_unit_test(running_out_of_memory_is_a_problem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
