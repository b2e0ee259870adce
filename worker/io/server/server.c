#include "io/server/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/check.h"
#include "base/glob.h"
#include "base/list.h"
#include "base/memory.h"
#include "io/loop/alarm.h"

#define HEAD_BYTES_MAX    ((size_t)16 * 1024)
#define CONNECTIONS_SPARE 8 /* that are about to end */

/* One TCP connection, in the order of their last requests. */
struct guest {
    struct link link;
    struct MHD_Connection *connection;
};

struct server {
    struct server_config config;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    struct alarm alarm;
    bool has_poll, is_closing;
    int port, open_handles;
    struct link guests;
    uint32_t guest_count;
};

/* --- the Host header --- */

/* Without the port, and an IPv6 address without its brackets. */
static struct slice host_name(struct slice host)
{
    if (host.len > 0 && host.ptr[0] == '[')
        return slice_sub(host, 1, slice_find(host, ']') - 1);
    return slice_sub(host, 0, slice_find(host, ':'));
}

static bool is_ip(struct slice name)
{
    char text[INET6_ADDRSTRLEN + 1];
    unsigned char address[16];
    if (name.len == 0 || name.len >= sizeof text)
        return false;
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

bool server_knows_host(const struct slice *hosts, size_t host_count, struct slice host)
{
    struct slice name = host_name(host);
    if (is_ip(name) || glob_match(SLICE("localhost"), name, true))
        return true;
    for (size_t i = 0; i < host_count; i++)
        if (glob_match(hosts[i], name, true))
            return true;
    return false;
}

/* --- connections --- */

static void guest_ended(struct server *server, void **context)
{
    struct guest *guest = *context;
    if (guest == NULL)
        return;
    link_out(&guest->link);
    memory_free(guest);
    server->guest_count--;
    *context = NULL;
}

/* Ends the connection that has been idle for longest: half-open clients delay no one. */
static void end_oldest(struct server *server)
{
    struct guest *oldest = LINK_OWNER(server->guests.next, struct guest, link);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(oldest->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info != NULL)
        (void)shutdown(info->connect_fd, SHUT_RDWR);
    link_out(&oldest->link);
    list_add_last(&server->guests, &oldest->link);
}

static void on_connection(void *self, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct server *server = self;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        guest_ended(server, context);
        return;
    }
    if (server->guest_count >= SERVER_CONNECTIONS_MAX)
        end_oldest(server);
    struct guest *guest = memory_new(sizeof *guest);
    *context = guest;
    if (guest == NULL)
        return;
    guest->connection = connection;
    list_add_last(&server->guests, &guest->link);
    server->guest_count++;
}

static void note_request(struct server *server, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct guest *guest = info == NULL ? NULL : info->socket_context;
    if (guest == NULL)
        return;
    link_out(&guest->link);
    list_add_last(&server->guests, &guest->link);
}

/* --- answers --- */

static enum MHD_Result send_page(struct MHD_Connection *connection, const struct server_page *page)
{
    const char *policy = page->policy != NULL ? page->policy : "default-src 'none'";
    size_t len = page->body->failed == OK ? page->body->len : 0;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        len, len > 0 ? page->body->ptr : (void *)(uintptr_t) "", MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    unsigned int status = page->body->failed == OK ? (unsigned int)page->status : 500;
    bool is_done =
        MHD_add_response_header(response, "Content-Type", page->type) == MHD_YES &&
        MHD_add_response_header(response, "Server", SERVER_NAME) == MHD_YES &&
        MHD_add_response_header(response, "Cache-Control", "no-store") == MHD_YES &&
        MHD_add_response_header(response, "X-Content-Type-Options", "nosniff") == MHD_YES &&
        MHD_add_response_header(response, "Referrer-Policy", "no-referrer") == MHD_YES &&
        MHD_add_response_header(response, "Content-Security-Policy", policy) == MHD_YES &&
        (status != 405 || MHD_add_response_header(response, "Allow", "GET, HEAD") == MHD_YES);
    enum MHD_Result result = is_done ? MHD_queue_response(connection, status, response) : MHD_NO;
    MHD_destroy_response(response);
    return result;
}

static void refuse(struct server_page *page, int status, const char *words)
{
    page->status = status;
    buf_add_text(page->body, words);
}

static void make_page(struct server *server, struct MHD_Connection *connection, const char *method,
                      const char *target, struct server_page *page)
{
    const char *host =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
    struct slice path = slice_of_text(target);
    struct slice query = SLICE_NULL;
    size_t mark = slice_find(path, '?');
    if (mark < path.len)
        query = slice_sub(path, mark + 1, SIZE_MAX);
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        refuse(page, 405, "only GET and HEAD\n");
    else if (host == NULL || !server_knows_host(server->config.hosts, server->config.host_count,
                                                slice_of_text(host)))
        refuse(page, 421, "unknown Host; add it to telemetry.http.hosts\n");
    else
        server->config.answer(server->config.self, slice_sub(path, 0, mark), query, page);
}

/* The first step of a request has its head; the answer goes out at once, whatever body follows. */
static enum MHD_Result on_request(void *self, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_len, void **context)
{
    struct server *server = self;
    struct buf body OWNED_BY(buf_done);
    struct server_page page = {.status = 200, .type = "text/plain; charset=utf-8", .body = &body};
    (void)path, (void)version, (void)upload, (void)upload_len;
    buf_init(&body, SERVER_PAGE_BYTES_MAX);
    note_request(server, connection);
    if (*context == NULL)
        return MHD_NO;
    make_page(server, connection, method, *context, &page);
    return send_page(connection, &page);
}

/* The target as it came: libmicrohttpd would decode it. Freed by on_completed. */
static void *on_target(void *self, const char *target, struct MHD_Connection *connection)
{
    (void)self, (void)connection;
    size_t len = strlen(target);
    char *copy = memory_new(len + 1);
    if (copy != NULL)
        memcpy(copy, target, len);
    return copy;
}

static void on_completed(void *self, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    (void)self, (void)connection, (void)code;
    memory_free(*context);
    *context = NULL;
}

/* --- birth --- */

static bool read_address(const char *text, struct sockaddr_storage *ret_address, socklen_t *ret_len)
{
    struct sockaddr_in *four = (struct sockaddr_in *)ret_address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret_address;
    const char *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN + 2];
    char *end;
    if (colon == NULL || (size_t)(colon - text) >= sizeof host)
        return false;
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (end == colon + 1 || *end != '\0' || port > 65535)
        return false;
    struct slice name = host_name(slice_of(text, (size_t)(colon - text)));
    memcpy(host, name.ptr, name.len);
    host[name.len] = '\0';
    memset(ret_address, 0, sizeof *ret_address);
    if (inet_pton(AF_INET, host, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)port);
        *ret_len = sizeof *four;
        return true;
    }
    six->sin6_family = AF_INET6;
    six->sin6_port = htons((uint16_t)port);
    *ret_len = sizeof *six;
    return text[0] == '[' && inet_pton(AF_INET6, host, &six->sin6_addr) == 1;
}

bool server_knows_address(const char *address)
{
    struct sockaddr_storage storage;
    socklen_t len;
    return read_address(address, &storage, &len);
}

static in_port_t *port_of(struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET ? &((struct sockaddr_in *)address)->sin_port
                                         : &((struct sockaddr_in6 *)address)->sin6_port;
}

/* A listening socket, or -1 with errno. */
static int listen_at(struct sockaddr_storage *address, socklen_t len)
{
    int yes = 1;
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)address, len) == 0 && listen(fd, SERVER_CONNECTIONS_MAX) == 0 &&
        getsockname(fd, (struct sockaddr *)address, &len) == 0)
        return fd;
    int error = errno;
    (void)close(fd);
    errno = error;
    return -1;
}

static int listen_near(const struct server_config *config, struct sockaddr_storage *address,
                       socklen_t len)
{
    int port = ntohs(*port_of(address));
    int fd = listen_at(address, len);
    for (int i = 1; fd < 0 && errno == EADDRINUSE && config->may_take_next && port > 0 &&
                    i < SERVER_PORTS_TRIED && port + i <= 65535;
         i++) {
        *port_of(address) = htons((uint16_t)(port + i));
        fd = listen_at(address, len);
    }
    return fd;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)poll, (void)status, (void)events; /* server_step does the work */
}

static bool start_daemon(struct server *server, int fd)
{
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_SUPPRESS_DATE_NO_CLOCK, 0, NULL, NULL, on_request, server,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, on_target, server,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, server, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned int)(SERVER_CONNECTIONS_MAX + CONNECTIONS_SPARE),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEAD_BYTES_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned int)SERVER_IDLE_S, MHD_OPTION_END);
    if (server->daemon == NULL)
        (void)close(fd);
    return server->daemon != NULL;
}

static bool watch(struct server *server, struct uv_loop_s *loop)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (info == NULL || uv_poll_init(loop, &server->poll, info->epoll_fd) != 0)
        return false;
    server->has_poll = true;
    alarm_init(&server->alarm, loop);
    return uv_poll_start(&server->poll, UV_READABLE, on_ready) == 0;
}

struct server *server_new(struct uv_loop_s *loop, const struct server_config *config,
                          char ret_problem[SERVER_PROBLEM_MAX])
{
    struct sockaddr_storage address;
    socklen_t len;
    if (!read_address(config->address, &address, &len)) {
        (void)snprintf(ret_problem, SERVER_PROBLEM_MAX,
                       "%s is not an IP address with a port, such as 127.0.0.1:9464",
                       config->address);
        return NULL;
    }
    int fd = listen_near(config, &address, len);
    if (fd < 0) {
        (void)snprintf(ret_problem, SERVER_PROBLEM_MAX, "cannot listen on %s: %s", config->address,
                       strerror(errno));
        return NULL;
    }
    struct server *server = memory_new(sizeof *server);
    if (server != NULL) {
        server->config = *config;
        server->port = ntohs(*port_of(&address));
        link_init(&server->guests);
    }
    if (server == NULL || !start_daemon(server, fd) || !watch(server, loop)) {
        (void)snprintf(ret_problem, SERVER_PROBLEM_MAX, "out of memory");
        memory_free(server);
        return NULL;
    }
    return server;
}

int server_port(const struct server *server)
{
    return server->port;
}

/* --- the turn --- */

bool server_step(struct server *server)
{
    MHD_UNSIGNED_LONG_LONG wait_ms;
    if (server->is_closing)
        return false;
    (void)MHD_run(server->daemon);
    if (MHD_get_timeout(server->daemon, &wait_ms) != MHD_YES) {
        alarm_move(&server->alarm, INT64_MAX);
        return false;
    }
    alarm_move(&server->alarm, (int64_t)uv_now(server->poll.loop) + (int64_t)wait_ms);
    return wait_ms == 0;
}

/* --- the end --- */

static void on_closed(uv_handle_t *handle)
{
    ((struct server *)handle->data)->open_handles--;
}

void server_close(struct server *server)
{
    if (server->is_closing)
        return;
    server->is_closing = true;
    server->open_handles = 1;
    server->poll.data = server;
    (void)uv_poll_stop(&server->poll);
    uv_close((uv_handle_t *)&server->poll, on_closed);
    alarm_close(&server->alarm);
    MHD_stop_daemon(server->daemon);
    server->daemon = NULL;
}

bool server_is_closed(const struct server *server)
{
    return server->is_closing && server->open_handles == 0 && alarm_is_closed(&server->alarm);
}

void server_free(struct server *server)
{
    memory_free(server);
}
