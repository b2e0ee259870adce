/* The floor of the figures: signed requests to Bedrock's shape on libcurl and libuv and nothing
 * else: no Kafka, no JSON, no retries, no deadlines. 256 calls to a curl multi; a call that ends
 * begins again at once. Credentials as in the worker's environment.
 *
 *   bare_client URL IN_FLIGHT SECONDS     prints CPU per request, resident memory and latency;
 * SIGTERM ends it early */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/check.h"
#include "wire/bedrock/endpoint.h"
#include "wire/bedrock/sigv4.h"

#define CALLS_PER_MULTI 256
#define BODY_BYTES      1024
#define PATH            "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse"
#define FDS_MAX         65536
#define SLOWEST_MS      60000 /* latencies are counted by the millisecond up to here */

struct pool {
    CURLM *multi;
    uv_timer_t timer;
};

struct call {
    CURL *easy;
    struct pool *pool;
    struct curl_slist *headers;
    uint64_t started_ms;
};

struct watched {
    uv_poll_t poll;
    struct pool *pool;
    int wanted, asked;
};

static uv_loop_t loop;
static uv_timer_t end_timer;
static uv_signal_t end_signal;
static bool ending;
static char url[512], body[BODY_BYTES + 1];
static struct endpoint endpoint;
static struct credentials credentials;
static struct sigv4_key key;
static struct watched *by_fd[FDS_MAX];
static uint32_t took_ms[SLOWEST_MS + 1];
static uint64_t done, failed;

static void begin(struct call *call);

/* ---- curl's wishes ---- */

static void reap(struct pool *pool)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(pool->multi, &left)) != NULL) {
        struct call *call = NULL;
        long status = 0;
        CURLcode result = message->data.result;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
        CHECK(curl_multi_remove_handle(pool->multi, call->easy) == CURLM_OK);
        uint64_t took = uv_now(&loop) - call->started_ms;
        took_ms[took < SLOWEST_MS ? took : SLOWEST_MS]++;
        done++;
        failed += result != CURLE_OK || status != 200;
        if (!ending)
            begin(call);
    }
}

static void on_time(uv_timer_t *timer)
{
    struct pool *pool = timer->data;
    int running;
    (void)curl_multi_socket_action(pool->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    reap(pool);
}

static int set_timer(CURLM *multi, long timeout_ms, void *self)
{
    struct pool *pool = self;
    (void)multi;
    if (timeout_ms < 0)
        return uv_timer_stop(&pool->timer);
    return uv_timer_start(&pool->timer, on_time, (uint64_t)timeout_ms, 0);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct watched *watched = poll->data;
    int running, fd;
    if (status < 0) {
        watched->asked = 0;
        events = watched->wanted;
    }
    CHECK(uv_fileno((uv_handle_t *)(void *)poll, &fd) == 0);
    if ((events & watched->wanted) == 0) {
        watched->asked = 0;
        (void)uv_poll_stop(poll);
        return;
    }
    (void)curl_multi_socket_action(watched->pool->multi, fd, events & watched->wanted, &running);
    reap(watched->pool);
}

/* A socket stays registered while its connection is idle. */
static int set_socket(CURL *easy, curl_socket_t fd, int what, void *self, void *unused)
{
    (void)easy;
    (void)unused;
    CHECK(fd < FDS_MAX);
    struct watched *watched = by_fd[fd];
    int wanted = what == CURL_POLL_REMOVE ? 0 : what;
    if (watched == NULL && wanted == 0)
        return 0;
    if (watched == NULL) {
        watched = by_fd[fd] = calloc(1, sizeof *watched);
        CHECK(watched != NULL);
        CHECK(uv_poll_init(&loop, &watched->poll, fd) == 0);
        watched->poll.data = watched;
    }
    watched->pool = self;
    watched->wanted = wanted;
    if (wanted != 0 && watched->asked != wanted) {
        watched->asked = wanted;
        CHECK(uv_poll_start(&watched->poll, wanted, on_ready) == 0);
    }
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static int close_socket(void *self, curl_socket_t fd)
{
    (void)self;
    if (by_fd[fd] != NULL)
        uv_close((uv_handle_t *)(void *)&by_fd[fd]->poll, on_closed);
    by_fd[fd] = NULL;
    return close(fd);
}

static size_t hear(char *ptr, size_t size, size_t count, void *self)
{
    (void)ptr;
    (void)self;
    return size * count;
}

/* ---- calls ---- */

static int64_t wall_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Signed again each time, as the worker signs. */
static void sign(struct call *call)
{
    struct buf lines OWNED_BY(buf_done);
    const struct sigv4_header headers[] = {{SLICE("content-type"), SLICE("application/json")}};
    const struct sigv4_request request = {
        .method = SLICE("POST"),
        .host = endpoint.host,
        .path = SLICE(PATH),
        .query = SLICE(""),
        .headers = headers,
        .header_count = COUNT_OF(headers),
        .body = slice_of(body, BODY_BYTES),
        .region = SLICE("us-east-1"),
        .service = SLICE("bedrock"),
        .wall_ms = wall_ms(),
    };
    buf_init(&lines, 16384);
    CHECK(sigv4_add_headers(&lines, &request, &credentials, &key) == OK);
    buf_add_text(&lines, "Content-Type: application/json\r\nAccept:\r\n");
    curl_slist_free_all(call->headers);
    call->headers = NULL;
    for (char *at = lines.ptr, *end; (end = memchr(at, '\r', lines.len)) != NULL; at = end + 2) {
        *end = '\0';
        call->headers = curl_slist_append(call->headers, at);
        if (end + 2 >= lines.ptr + lines.len)
            break;
    }
}

static void begin(struct call *call)
{
    sign(call);
    call->started_ms = uv_now(&loop);
    (void)curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
    CHECK(curl_multi_add_handle(call->pool->multi, call->easy) == CURLM_OK);
}

static void pool_init(struct pool *pool)
{
    pool->multi = curl_multi_init();
    CHECK(pool->multi != NULL);
    CHECK(uv_timer_init(&loop, &pool->timer) == 0);
    pool->timer.data = pool;
    (void)curl_multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    (void)curl_multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool);
    (void)curl_multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    (void)curl_multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool);
    (void)curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, (long)CALLS_PER_MULTI);
}

static void call_init(struct call *call, struct pool *pool)
{
    call->pool = pool;
    call->easy = curl_easy_init();
    CHECK(call->easy != NULL);
    (void)curl_easy_setopt(call->easy, CURLOPT_PRIVATE, call);
    (void)curl_easy_setopt(call->easy, CURLOPT_URL, url);
    (void)curl_easy_setopt(call->easy, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(call->easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(call->easy, CURLOPT_PATH_AS_IS, 1L);
    (void)curl_easy_setopt(call->easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(call->easy, CURLOPT_POST, 1L);
    (void)curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, body);
    (void)curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE, (long)BODY_BYTES);
    (void)curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, hear);
    (void)curl_easy_setopt(call->easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    begin(call);
}

/* ---- the run ---- */

static void on_end(uv_timer_t *timer)
{
    (void)timer;
    ending = true;
    uv_stop(&loop);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)handle;
    (void)number;
    on_end(NULL);
}

static uint64_t latency_ms(uint64_t rank)
{
    uint64_t seen = 0;
    for (uint64_t ms = 0; ms <= SLOWEST_MS; ms++) {
        seen += took_ms[ms];
        if (seen > rank)
            return ms;
    }
    return SLOWEST_MS;
}

static void report(int in_flight, double seconds)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    double cpu_us = 1e6 * (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    uint64_t count = done > 0 ? done : 1;
    printf("in flight %d: %llu requests, %llu failed, %.0f/s; CPU %.1f us per request; at most %ld "
           "MiB; latency p50 %llu ms, p99 %llu ms\n",
           in_flight, (unsigned long long)done, (unsigned long long)failed, (double)done / seconds,
           cpu_us / (double)count, usage.ru_maxrss / 1024, (unsigned long long)latency_ms(done / 2),
           (unsigned long long)latency_ms(done - done / 100));
}

static bool prepare(const char *base)
{
    struct rlimit files = {FDS_MAX - 1, FDS_MAX - 1};
    (void)setrlimit(RLIMIT_NOFILE, &files);
    credentials = (struct credentials){
        .access_key_id = slice_of_text(getenv("AWS_ACCESS_KEY_ID")),
        .secret_access_key = slice_of_text(getenv("AWS_SECRET_ACCESS_KEY")),
        .session_token = slice_of_text(getenv("AWS_SESSION_TOKEN")),
    };
    if (credentials.access_key_id.len == 0 || credentials.secret_access_key.len == 0)
        credentials.access_key_id = credentials.secret_access_key = SLICE("bare");
    memset(body, 'x', BODY_BYTES);
    (void)snprintf(url, sizeof url, "%s%s", base, PATH);
    return endpoint_read(slice_of_text(base), &endpoint) == OK &&
           curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK && uv_loop_init(&loop) == 0 &&
           uv_timer_init(&loop, &end_timer) == 0 && uv_signal_init(&loop, &end_signal) == 0;
}

int main(int argc, char **argv)
{
    int in_flight = argc == 4 ? (int)strtol(argv[2], NULL, 10) : 0;
    int seconds = argc == 4 ? (int)strtol(argv[3], NULL, 10) : 0;
    if (in_flight < 1 || in_flight > FDS_MAX / 2 || seconds < 1 || !prepare(argv[1])) {
        fprintf(stderr, "usage: bare_client URL IN_FLIGHT SECONDS\n");
        return 2;
    }
    size_t pool_count = (size_t)(in_flight - 1) / CALLS_PER_MULTI + 1;
    struct pool *pools = calloc(pool_count, sizeof *pools);
    struct call *calls = calloc((size_t)in_flight, sizeof *calls);
    CHECK(pools != NULL);
    CHECK(calls != NULL);
    for (size_t i = 0; i < pool_count; i++)
        pool_init(&pools[i]);
    for (size_t i = 0; i < (size_t)in_flight; i++)
        call_init(&calls[i], &pools[i / CALLS_PER_MULTI]);
    CHECK(uv_timer_start(&end_timer, on_end, (uint64_t)seconds * 1000, 0) == 0);
    CHECK(uv_signal_start(&end_signal, on_signal, SIGTERM) == 0);
    uint64_t start = uv_now(&loop);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    report(in_flight, (double)(uv_now(&loop) - start + 1) / 1000);
    return 0;
}
