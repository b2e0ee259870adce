#include "sim/parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define OUT_BYTES_MAX     (4 * 1024 * 1024)
#define STREAM_BLOCK      2048
#define READ_BLOCK        32768
#define SLOW_BYTES        16 /* per piece of the fault `slow` */
#define RAW_GAP_MS        5
#define RAW_LINES         32 /* of endless headers at a time */
#define RAW_BYTES_MAX     (256u * 1024 * 1024)
#define CONTENT_JSON      "application/json"
#define CONTENT_STREAM    "application/vnd.amazon.eventstream"
#define ERROR_TYPE_SUFFIX ":http://internal.amazon.com/coral/com.amazon.bedrock/"
#define HTML_PAGE                                                                                  \
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad "      \
    "Gateway</h1></center>\r\n<hr><center>proxy</center>\r\n</body>\r\n</html>\r\n"

bool writing_is_right(enum fault fault)
{
    return fault == FAULT_NONE || fault == FAULT_HUGE || fault == FAULT_WRONG_DATE ||
           fault == FAULT_SKEWED_CLOCK || fault == FAULT_SLOW;
}

static int socket_of(const struct served *served)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(served->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info != NULL ? info->connect_fd : -1;
}

/* Resets a connection: connect() to AF_UNSPEC sends RST; a close by libmicrohttpd would send FIN.
 */
void writing_reset(struct served *served)
{
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    served->cut = true;
    (void)connect(socket_of(served), &nowhere, sizeof nowhere);
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    (void)MHD_add_response_header(response, name, value);
}

static void add_number(struct MHD_Response *response, const char *name, int64_t number)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%lld", (long long)number);
    add_header(response, name, text);
}

static void add_slice(struct MHD_Response *response, const char *name, struct slice value)
{
    char text[64];
    slice_write(value, text, sizeof text);
    if (value.len > 0)
        add_header(response, name, text);
}

/* What Converse has in its body, InvokeModel has in headers; of a stream the counts come last. */
static void add_invoke_headers(struct served *served, struct MHD_Response *response)
{
    const struct plan *plan = &served->plan;
    add_slice(response, "X-Amzn-Bedrock-Service-Tier", plan->tier);
    add_slice(response, "X-Amzn-Bedrock-PerformanceConfig-Latency", plan->latency);
    if (OPERATIONS[served->operation].streams) {
        add_header(response, "X-Amzn-Bedrock-Content-Type", CONTENT_JSON);
        return;
    }
    add_number(response, "X-Amzn-Bedrock-Input-Token-Count", plan->input_tokens);
    add_number(response, "X-Amzn-Bedrock-Output-Token-Count", plan->output_tokens);
    if (plan->caches) {
        add_number(response, "X-Amzn-Bedrock-Cache-Read-Input-Token-Count", plan->cache_read);
        add_number(response, "X-Amzn-Bedrock-Cache-Write-Input-Token-Count", plan->cache_write);
    }
    add_number(response, "X-Amzn-Bedrock-Invocation-Latency",
               served->sim->now_ms - served->started_ms);
}

/* Adds the headers that every answer has, queues the response and drops its reference. */
static enum MHD_Result send_response(struct served *served, struct MHD_Response *response,
                                     int status, const char *content_type)
{
    char date[HTTP_DATE_LEN + 1];
    char request_id[REQUEST_ID_LEN + 1];
    if (response == NULL)
        return MHD_NO;
    sim_date(served->sim, served->plan.skew_ms, date);
    memcpy(request_id, served->request_id, REQUEST_ID_LEN);
    request_id[REQUEST_ID_LEN] = '\0';
    add_header(response, "Date", date);
    add_header(response, "Content-Type", content_type);
    if (request_id[0] != '\0')
        add_header(response, "x-amzn-RequestId", request_id);
    bool is_answer = status == 200 && FAULTS[served->plan.fault].costs != FAULT_COSTS_NOTHING;
    if (is_answer && operation_is_invoke(served->operation))
        add_invoke_headers(served, response);
    served->facts.status = status;
    served->stage = STAGE_WRITING;
    enum MHD_Result result = MHD_queue_response(served->connection, (unsigned int)status, response);
    MHD_destroy_response(response);
    return result;
}

/* Makes a response of bytes that stay valid until the call ends. */
static struct MHD_Response *response_of(struct slice body)
{
    return MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.ptr,
                                           MHD_RESPMEM_PERSISTENT);
}

enum MHD_Result writing_text(struct served *served, int status, const char *type, struct slice body)
{
    return send_response(served, response_of(body), status, type);
}

static enum MHD_Result send_error(struct served *served, int status, const char *type,
                                  const char *text)
{
    char value[160];
    char number[32];
    int64_t retry_ms = served->plan.retry_after_ms;
    buf_init(&served->out, OUT_BYTES_MAX);
    sim_reply_error(&served->out, served->plan.fault, text);
    struct MHD_Response *response = response_of(buf_slice(&served->out));
    if (response == NULL)
        return MHD_NO;
    (void)snprintf(value, sizeof value, "%s" ERROR_TYPE_SUFFIX, type);
    add_header(response, "x-amzn-ErrorType", value);
    if (served->refusal.type == NULL && retry_ms > 0) {
        (void)snprintf(number, sizeof number, "%lld", (long long)((retry_ms + 999) / 1000));
        add_header(response, "Retry-After", number);
        (void)snprintf(number, sizeof number, "%lld", (long long)retry_ms);
        add_header(response, "x-amz-retry-after", number);
    }
    return send_response(served, response, status, CONTENT_JSON);
}

static bool is_stopping(const struct served *served)
{
    return atomic_load_explicit(&served->sim->stopping, memory_order_relaxed);
}

/* Suspends the call until due_ms, when libmicrohttpd asks for more bytes. */
static ssize_t pause_until(struct served *served, int64_t due_ms)
{
    served->quiet_until_ms = due_ms;
    sim_wait(served, due_ms);
    return 0;
}

static ssize_t break_off(struct served *served)
{
    served->cut = true;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

/* ---- whole answers: out, filler, tail ---- */

static size_t copy_part(char *to, size_t max, struct slice from, size_t at)
{
    struct slice part = slice_sub(from, at, max);
    if (part.len > 0)
        memcpy(to, part.ptr, part.len);
    return part.len;
}

static ssize_t read_whole(void *self, uint64_t pos, char *to, size_t max)
{
    struct served *served = self;
    struct sim *sim = served->sim;
    const struct plan *plan = &served->plan;
    size_t at = (size_t)pos;
    if (is_stopping(served) || served->gone)
        return break_off(served);
    if (sim->now_ms < served->quiet_until_ms)
        return pause_until(served, served->quiet_until_ms);
    if (plan->fault == FAULT_CUT_BODY && at >= served->out.len / 2)
        return break_off(served);
    if (plan->fault == FAULT_CUT_BODY && max > served->out.len / 2 - at)
        max = served->out.len / 2 - at;
    if (plan->fault == FAULT_SLOW && max > SLOW_BYTES)
        max = SLOW_BYTES;
    if (plan->gap.kind != DELAY_UNSET)
        served->quiet_until_ms = sim->now_ms + delay_draw(&plan->gap, &served->plan.random);
    if (at < served->out.len)
        return (ssize_t)copy_part(to, max, buf_slice(&served->out), at);
    at -= served->out.len;
    if (at < plan->fill_bytes) {
        size_t len = plan->fill_bytes - at < max ? plan->fill_bytes - at : max;
        sim_reply_fill(to, at, len);
        return (ssize_t)len;
    }
    return (ssize_t)copy_part(to, max, buf_slice(&served->tail), at - plan->fill_bytes);
}

static enum MHD_Result send_whole(struct served *served)
{
    struct plan *plan = &served->plan;
    buf_init(&served->out, OUT_BYTES_MAX);
    buf_init(&served->tail, OUT_BYTES_MAX);
    sim_reply_whole(&served->out, &served->tail, plan, served->sim->now_ms - served->started_ms);
    bool is_plain = plan->fill_bytes == 0 && plan->fault != FAULT_SLOW &&
                    plan->fault != FAULT_CUT_BODY && plan->fault != FAULT_ENDLESS_BODY;
    if (is_plain) {
        buf_add(&served->out, buf_slice(&served->tail));
        size_t len = plan->fault == FAULT_NOT_JSON ? served->out.len / 2 : served->out.len;
        if (served->out.failed != OK)
            return MHD_NO;
        return writing_text(served, 200, CONTENT_JSON, slice_of(served->out.ptr, len));
    }
    if (served->out.failed != OK || served->tail.failed != OK)
        return MHD_NO;
    if (plan->fault != FAULT_SLOW && plan->fault != FAULT_ENDLESS_BODY)
        plan->gap.kind = DELAY_UNSET; /* only streams and slow answers pause */
    uint64_t size = plan->fault == FAULT_ENDLESS_BODY
                        ? MHD_SIZE_UNKNOWN
                        : served->out.len + plan->fill_bytes + served->tail.len;
    /* libmicrohttpd allocates a block of this size per answer, so keep it small. */
    size_t block = size < READ_BLOCK ? (size_t)size : READ_BLOCK;
    return send_response(served,
                         MHD_create_response_from_callback(size, block, read_whole, served, NULL),
                         200, CONTENT_JSON);
}

/* ---- streams ---- */

/* Is the stream's fault due? After `after` frames, but before the last piece of text. */
static bool is_fault_due(const struct served *served)
{
    const struct plan *plan = &served->plan;
    if (served->fault_done || writing_is_right(plan->fault))
        return false;
    if (plan->fault == FAULT_NO_METADATA)
        return served->stream.phase == REPLY_METADATA;
    return served->stream.frames >= plan->after || sim_reply_is_given(plan, &served->stream);
}

/* Adds half of the next frame, and ends the answer there. */
static void add_half_frame(struct served *served)
{
    size_t before = served->out.len;
    (void)sim_reply_frame(&served->out, &served->plan, &served->stream, 0);
    buf_cut(&served->out, before + (served->out.len - before) / 2);
}

/* Flips a bit in the last frame's payload, so that its CRC is wrong. */
static void add_corrupt_frame(struct served *served)
{
    (void)sim_reply_frame(&served->out, &served->plan, &served->stream, 0);
    if (served->out.failed == OK)
        served->out.ptr[served->out.len - 6] ^= 1;
}

enum stream_next { NEXT_BYTES, NEXT_END, NEXT_BREAK, NEXT_STALL };

/* Injects the fault. */
static enum stream_next show_fault(struct served *served)
{
    served->fault_done = true;
    switch ((int)served->plan.fault) {
    case FAULT_STALL_STREAM:
        return NEXT_STALL;
    case FAULT_CUT_STREAM:
        return NEXT_BREAK;
    case FAULT_RESET_STREAM:
        writing_reset(served);
        return NEXT_BREAK;
    case FAULT_SHORT_STREAM:
    case FAULT_NO_METADATA:
        served->cut = true;
        return NEXT_END;
    case FAULT_CUT_FRAME:
    case FAULT_SHORT_FRAME:
        add_half_frame(served);
        served->stream.phase = REPLY_END;
        served->cut = true;
        return NEXT_BYTES;
    case FAULT_CORRUPT_FRAME:
        add_corrupt_frame(served);
        return NEXT_BYTES;
    case FAULT_BAD_EVENT:
        sim_reply_bad_event(&served->out, &served->plan);
        return NEXT_BYTES;
    default:
        if (FAULTS[served->plan.fault].kind != FAULT_KIND_EXCEPTION)
            return NEXT_BYTES; /* the filler makes the endless body */
        sim_reply_exception(&served->out, served->plan.fault);
        served->stream.phase = REPLY_END;
        return NEXT_BYTES;
    }
}

/* Fills `out` with one frame, or with as many as fit when there is no pause between them. */
static enum stream_next make_frames(struct served *served, size_t max)
{
    struct sim *sim = served->sim;
    struct plan *plan = &served->plan;
    buf_reset(&served->out);
    served->out_at = 0;
    do {
        if (is_fault_due(served)) {
            if (served->out.len > 0) /* earlier frames go out first */
                return NEXT_BYTES;
            enum stream_next next = show_fault(served);
            if (next != NEXT_BYTES)
                return next;
            continue;
        }
        if (!sim_reply_frame(&served->out, plan, &served->stream,
                             sim->now_ms - served->started_ms)) {
            bool breaks = plan->fault == FAULT_CUT_FRAME;
            return served->out.len > 0 ? NEXT_BYTES : breaks ? NEXT_BREAK : NEXT_END;
        }
    } while (plan->gap.kind == DELAY_UNSET && served->out.len < max);
    if (plan->gap.kind != DELAY_UNSET)
        served->quiet_until_ms = sim->now_ms + delay_draw(&plan->gap, &plan->random);
    return NEXT_BYTES;
}

static ssize_t read_stream(void *self, uint64_t pos, char *to, size_t max)
{
    struct served *served = self;
    struct sim *sim = served->sim;
    (void)pos;
    if (is_stopping(served) || served->gone || served->out.failed != OK)
        return break_off(served);
    if (served->out_at == served->out.len) {
        if (sim->now_ms < served->quiet_until_ms)
            return pause_until(served, served->quiet_until_ms);
        switch (make_frames(served, max)) {
        case NEXT_END:
            return MHD_CONTENT_READER_END_OF_STREAM;
        case NEXT_BREAK:
            return break_off(served);
        case NEXT_STALL:
            served->cut = true;
            return pause_until(served, sim->now_ms + sim->config->stall_ms);
        case NEXT_BYTES:
        default:
            break;
        }
    }
    if (served->plan.fault == FAULT_SLOW && max > SLOW_BYTES)
        max = SLOW_BYTES;
    size_t len = copy_part(to, max, buf_slice(&served->out), served->out_at);
    served->out_at += len;
    if (served->plan.fault == FAULT_SLOW)
        served->quiet_until_ms = sim->now_ms;
    return len > 0 ? (ssize_t)len : break_off(served);
}

static enum MHD_Result send_stream(struct served *served)
{
    if (served->plan.gap.kind == DELAY_FIXED && served->plan.gap.from_ms == 0)
        served->plan.gap.kind = DELAY_UNSET;
    buf_init(&served->out, OUT_BYTES_MAX);
    return send_response(served,
                         MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK,
                                                           read_stream, served, NULL),
                         200, CONTENT_STREAM);
}

/* ---- without libmicrohttpd ---- */

static bool send_raw(struct served *served, struct slice bytes)
{
    ssize_t done = send(socket_of(served), bytes.ptr, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (done > 0)
        served->raw_bytes += (size_t)done;
    return done >= 0 || errno == EAGAIN || errno == EINTR;
}

enum MHD_Result writing_raw(struct served *served)
{
    char line[96];
    for (int i = 0; i < RAW_LINES; i++) {
        int len = snprintf(line, sizeof line, "x-more-%zu: the quick brown fox and so on\r\n",
                           served->raw_bytes);
        if (!send_raw(served, slice_of(line, (size_t)len)) || served->raw_bytes > RAW_BYTES_MAX)
            return MHD_NO;
    }
    sim_wait(served, served->sim->now_ms + RAW_GAP_MS);
    return MHD_YES;
}

static enum MHD_Result start_raw(struct served *served)
{
    served->stage = STAGE_RAW;
    served->cut = true;
    if (!send_raw(served, SLICE("HTTP/1.1 200 OK\r\nContent-Type: " CONTENT_JSON "\r\n")))
        return MHD_NO;
    return writing_raw(served);
}

static enum MHD_Result send_answer(struct served *served)
{
    if (OPERATIONS[served->operation].streams)
        return send_stream(served);
    if (served->operation != OPERATION_COUNT_TOKENS)
        return send_whole(served);
    buf_init(&served->out, OUT_BYTES_MAX);
    sim_reply_count(&served->out, &served->plan);
    return writing_text(served, 200, CONTENT_JSON, buf_slice(&served->out));
}

enum MHD_Result writing_start(struct served *served)
{
    const struct fault_row *row = &FAULTS[served->plan.fault];
    if (served->refusal.type != NULL)
        return send_error(served, served->refusal.status, served->refusal.type,
                          served->refusal.text);
    if (row->kind == FAULT_KIND_STATUS)
        return send_error(served, row->status, row->type, row->text);
    switch ((int)served->plan.fault) {
    case FAULT_RESET_EARLY:
    case FAULT_RESET_LATE:
        writing_reset(served);
        return MHD_NO;
    case FAULT_CLOSE:
    case FAULT_STALL:
        served->cut = true;
        return MHD_NO;
    case FAULT_HTML:
    case FAULT_HTML_ERROR:
        return writing_text(served, row->status, "text/html", SLICE(HTML_PAGE));
    case FAULT_ERROR_IN_200:
        buf_init(&served->out, OUT_BYTES_MAX);
        buf_addf(&served->out, "{\"__type\":\"%s\",\"message\":\"%s\"}", row->type,
                 FAULTS[FAULT_INTERNAL_SERVER].text);
        return writing_text(served, 200, CONTENT_JSON, buf_slice(&served->out));
    case FAULT_ENDLESS_HEADERS:
        return start_raw(served);
    case FAULT_ENDLESS_BODY:
        served->fault_done = !OPERATIONS[served->operation].streams;
        return send_answer(served);
    default:
        return send_answer(served);
    }
}
