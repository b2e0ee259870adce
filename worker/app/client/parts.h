/* Private to the Kafka client of commands: shared by kafka_client.c (life, queries, sending,
 * reading), kafka_admin.c (properties, creating and deleting topics) and kafka_scan.c (reading a
 * whole topic). */
#ifndef APP_CLIENT_PARTS_H
#define APP_CLIENT_PARTS_H

#include "app/client/kafka_client.h"
#include "io/kafka/certificate.h"

#define TOPIC_BYTES_MAX 256 /* of a topic's name, with its NUL */

struct rd_kafka_s;
struct rd_kafka_queue_s;
struct rd_kafka_topic_s;
struct rd_kafka_message_s;

struct client {
    struct kafka_certificate certificate;   /* why a broker's was rejected */
    bool was_rejected;                      /* one was */
    struct login *login;                    /* NULL = librdkafka's properties say how to log in */
    struct rd_kafka_s *consumer, *producer; /* a reader has no producer */
    const struct client_property *own;      /* of the client that is being made */
    size_t own_count;
    struct rd_kafka_queue_s *followed;
    struct rd_kafka_topic_s *topics[CLIENT_TOPICS_MAX];
    int32_t partitions[CLIENT_TOPICS_MAX];
    size_t topic_count;
    struct rd_kafka_message_s *message; /* the last record, which the caller borrows */
    struct header headers[HEADERS_MAX];
    int rejected;           /* why a record since the last flush was not delivered */
    size_t rejected_record; /* its number in a transaction, from 1; 0 = none was rejected */
    char reason[CLIENT_REASON_MAX];
    char connection_error[CLIENT_REASON_MAX]; /* the last error of a connection; "" = none */
    bool were_all_down;                       /* every broker has refused once */
};

/* Finds a topic and keeps its handle, which client_free destroys. ERR_NOT_FOUND, ERR_NOT_ALLOWED,
 * ERR_IO. */
MUST_CHECK enum err client_open(struct client *client, struct slice topic, int64_t timeout_ms,
                                int32_t *ret_partitions, struct rd_kafka_topic_s **ret_topic);
/* Begins to read a partition of a topic at an offset, into the queue of client_read. ERR_IO. */
MUST_CHECK enum err client_start(struct client *client, struct rd_kafka_topic_s *topic,
                                 int32_t partition, int64_t offset);
/* Makes a message of librdkafka (NULL = none came) the client's current one, and describes it as
 * client_read does. */
MUST_CHECK enum err client_take(struct client *client, struct rd_kafka_message_s *taken,
                                struct record *ret_record);

/* Makes a client that only reads, with more properties of its consumer, over which the user's win;
 * they are borrowed for the call. */
MUST_CHECK struct client *client_new_reader(const struct settings *settings,
                                            const struct client_property *properties, size_t count,
                                            char *ret_reason);
/* Sets what client_reason returns, to `what: why`. */
void client_set_reason(struct client *client, const char *what, const char *why);
/* Sets the reason of a failed call: the text of librdkafka's `code`, or what the connections
 * reported meanwhile. Returns the error for `code`. */
enum err client_fail(struct client *client, const char *what, int code);

#endif
