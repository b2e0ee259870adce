/* Kafka as `ask`, `check` and `demo` need it: look topics up, send records, follow topics from
 * their end or start without joining any group. One thread; calls block up to their time-out. The
 * only room of app that sees librdkafka, beside the demo's in-memory cluster. */
#ifndef APP_KAFKA_CLIENT_H
#define APP_KAFKA_CLIENT_H

#include "app/settings.h"
#include "base/attr.h"
#include "wire/record.h"

#define KAFKA_CLIENT_WORDS_MAX  512
#define KAFKA_CLIENT_TOPICS_MAX 16 /* followed at once */

struct kafka_client;

/* Borrows nothing of the settings. NULL: ret_words (KAFKA_CLIENT_WORDS_MAX) says why. */
MUST_CHECK struct kafka_client *kafka_client_new(const struct settings *settings, char *ret_words);
void kafka_client_free(struct kafka_client *client); /* NULL is fine */
/* Why the last call failed. */
const char *kafka_client_words(const struct kafka_client *client);

/* How many brokers answer; ERR_IO when none does. */
MUST_CHECK enum err kafka_client_brokers(struct kafka_client *client, int64_t timeout_ms,
                                         int *ret_count);
/* ERR_NOT_FOUND, ERR_NOT_ALLOWED, ERR_IO. Creates no topic. */
MUST_CHECK enum err kafka_client_topic(struct kafka_client *client, struct slice topic,
                                       int64_t timeout_ms, int32_t *ret_partitions);
/* Makes or removes topics, through the brokers' admin interface. Topics that are there already are
 * fine, likewise topics that are not there any more. */
MUST_CHECK enum err kafka_client_create(struct kafka_client *client, const struct slice *topics,
                                        size_t count, int partitions, int64_t timeout_ms);
MUST_CHECK enum err kafka_client_delete(struct kafka_client *client, const struct slice *topics,
                                        size_t count, int64_t timeout_ms);

/* Queues a record by key (record's topic, key, value and headers; copied). ERR_IO. */
MUST_CHECK enum err kafka_client_send(struct kafka_client *client, const struct record *record);
/* Waits until all that was queued is delivered; ERR_TIMEOUT, or ERR_IO when some was refused. */
MUST_CHECK enum err kafka_client_flush(struct kafka_client *client, int64_t timeout_ms);

/* Begins to read every partition of a topic: what is produced from now on, or all there is.
 * read_committed. */
MUST_CHECK enum err kafka_client_follow(struct kafka_client *client, struct slice topic,
                                        bool from_start, int64_t timeout_ms);
/* The next record of the topics followed; borrowed until the next call. ERR_TIMEOUT: none came;
 * ERR_IO. */
MUST_CHECK enum err kafka_client_read(struct kafka_client *client, int64_t timeout_ms,
                                      struct record *ret_record);

#endif
