/* HTTP exchanges apart from the library that carries them (io/http/client.c): who is queued, under
 * way and cancelled, what was heard of the answer, when it is late, and what its hearer hears. One
 * table for the exchanges of all channels, sized at birth. */
#ifndef IO_HTTP_EXCHANGE_H
#define IO_HTTP_EXCHANGE_H

#include "base/list.h"
#include "base/timers.h"
#include "engine/ports.h"
#include "io/http/client.h"

#define EXCHANGE_WORDS_MAX 320

enum exchange_step {
    EXCHANGE_FREE,
    EXCHANGE_QUEUED,
    EXCHANGE_RUNNING,
    EXCHANGE_DOOMED, /* cancelled: its carrier lets go of it in the next step of the loop */
};

struct exchanges;

struct exchange_channel {
    struct link link; /* in exchanges->channels */
    struct exchanges *owner;
    struct exchange_hearer hearer;
    struct exchange **by_index; /* those under way; NULL = none of this index */
    uint32_t exchanges_max;
};

struct exchange {
    struct exchanges *owner;
    struct exchange_channel *channel; /* of the request that it carries */
    enum exchange_step step;
    struct call_ref ref;
    struct http_request request;
    struct link place; /* among the free, queued or doomed ones */
    struct timer deadline;
    int64_t started_ms, heard_ms;
    struct buf head;
    size_t head_bytes; /* with interim answers and trailers */
    int status;
    bool is_waiting; /* to be carried: for its host's address */
    bool heard, head_done;
    enum err verdict; /* why we broke it off; OK = we did not */

    /* The carrier's own: */
    void *easy, *pool, *lines, *pairs;
    size_t body_at;   /* sent of a body that is read piece by piece */
    long sent_before; /* bytes that the connection had taken when the request was first due */
    bool stands;      /* its connection */
    bool due_to_send; /* its connection has stood */
    bool resend_refused;
    char words[256];
};

struct exchanges {
    const struct http_config *config;
    uint64_t told;        /* events to hearers, ever */
    struct exchange *all; /* twice max_in_flight: a cancelled one lives on until the next step */
    size_t used;
    struct link channels;
    uint32_t channels_max; /* exchanges_max of all channels together */
    struct link free, queued, doomed;
    struct timers deadlines;
};

MUST_CHECK bool exchanges_init(struct exchanges *exchanges, const struct http_config *config);
/* Gives everything back but the channels: those that have one may still name it. */
void exchanges_done(struct exchanges *exchanges);

/* As http_channel_open. */
MUST_CHECK struct exchange_channel *exchange_channel_new(struct exchanges *exchanges,
                                                         const struct exchange_hearer *hearer,
                                                         uint32_t exchanges_max);
void exchange_channels_free(struct exchanges *exchanges);

/* The commands. */
void exchange_channel_start(struct exchange_channel *channel, struct call_ref ref,
                            const struct http_request *request);
/* The exchange when it had begun; its carrier lets go of it in the next step. */
struct exchange *exchange_channel_cancel(struct exchange_channel *channel, struct call_ref ref);
bool exchanges_are_waiting(const struct exchanges *exchanges);

/* Cancelled: to be let go of, then released. NULL = none. */
struct exchange *exchanges_next_doomed(struct exchanges *exchanges);
/* All queued ones, for exchange_begin; those queued meanwhile wait for the next step. */
void exchanges_take_queued(struct exchanges *exchanges, struct link *ret_batch);
/* Running and past a deadline: `verdict` says so. NULL = none. */
struct exchange *exchanges_next_late(struct exchanges *exchanges, int64_t now_ms);

void exchange_begin(struct exchange *exchange, int64_t now_ms);
/* Begun, but not carried yet: at the end of `list`. */
void exchange_wait(struct exchange *exchange, struct link *list);
void exchange_go_on(struct exchange *exchange);
/* A line of a head or trailer, with its end. false: break it off. */
MUST_CHECK bool exchange_hear_line(struct exchange *exchange, struct slice line, int64_t now_ms);
MUST_CHECK bool exchange_hear_body(struct exchange *exchange, struct slice bytes, int64_t now_ms);
/* Why it failed, for people; "" for OK. `carrier` is what the carrier has to say. */
void exchange_write_words(const struct exchange *exchange, enum err err, const char *carrier,
                          char ret_words[EXCHANGE_WORDS_MAX]);
void exchange_release(struct exchange *exchange);
/* Releases it and calls its hearer, which may use the index again in that very event. */
void exchange_end(struct exchange *exchange, const struct call_end *end);

#endif
