/* The floor of latency: one consumer, one idempotent producer, and each record copied from a topic
 * to another one as soon as it is there. Nothing else is done with it; offsets are committed by
 * librdkafka's own timer.
 *
 *   bare_loop BROKERS REQUESTS RESPONSES GROUP     until SIGTERM */
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define WORDS_MAX 512
#define POLL_MS   100

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char words[WORDS_MAX];
    if (rd_kafka_conf_set(conf, name, value, words, sizeof words) == RD_KAFKA_CONF_OK)
        return;
    fprintf(stderr, "%s\n", words);
    exit(2);
}

static rd_kafka_t *client(rd_kafka_type_t type, rd_kafka_conf_t *conf, const char *brokers)
{
    char words[WORDS_MAX];
    set(conf, "bootstrap.servers", brokers);
    set(conf, "socket.nagle.disable", "true");
    rd_kafka_t *made = rd_kafka_new(type, conf, words, sizeof words);
    if (made != NULL)
        return made;
    fprintf(stderr, "%s\n", words);
    exit(1);
}

static rd_kafka_t *consumer_make(const char *brokers, const char *topic, const char *group)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "group.id", group);
    set(conf, "auto.offset.reset", "earliest");
    set(conf, "isolation.level", "read_committed");
    rd_kafka_t *consumer = client(RD_KAFKA_CONSUMER, conf, brokers);
    rd_kafka_poll_set_consumer(consumer);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t err = rd_kafka_subscribe(consumer, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
        return consumer;
    fprintf(stderr, "%s\n", rd_kafka_err2str(err));
    exit(1);
}

static rd_kafka_t *producer_make(const char *brokers)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "enable.idempotence", "true");
    set(conf, "linger.ms", "0");
    set(conf, "partitioner", "murmur2_random");
    set(conf, "delivery.report.only.error", "true");
    return client(RD_KAFKA_PRODUCER, conf, brokers);
}

static void copy(rd_kafka_topic_t *topic, const rd_kafka_message_t *message)
{
    if (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, message->payload,
                         message->len, message->key, message->key_len, NULL) != 0)
        fprintf(stderr, "%s\n", rd_kafka_err2str(rd_kafka_last_error()));
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: bare_loop BROKERS REQUESTS RESPONSES GROUP\n");
        return 2;
    }
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    rd_kafka_t *producer = producer_make(argv[1]);
    rd_kafka_topic_t *responses = rd_kafka_topic_new(producer, argv[3], NULL);
    rd_kafka_t *consumer = consumer_make(argv[1], argv[2], argv[4]);
    while (!stopped) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, POLL_MS);
        if (message != NULL && message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            copy(responses, message);
        if (message != NULL)
            rd_kafka_message_destroy(message);
        rd_kafka_poll(producer, 0);
    }
    rd_kafka_flush(producer, 5000);
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    rd_kafka_topic_destroy(responses);
    rd_kafka_destroy(producer);
    return 0;
}
