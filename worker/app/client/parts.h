/* Private to the Kafka client of commands: shared by kafka_client.c (life, queries, sending,
 * reading) and kafka_admin.c (properties, creating and deleting topics). */
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
    struct kafka_certificate certificate; /* why a broker's was rejected */
    bool was_rejected;                    /* one was */
    struct login *login;                  /* NULL = librdkafka's properties say how to log in */
    struct rd_kafka_s *consumer, *producer;
    struct rd_kafka_queue_s *followed;
    struct rd_kafka_topic_s *topics[CLIENT_TOPICS_MAX];
    int32_t partitions[CLIENT_TOPICS_MAX];
    size_t topic_count;
    struct rd_kafka_message_s *message; /* the last record, which the caller borrows */
    struct header headers[HEADERS_MAX];
    int rejected; /* why a record since the last flush was not delivered */
    char reason[CLIENT_REASON_MAX];
    char connection_error[CLIENT_REASON_MAX]; /* the last error of a connection; "" = none */
    bool were_all_down;                       /* every broker has refused once */
};

/* Sets what client_reason returns, to `what: why`. */
void client_set_reason(struct client *client, const char *what, const char *why);
/* Sets the reason of a failed call: the text of librdkafka's `code`, or what the connections
 * reported meanwhile. Returns the error for `code`. */
enum err client_fail(struct client *client, const char *what, int code);

#endif
