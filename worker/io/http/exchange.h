/* The state of HTTP exchanges, without curl: which are queued, running or cancelled, what has
 * arrived of the answer, which deadline holds, and when to call the hearer. The carrier (client.c
 * and easy.c, on curl) moves the bytes. One table, sized at birth, owns the exchanges of all
 * channels; the requests are borrowed. Only allocations fail. */
#ifndef IO_HTTP_EXCHANGE_H
#define IO_HTTP_EXCHANGE_H

#include "base/list.h"
#include "base/timers.h"
#include "engine/ports.h"
#include "io/http/client.h"

#define EXCHANGE_REASON_MAX 400 /* bytes of a failure's text, with its NUL */

enum exchange_step {
    EXCHANGE_FREE,
    EXCHANGE_QUEUED,
    EXCHANGE_RUNNING,
    EXCHANGE_DOOMED, /* cancelled; the carrier releases it in the next step */
};

struct exchanges;

/* Exchanges with one hearer. */
struct exchange_channel {
    struct link link; /* in exchanges->channels */
    struct exchanges *owner;
    struct exchange_hearer hearer;
    struct exchange **by_index; /* queued or running, by ref.index; NULL = none */
    uint32_t exchanges_max;
};

/* As in struct http_config. */
struct exchange_limits {
    int64_t connect_ms, first_byte_ms, idle_ms, total_ms;
};

struct exchange {
    struct exchanges *owner;
    struct exchange_channel *channel;
    enum exchange_step step;
    struct call_ref ref;
    struct http_request request;
    struct link place; /* in a list of exchanges: free, queued, doomed or waiting */
    struct timer deadline;
    struct exchange_limits limits;   /* of the time of its start */
    int64_t started_ms, received_ms; /* received_ms: the last bytes of the answer */
    struct buf head;
    size_t head_bytes; /* received, with interim answers and trailers */
    int status;
    bool is_waiting;   /* for its host's address, before the carrier begins */
    bool has_received; /* bytes of the final answer */
    bool head_done;
    enum err verdict; /* why this room aborts it; OK = it does not */

    /* Fields of the carrier: */
    void *easy, *pool, *lines, *pairs;
    size_t body_at;    /* bytes of the body that curl has read */
    long sent_before;  /* request bytes that curl counted when the request was first due to go */
    bool is_connected; /* its connection is established */
    bool due_to_send;  /* its connection has been established once */
    bool resend_refused;
    char carrier_error[256]; /* curl writes it */
};

/* The table. */
struct exchanges {
    const struct http_config *config;
    uint64_t events;      /* calls of hearers since birth */
    struct exchange *all; /* twice max_in_flight: a cancelled one stays until the next step */
    size_t used;          /* entries of `all` that were ever used */
    struct link channels;
    uint32_t channels_max; /* exchanges_max of all channels together */
    struct link free, queued, doomed;
    struct timers deadlines;
};

/* Makes an empty table for `config`, which is borrowed. False: out of memory; then call
 * exchanges_done. */
MUST_CHECK bool exchanges_init(struct exchanges *exchanges, const struct http_config *config);
/* Frees everything except the channels, which senders may still refer to. */
void exchanges_done(struct exchanges *exchanges);

/* As http_channel_open. */
MUST_CHECK struct exchange_channel *exchange_channel_new(struct exchanges *exchanges,
                                                         const struct exchange_hearer *hearer,
                                                         uint32_t exchanges_max);
/* Frees all channels. */
void exchange_channels_free(struct exchanges *exchanges);

/* As http_start. */
void exchange_channel_start(struct exchange_channel *channel, struct call_ref ref,
                            const struct http_request *request);
/* As http_cancel. Returns the exchange if it was running: it is doomed now. NULL otherwise. */
struct exchange *exchange_channel_cancel(struct exchange_channel *channel, struct call_ref ref);
/* Is any exchange queued or doomed? */
bool exchanges_are_waiting(const struct exchanges *exchanges);

/* The next doomed exchange, for exchange_release; NULL = none. */
struct exchange *exchanges_next_doomed(struct exchanges *exchanges);
/* Moves all queued exchanges to `ret_batch`, for exchange_begin. Later ones wait for the next step.
 */
void exchanges_take_queued(struct exchanges *exchanges, struct link *ret_batch);
/* The next running exchange that is past its deadline, with its verdict set; NULL = none. */
struct exchange *exchanges_next_late(struct exchanges *exchanges, int64_t now_ms);

/* Moves a queued exchange to running and sets its deadline. */
void exchange_begin(struct exchange *exchange, int64_t now_ms);
/* Adds a running exchange to `list` while the address of its host is unknown. */
void exchange_wait(struct exchange *exchange, struct link *list);
/* Removes the exchange from that list; the carrier continues. */
void exchange_resume(struct exchange *exchange);
/* Take a line of a head or trailer, with its line end, or a piece of the body, and call the hearer.
 * False: the carrier must abort the exchange. */
MUST_CHECK bool exchange_receive_line(struct exchange *exchange, struct slice line, int64_t now_ms);
MUST_CHECK bool exchange_receive_body(struct exchange *exchange, struct slice bytes,
                                      int64_t now_ms);
/* Writes why the exchange failed, for people; "" for OK. `carrier_error` is the carrier's reason.
 */
void exchange_write_reason(const struct exchange *exchange, enum err err, const char *carrier_error,
                           char ret_reason[EXCHANGE_REASON_MAX]);
/* Frees the exchange for reuse. */
void exchange_release(struct exchange *exchange);
/* Releases the exchange and calls hearer.ended, which may use the index again. */
void exchange_end(struct exchange *exchange, const struct call_end *end);

#endif
