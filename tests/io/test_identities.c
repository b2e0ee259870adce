/* io/aws/identities.c and searcher.c on a real loop and libcurl: when the worker looks for keys,
 * what the engine gets, and that a source that hangs stalls nothing. */
#include "unit/unit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/memory.h"
#include "io/aws/identities.h"
#include "io/loop/clock.h"

#define PATIENCE_MS 60000

static uv_loop_t loop;
static uv_async_t wake;
static struct http *http;
static struct log_sink *sink;
static struct identities *identities;
static char home[64];
static int64_t now_ms; /* moves as the test wants */

static struct {
    int count;
    bool has_any;
    char access_key_id[64], reason[2048];
} heard[2];

void engine_credentials(struct engine *engine, uint32_t identity,
                        const struct credentials *credentials, struct slice reason)
{
    (void)engine;
    heard[identity].count++;
    heard[identity].has_any = credentials != NULL;
    (void)snprintf(heard[identity].access_key_id, sizeof heard[identity].access_key_id, "%.*s",
                   SLICE_ARG(credentials != NULL ? credentials->access_key_id : SLICE("")));
    (void)snprintf(heard[identity].reason, sizeof heard[identity].reason, "%.*s",
                   SLICE_ARG(reason));
}

/* ---- a server that speaks as STS, or not at all ---- */

static struct {
    int fd, port;
    pthread_t thread;
    atomic_int requests, life_s;
    atomic_bool hangs;
} sts;

static void answer(int fd)
{
    char head[8192], body[1024], answer_text[2048], end[32];
    (void)recv(fd, head, sizeof head, 0);
    int number = atomic_fetch_add(&sts.requests, 1) + 1;
    time_t until = (time_t)(clock_wall_ms() / 1000) + atomic_load(&sts.life_s);
    struct tm utc;
    (void)gmtime_r(&until, &utc);
    (void)strftime(end, sizeof end, "%Y-%m-%dT%H:%M:%SZ", &utc);
    int len = snprintf(body, sizeof body,
                       "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA%d"
                       "</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t"
                       "</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult>"
                       "</AssumeRoleResponse>",
                       number, end);
    int whole =
        snprintf(answer_text, sizeof answer_text,
                 "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len, body);
    (void)!write(fd, answer_text, (size_t)whole);
    (void)close(fd);
}

static void *serve(void *unused)
{
    (void)unused;
    for (int fd; (fd = accept(sts.fd, NULL, NULL)) >= 0;) {
        if (!atomic_load(&sts.hangs))
            answer(fd);
        else
            (void)atomic_fetch_add(&sts.requests, 1); /* and the connection stays open */
    }
    return NULL;
}

static void sts_start(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    sts.fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(sts.fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(sts.fd, 16), 0);
    assert_int_equal(getsockname(sts.fd, (struct sockaddr *)&address, &len), 0);
    sts.port = ntohs(address.sin_port);
    atomic_store(&sts.requests, 0);
    atomic_store(&sts.life_s, 3600);
    atomic_store(&sts.hangs, false);
    assert_int_equal(pthread_create(&sts.thread, NULL, serve, NULL), 0);
}

static void sts_stop(void)
{
    (void)shutdown(sts.fd, SHUT_RDWR);
    assert_int_equal(pthread_join(sts.thread, NULL), 0);
    (void)close(sts.fd);
}

/* ---- the worker's side ---- */

static void on_wake(uv_async_t *handle)
{
    (void)handle;
}

static void wake_loop(void *self)
{
    (void)self;
    (void)uv_async_send(&wake);
}

static void write_file(const char *text)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/.aws/config", home);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void write_key(const char *id)
{
    char text[256];
    (void)snprintf(text, sizeof text,
                   "[default]\nregion = us-east-1\naws_access_key_id = %s\n"
                   "aws_secret_access_key = s\n[profile other]\nregion = us-east-1\n",
                   id);
    write_file(text);
}

static const struct chain_identity LIST[] = {
    {.region = "us-east-1"},
    {.region = "us-east-1", .role.role_arn = {"arn:aws:iam::1:role/r", 21}},
};

static void make(uint32_t count)
{
    const struct identities_config config = {
        .list = LIST, .count = count, .http = http, .sink = sink, .wake = {wake_loop, NULL}};
    identities = identities_new(&config);
    assert_non_null(identities);
    identities_attach(identities, (struct engine *)&heard, count);
}

static int setup(void **state)
{
    (void)state;
    char path[128], url[64];
    static const char *const NAMES[] = {"AWS_ACCESS_KEY_ID",           "AWS_SECRET_ACCESS_KEY",
                                        "AWS_BEARER_TOKEN_BEDROCK",    "AWS_PROFILE",
                                        "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++)
        assert_int_equal(unsetenv(NAMES[i]), 0);
    (void)snprintf(home, sizeof home, "/tmp/bedrock-worker-test-XXXXXX");
    assert_non_null(mkdtemp(home));
    (void)snprintf(path, sizeof path, "%s/.aws", home);
    assert_int_equal(mkdir(path, 0700), 0);
    memset(heard, 0, sizeof heard);
    sts_start();
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d", sts.port);
    assert_int_equal(setenv("HOME", home, 1), 0);
    assert_int_equal(setenv("AWS_ENDPOINT_URL_STS", url, 1), 0);
    assert_int_equal(setenv("AWS_EC2_METADATA_DISABLED", "true", 1), 0);
    now_ms = clock_monotonic_ms();
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(uv_async_init(&loop, &wake, on_wake), 0);
    const struct http_config config = {.connect_ms = 10000,
                                       .first_byte_ms = 60000,
                                       .idle_ms = 60000,
                                       .total_ms = 60000,
                                       .max_idle_age_ms = 60000,
                                       .max_in_flight = 4,
                                       .max_head_bytes = 65536,
                                       .proxy = ""};
    http = http_new(&loop, &config);
    sink = log_sink_new(&(struct log_config){.fd = 2, .level = LOG_ERROR});
    assert_true(http != NULL && sink != NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[128];
    identities_free(identities);
    identities = NULL;
    http_close(http);
    uv_close((uv_handle_t *)&wake, NULL);
    while (!http_is_closed(http))
        (void)uv_run(&loop, UV_RUN_ONCE);
    http_free(http);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    log_sink_free(sink);
    sts_stop();
    (void)snprintf(command, sizeof command, "rm -rf %s", home);
    assert_int_equal(system(command), 0);
    return 0;
}

static void turn(void)
{
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    (void)identities_step(identities, now_ms);
    http_step(http);
    if (http_obey(http))
        http_step(http);
    (void)usleep(500);
}

/* Turns until the identity has heard of this many looks. */
static void await(uint32_t identity, int count)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (heard[identity].count < count && clock_monotonic_ms() < until_ms)
        turn();
    assert_true(heard[identity].count >= count);
}

static void turn_for(int turns)
{
    for (int i = 0; i < turns; i++)
        turn();
}

static void files_are_read_again_after_ten_seconds(void **state)
{
    (void)state;
    write_key("AKIAFIRST");
    make(1);
    await(0, 1);
    assert_string_equal(heard[0].access_key_id, "AKIAFIRST");
    write_key("AKIASECOND");
    now_ms += 9999;
    turn_for(20);
    assert_int_equal(heard[0].count, 1);
    now_ms += 1;
    await(0, 2);
    assert_string_equal(heard[0].access_key_id, "AKIASECOND");
}

static void keys_stay_when_a_look_finds_none(void **state)
{
    (void)state;
    write_key("AKIAFIRST");
    make(1);
    await(0, 1);
    write_file("[default\n");
    now_ms += 10000;
    await(0, 2);
    assert_true(heard[0].has_any);
    assert_string_equal(heard[0].access_key_id, "AKIAFIRST");
}

static void without_keys_the_reason_comes_again_and_again(void **state)
{
    (void)state;
    make(1);
    await(0, 1);
    assert_false(heard[0].has_any);
    assert_non_null(strstr(heard[0].reason, "AWS_ACCESS_KEY_ID is not set"));
    now_ms += 2000;
    await(0, 2);
    write_key("AKIALATE");
    now_ms += 2000;
    await(0, 3);
    assert_string_equal(heard[0].access_key_id, "AKIALATE");
}

static void a_refusal_makes_one_look_at_most_each_second(void **state)
{
    (void)state;
    write_key("AKIAFIRST");
    make(1);
    await(0, 1);
    for (int i = 0; i < 5; i++)
        identities_refresh(identities, 0);
    turn_for(20);
    assert_int_equal(heard[0].count, 1);
    now_ms += 1000;
    await(0, 2);
    turn_for(20);
    assert_int_equal(heard[0].count, 2);
}

static void a_role_is_renewed_and_a_burst_of_refusals_renews_it_once(void **state)
{
    (void)state;
    write_key("AKIABASE");
    atomic_store(&sts.life_s, 120);
    make(2);
    await(1, 1);
    assert_string_equal(heard[1].access_key_id, "ASIA1");
    for (int i = 0; i < 50; i++)
        identities_refresh(identities, 1);
    now_ms += 9999;
    turn_for(20);
    assert_int_equal(heard[1].count, 1);
    now_ms += 1;
    await(1, 2);
    assert_string_equal(heard[1].access_key_id, "ASIA2");
    turn_for(20);
    assert_int_equal(atomic_load(&sts.requests), 2);
    now_ms += 66000; /* half of their life, and the most jitter */
    await(1, 3);
    assert_int_equal(atomic_load(&sts.requests), 3);
}

/* The other identity goes on, and the end does not wait. */
static void a_source_that_hangs_stalls_nothing(void **state)
{
    (void)state;
    write_key("AKIABASE");
    atomic_store(&sts.hangs, true);
    make(2);
    await(0, 1);
    now_ms += 10000;
    await(0, 2);
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (atomic_load(&sts.requests) == 0 && clock_monotonic_ms() < until_ms)
        turn();
    assert_int_equal(heard[1].count, 0);
    int64_t begun_ms = clock_monotonic_ms();
    identities_cancel(identities);
    identities_free(identities);
    identities = NULL;
    assert_true(clock_monotonic_ms() - begun_ms < PATIENCE_MS / 6); /* its time limit is 10 s */
}

static void others_may_read_the_keys(void **state)
{
    (void)state;
    struct keys keys OWNED_BY(keys_done);
    uint64_t version = 1, later;
    char reason[SEARCH_REASON_MAX];
    keys_init(&keys);
    write_key("AKIABASE");
    make(2);
    assert_false(identities_keys(identities, 1, &keys, &version, reason));
    assert_int_equal(version, 0);
    await(1, 1);
    assert_true(identities_keys(identities, 1, &keys, &version, reason));
    assert_slice(keys.credentials.access_key_id, "ASIA1");
    assert_slice(keys.credentials.session_token, "t");
    assert_true(keys.credentials.expires_wall_ms > clock_wall_ms());
    assert_int_equal(version, 1);
    now_ms += 10000;
    identities_refresh(identities, 1);
    await(1, 2);
    assert_true(identities_keys(identities, 1, &keys, &later, reason));
    assert_int_equal(later, 2);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(files_are_read_again_after_ten_seconds),
        CASE(keys_stay_when_a_look_finds_none),
        CASE(without_keys_the_reason_comes_again_and_again),
        CASE(a_refusal_makes_one_look_at_most_each_second),
        CASE(a_role_is_renewed_and_a_burst_of_refusals_renews_it_once),
        CASE(a_source_that_hangs_stalls_nothing),
        CASE(others_may_read_the_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
