/* Kafka as `ask`, `check` and `demo` need it: look topics up, send records, follow topics from
 * their end or start without joining any group. One thread; calls block up to their time-out. The
 * only room of app that sees librdkafka, beside the demo's in-memory cluster. */
#ifndef APP_CLIENT_KAFKA_CLIENT_H
#define APP_CLIENT_KAFKA_CLIENT_H

#include "app/settings/settings.h"
#include "base/attr.h"
#include "wire/formats/record.h"

#define CLIENT_WORDS_MAX  512
#define CLIENT_TOPICS_MAX 16 /* followed at once */

struct client;

/* Borrows nothing of the settings. NULL: ret_words (CLIENT_WORDS_MAX) says why. */
MUST_CHECK struct client *client_new(const struct settings *settings, char *ret_words);
void client_free(struct client *client); /* NULL is fine */
/* Why the last call failed. */
const char *client_words(const struct client *client);
/* The settings that are the likely cause of a failed connection. */
const char *client_suspects(const struct client *client);

/* How many brokers answer; ERR_IO when none does, sooner than `timeout_ms` when all refuse. */
MUST_CHECK enum err client_brokers(struct client *client, int64_t timeout_ms, int *ret_count);
/* ERR_NOT_FOUND, ERR_NOT_ALLOWED, ERR_IO. Creates no topic. */
MUST_CHECK enum err client_topic(struct client *client, struct slice topic, int64_t timeout_ms,
                                 int32_t *ret_partitions);
/* A property of a topic, such as cleanup.policy, NUL-terminated (clipped). ERR_NOT_ALLOWED, ERR_IO
 * when it cannot be had. */
MUST_CHECK enum err client_topic_property(struct client *client, struct slice topic,
                                          const char *name, int64_t timeout_ms, char *ret_value,
                                          size_t room);
/* Makes or removes topics, through the brokers' admin interface. Topics that are there already are
 * fine, likewise topics that are not there any more. */
MUST_CHECK enum err client_create(struct client *client, const struct slice *topics, size_t count,
                                  int partitions, int64_t timeout_ms);
MUST_CHECK enum err client_delete(struct client *client, const struct slice *topics, size_t count,
                                  int64_t timeout_ms);

/* Makes the producer know a topic: without it librdkafka may hold the first record for a second. */
void client_warm_up(struct client *client, struct slice topic, int64_t timeout_ms);
/* Queues a record by key (record's topic, key, value and headers; copied). ERR_IO. */
MUST_CHECK enum err client_send(struct client *client, const struct record *record);
/* Waits until all that was queued is delivered. ERR_TIMEOUT; ERR_TOO_LARGE, ERR_NOT_ALLOWED,
 * ERR_NOT_FOUND or ERR_IO when a broker rejected a record. */
MUST_CHECK enum err client_flush(struct client *client, int64_t timeout_ms);

/* Begins to read every partition of a topic: what is produced from now on, or all there is.
 * read_committed. */
MUST_CHECK enum err client_follow(struct client *client, struct slice topic, bool from_start,
                                  int64_t timeout_ms);
/* The next record of the topics followed; borrowed until the next call. ERR_TIMEOUT: none came;
 * ERR_IO. */
MUST_CHECK enum err client_read(struct client *client, int64_t timeout_ms,
                                struct record *ret_record);

#endif
