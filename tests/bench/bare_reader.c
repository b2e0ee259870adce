/* The floor of reading a topic: one consumer takes all committed records of all partitions in
 * batches and adds up their bytes. Ends at the topic's end, and prints records and bytes.
 *
 *   bare_reader BROKERS TOPIC */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

#define WORDS_MAX  512
#define BATCH      1000
#define BATCH_MS   5
#define TIMEOUT_MS 10000

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char words[WORDS_MAX];
    if (rd_kafka_conf_set(conf, name, value, words, sizeof words) == RD_KAFKA_CONF_OK)
        return;
    fprintf(stderr, "%s\n", words);
    exit(2);
}

static rd_kafka_t *make_consumer(const char *brokers)
{
    char words[WORDS_MAX];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", brokers);
    set(conf, "isolation.level", "read_committed");
    set(conf, "enable.partition.eof", "true");
    rd_kafka_t *made = rd_kafka_new(RD_KAFKA_CONSUMER, conf, words, sizeof words);
    if (made != NULL)
        return made;
    fprintf(stderr, "%s\n", words);
    exit(1);
}

/* Starts all partitions into one queue and returns their number. */
static int start(rd_kafka_t *consumer, rd_kafka_topic_t *topic, rd_kafka_queue_t *queue)
{
    const struct rd_kafka_metadata *metadata = NULL;
    if (rd_kafka_metadata(consumer, 0, topic, &metadata, TIMEOUT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        exit(1);
    int count = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    for (int i = 0; i < count; i++)
        if (rd_kafka_consume_start_queue(topic, i, RD_KAFKA_OFFSET_BEGINNING, queue) != 0)
            exit(1);
    return count;
}

int main(int argc, char **argv)
{
    static rd_kafka_message_t *messages[BATCH];
    long long records = 0, bytes = 0;
    if (argc != 3)
        return 2;
    rd_kafka_t *consumer = make_consumer(argv[1]);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(consumer, argv[2], NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(consumer);
    int open = start(consumer, topic, queue);
    while (open > 0) {
        ssize_t count = rd_kafka_consume_batch_queue(queue, BATCH_MS, messages, BATCH);
        if (count < 0)
            return 1;
        for (ssize_t i = 0; i < count; i++) {
            open -= messages[i]->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
            records += messages[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR;
            bytes +=
                messages[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR ? (long long)messages[i]->len : 0;
            rd_kafka_message_destroy(messages[i]);
        }
    }
    printf("%lld %lld\n", records, bytes);
    return 0;
}
