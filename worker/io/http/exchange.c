#include "io/http/exchange.h"

#include <stdio.h>

#include "base/check.h"
#include "base/memory.h"
#include "base/secrets.h"
#include "wire/formats/why.h"

bool exchanges_init(struct exchanges *exchanges, const struct http_config *config)
{
    size_t calls = config->max_in_flight;
    *exchanges = (struct exchanges){.config = config};
    link_init(&exchanges->channels);
    link_init(&exchanges->free);
    link_init(&exchanges->queued);
    link_init(&exchanges->doomed);
    exchanges->all = memory_new(calls * 2 * sizeof *exchanges->all);
    return exchanges->all != NULL && timers_init(&exchanges->deadlines, calls * 2) == OK;
}

void exchanges_done(struct exchanges *exchanges)
{
    for (size_t i = 0; i < exchanges->used; i++)
        buf_done(&exchanges->all[i].head);
    timers_done(&exchanges->deadlines);
    memory_free(exchanges->all);
    exchanges->all = NULL;
    exchanges->used = 0;
}

struct exchange_channel *exchange_channel_new(struct exchanges *exchanges,
                                              const struct exchange_hearer *hearer,
                                              uint32_t exchanges_max)
{
    CHECK(exchanges_max > 0);
    CHECK(exchanges_max <= exchanges->config->max_in_flight - exchanges->channels_max);
    struct exchange_channel *channel = memory_new(sizeof *channel);
    struct exchange **by_index = memory_new(exchanges_max * sizeof(struct exchange *));
    if (channel == NULL || by_index == NULL) {
        memory_free(channel);
        memory_free(by_index);
        return NULL;
    }
    *channel = (struct exchange_channel){.owner = exchanges,
                                         .hearer = *hearer,
                                         .by_index = by_index,
                                         .exchanges_max = exchanges_max};
    link_init(&channel->link);
    list_add_last(&exchanges->channels, &channel->link);
    exchanges->channels_max += exchanges_max;
    return channel;
}

void exchange_channels_free(struct exchanges *exchanges)
{
    struct link *link;
    while ((link = list_first(&exchanges->channels)) != NULL) {
        struct exchange_channel *channel = LINK_OWNER(link, struct exchange_channel, link);
        link_out(link);
        memory_free(channel->by_index);
        memory_free(channel);
    }
}

/* Takes a free exchange, or one that was never used. There is always one, because there are twice
 * as many as calls. */
static struct exchange *take(struct exchanges *exchanges)
{
    struct link *link = list_first(&exchanges->free);
    if (link != NULL) {
        link_out(link);
        return LINK_OWNER(link, struct exchange, place);
    }
    CHECK(exchanges->used < (size_t)exchanges->config->max_in_flight * 2);
    struct exchange *exchange = &exchanges->all[exchanges->used++];
    exchange->owner = exchanges;
    link_init(&exchange->place);
    timer_init(&exchange->deadline);
    buf_init(&exchange->head, exchanges->config->max_head_bytes);
    return exchange;
}

static struct exchange_limits limits_of(const struct http_config *config)
{
    return (struct exchange_limits){
        .connect_ms = config->connect_ms,
        .first_byte_ms = config->first_byte_ms,
        .idle_ms = config->idle_ms,
        .total_ms = config->total_ms,
    };
}

void exchange_channel_start(struct exchange_channel *channel, struct call_ref ref,
                            const struct http_request *request)
{
    CHECK(ref.index < channel->exchanges_max);
    CHECK(channel->by_index[ref.index] == NULL);
    struct exchange *exchange = take(channel->owner);
    exchange->channel = channel;
    exchange->step = EXCHANGE_QUEUED;
    exchange->ref = ref;
    exchange->request = *request;
    exchange->limits = limits_of(exchange->owner->config);
    channel->by_index[ref.index] = exchange;
    list_add_last(&channel->owner->queued, &exchange->place);
}

struct exchange *exchange_channel_cancel(struct exchange_channel *channel, struct call_ref ref)
{
    CHECK(ref.index < channel->exchanges_max);
    struct exchange *exchange = channel->by_index[ref.index];
    if (exchange == NULL || exchange->ref.generation != ref.generation)
        return NULL;
    channel->by_index[ref.index] = NULL;
    if (exchange->step == EXCHANGE_QUEUED) {
        exchange_release(exchange);
        return NULL;
    }
    exchange->step = EXCHANGE_DOOMED;
    link_out(&exchange->place);
    list_add_last(&channel->owner->doomed, &exchange->place);
    return exchange;
}

bool exchanges_are_waiting(const struct exchanges *exchanges)
{
    return !link_alone(&exchanges->queued) || !link_alone(&exchanges->doomed);
}

struct exchange *exchanges_next_doomed(struct exchanges *exchanges)
{
    struct link *link = list_first(&exchanges->doomed);
    return link == NULL ? NULL : LINK_OWNER(link, struct exchange, place);
}

void exchanges_take_queued(struct exchanges *exchanges, struct link *ret_batch)
{
    link_init(ret_batch);
    list_move_all(&exchanges->queued, ret_batch);
}

static int64_t due_ms(const struct exchange *exchange)
{
    const struct exchange_limits *limits = &exchange->limits;
    int64_t due = exchange->started_ms + limits->first_byte_ms;
    if (exchange->is_waiting)
        due = exchange->started_ms + limits->connect_ms;
    else if (exchange->has_received)
        due = exchange->received_ms + limits->idle_ms;
    int64_t end = exchange->started_ms + limits->total_ms;
    return due < end ? due : end;
}

static void watch_deadline(struct exchange *exchange)
{
    timers_set(&exchange->owner->deadlines, &exchange->deadline, due_ms(exchange));
}

struct exchange *exchanges_next_late(struct exchanges *exchanges, int64_t now_ms)
{
    struct timer *timer;
    while ((timer = timers_pop(&exchanges->deadlines, now_ms)) != NULL) {
        struct exchange *exchange = LINK_OWNER(timer, struct exchange, deadline);
        if (exchange->step != EXCHANGE_RUNNING)
            continue;
        if (due_ms(exchange) <= now_ms) {
            exchange->verdict = ERR_TIMEOUT;
            return exchange;
        }
        watch_deadline(exchange);
    }
    return NULL;
}

void exchange_begin(struct exchange *exchange, int64_t now_ms)
{
    link_out(&exchange->place);
    exchange->step = EXCHANGE_RUNNING;
    exchange->started_ms = now_ms;
    exchange->head_bytes = 0;
    exchange->status = 0;
    exchange->has_received = exchange->head_done = exchange->is_waiting = false;
    exchange->verdict = OK;
    watch_deadline(exchange);
}

void exchange_wait(struct exchange *exchange, struct link *list)
{
    exchange->is_waiting = true;
    list_add_last(list, &exchange->place);
    watch_deadline(exchange);
}

void exchange_resume(struct exchange *exchange)
{
    exchange->is_waiting = false;
    link_out(&exchange->place);
    watch_deadline(exchange);
}

/* Later bytes only postpone the deadline; exchanges_next_late considers that when the timer fires.
 */
static void note_received(struct exchange *exchange, int64_t now_ms)
{
    exchange->received_ms = now_ms;
    if (exchange->has_received)
        return;
    exchange->has_received = true;
    watch_deadline(exchange);
}

/* The status of a line such as `HTTP/1.1 200 OK`; 0 = none. */
static int status_of(struct slice line)
{
    int64_t status;
    struct slice digits = slice_sub(line, slice_find(line, ' ') + 1, 3);
    return digits.len == 3 && slice_to_int64(digits, &status) && status >= 100 ? (int)status : 0;
}

static void head_ended(struct exchange *exchange)
{
    /* After an interim answer another head follows. */
    if (exchange->status < 200) {
        exchange->has_received = false;
        watch_deadline(exchange);
        return;
    }
    exchange->head_done = true;
    exchange->owner->events++;
    const struct exchange_hearer *hearer = &exchange->channel->hearer;
    hearer->head(hearer->self, exchange->ref, exchange->status, buf_slice(&exchange->head));
    buf_done(&exchange->head);
}

bool exchange_receive_line(struct exchange *exchange, struct slice line, int64_t now_ms)
{
    if (exchange->step != EXCHANGE_RUNNING)
        return false;
    note_received(exchange, now_ms);
    exchange->head_bytes += line.len;
    if (exchange->head_bytes > exchange->owner->config->max_head_bytes) {
        exchange->verdict = ERR_TOO_LARGE;
        return false;
    }
    if (exchange->head_done)
        return true; /* a trailer */
    if (slice_starts(line, SLICE("HTTP/"))) {
        buf_reset(&exchange->head);
        exchange->status = status_of(line);
    }
    buf_add(&exchange->head, line);
    if (exchange->head.failed != OK) {
        exchange->verdict = exchange->head.failed;
        return false;
    }
    if (slice_trim(line).len == 0)
        head_ended(exchange);
    return exchange->step == EXCHANGE_RUNNING;
}

bool exchange_receive_body(struct exchange *exchange, struct slice bytes, int64_t now_ms)
{
    if (exchange->step != EXCHANGE_RUNNING)
        return false;
    note_received(exchange, now_ms);
    exchange->owner->events++;
    const struct exchange_hearer *hearer = &exchange->channel->hearer;
    hearer->body(hearer->self, exchange->ref, bytes);
    return exchange->step == EXCHANGE_RUNNING;
}

static const char *late_reason(const struct exchange *exchange, int64_t *ret_limit_ms)
{
    const struct exchange_limits *limits = &exchange->limits;
    if (exchange->is_waiting) {
        *ret_limit_ms = limits->connect_ms;
        return "the address of the host is not known after";
    }
    *ret_limit_ms = exchange->has_received ? limits->idle_ms : limits->first_byte_ms;
    int64_t since_ms = exchange->has_received ? exchange->received_ms : exchange->started_ms;
    if (exchange->started_ms + limits->total_ms < since_ms + *ret_limit_ms) {
        *ret_limit_ms = limits->total_ms;
        return "the call took longer than";
    }
    return exchange->has_received ? "the answer paused for more than" : "no answer within";
}

void exchange_write_reason(const struct exchange *exchange, enum err err, const char *carrier_error,
                           char ret_reason[EXCHANGE_REASON_MAX])
{
    int64_t limit_ms = 0;
    ret_reason[0] = '\0';
    if (err == OK)
        return;
    if (exchange->verdict == ERR_TIMEOUT) {
        const char *reason = late_reason(exchange, &limit_ms);
        (void)snprintf(ret_reason, EXCHANGE_REASON_MAX, "%s %lld ms", reason, (long long)limit_ms);
    } else if (err == ERR_TOO_LARGE) {
        (void)snprintf(ret_reason, EXCHANGE_REASON_MAX, "the answer's head is over %zu bytes",
                       exchange->owner->config->max_head_bytes);
    } else if (exchange->resend_refused) {
        (void)snprintf(ret_reason, EXCHANGE_REASON_MAX,
                       "a kept connection was closed before the answer began");
    } else {
        why_copy(ret_reason, EXCHANGE_REASON_MAX, slice_of_text(carrier_error));
        secrets_mask(ret_reason);
    }
}

/* The exchange released last is used next, because its memory is most likely cached. */
void exchange_release(struct exchange *exchange)
{
    struct exchanges *exchanges = exchange->owner;
    buf_done(&exchange->head);
    timers_stop(&exchanges->deadlines, &exchange->deadline);
    link_out(&exchange->place);
    exchange->step = EXCHANGE_FREE;
    list_add_first(&exchanges->free, &exchange->place);
}

void exchange_end(struct exchange *exchange, const struct call_end *end)
{
    struct exchange_channel *channel = exchange->channel;
    struct call_ref ref = exchange->ref;
    CHECK(channel->by_index[ref.index] == exchange);
    channel->by_index[ref.index] = NULL;
    exchange_release(exchange);
    channel->owner->events++;
    channel->hearer.ended(channel->hearer.self, ref, end);
}
