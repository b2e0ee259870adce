/* A Kafka client for `ask`, `check`, `topics`, `load` and `demo`: it queries brokers and topics,
 * sends records, and follows topics from their end or start without joining a group. Calls block up
 * to their time-out. Functions return OK or an error, and client_reason says why the last one
 * failed. One thread. kafka_client.c and kafka_admin.c have the code; in app, only they,
 * kafka_transactions.c and the demo's in-memory cluster use librdkafka. */
#ifndef APP_CLIENT_KAFKA_CLIENT_H
#define APP_CLIENT_KAFKA_CLIENT_H

#include "app/settings/settings.h"
#include "base/attr.h"
#include "wire/formats/record.h"

#define CLIENT_REASON_MAX 512 /* bytes of an error text, with its NUL */
#define CLIENT_TOPICS_MAX 16  /* that a client follows at once */

struct client;

/* Makes a client; borrows the settings. NULL: ret_reason (CLIENT_REASON_MAX) says why.
 */
MUST_CHECK struct client *client_new(const struct settings *settings, char *ret_reason);
/* The same for a client that reads and sends in transactions (app/client/kafka_transactions.h): it
 * may read the group's committed offsets, and client_read says where partitions end. */
struct client_role {
    const char *group_id, *transactional_id;
};
MUST_CHECK struct client *client_new_as(const struct settings *settings,
                                        const struct client_role *role, char *ret_reason);
void client_free(struct client *client); /* NULL is fine */
/* Why the last call failed; borrowed until the next call. */
const char *client_reason(const struct client *client);
/* The settings that most likely caused a failed connection, for an error text. */
const char *client_suspects(const struct client *client);

/* Counts the brokers that answer. ERR_IO: none does; sooner than `timeout_ms` when all refuse. */
MUST_CHECK enum err client_brokers(struct client *client, int64_t timeout_ms, int *ret_count);
/* Queries the number of partitions of a topic; does not create it. ERR_NOT_FOUND, ERR_NOT_ALLOWED,
 * ERR_IO. */
MUST_CHECK enum err client_topic(struct client *client, struct slice topic, int64_t timeout_ms,
                                 int32_t *ret_partitions);
/* The same, with its replicas. */
struct client_shape {
    int32_t partitions, replicas;
};
MUST_CHECK enum err client_topic_shape(struct client *client, struct slice topic,
                                       int64_t timeout_ms, struct client_shape *ret_shape);
/* Queries a property of a topic, such as cleanup.policy; writes it NUL-terminated, clipped to
 * `room`. ERR_NOT_ALLOWED, ERR_IO. */
MUST_CHECK enum err client_topic_property(struct client *client, struct slice topic,
                                          const char *name, int64_t timeout_ms, char *ret_value,
                                          size_t room);
/* Create or delete topics. Topics that exist already, or no longer, are fine. ERR_NOT_ALLOWED,
 * ERR_IO. */
MUST_CHECK enum err client_create(struct client *client, const struct slice *topics, size_t count,
                                  int partitions, int64_t timeout_ms);
/* Creates one topic with these properties; with `only_tries` the broker checks the request and
 * creates nothing. A topic that exists is fine. ERR_NOT_ALLOWED, ERR_IO. */
struct client_property {
    const char *name, *value;
};
struct client_new_topic {
    struct slice name;
    int32_t partitions, replicas;
    const struct client_property *properties;
    size_t count;
    bool only_tries;
};
MUST_CHECK enum err client_create_one(struct client *client, const struct client_new_topic *topic,
                                      int64_t timeout_ms);
MUST_CHECK enum err client_delete(struct client *client, const struct slice *topics, size_t count,
                                  int64_t timeout_ms);

/* Fetches the metadata of a topic, because librdkafka may otherwise hold the first record back for
 * a second. */
void client_warm_up(struct client *client, struct slice topic, int64_t timeout_ms);
/* Queues a copy of a record (topic, key, value, headers); its key decides the partition. ERR_IO. */
MUST_CHECK enum err client_send(struct client *client, const struct record *record);
/* Waits until all queued records are delivered. ERR_TIMEOUT; ERR_TOO_LARGE, ERR_NOT_ALLOWED,
 * ERR_NOT_FOUND or ERR_IO: the broker rejected a record. */
MUST_CHECK enum err client_flush(struct client *client, int64_t timeout_ms);

/* Begins to read all partitions of a topic, from the start or from the end; reads only committed
 * records. ERR_NOT_FOUND, ERR_NOT_ALLOWED, ERR_IO. */
MUST_CHECK enum err client_follow(struct client *client, struct slice topic, bool from_start,
                                  int64_t timeout_ms);
/* Reads the next record of the topics that the client follows; it is borrowed until the next call.
 * ERR_TIMEOUT: none came. ERR_NOT_FOUND, only with a client_role: the partition has no more
 * records; only topic, partition and offset (its end) are set. ERR_IO. */
MUST_CHECK enum err client_read(struct client *client, int64_t timeout_ms,
                                struct record *ret_record);

#endif
