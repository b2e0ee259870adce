#include "app/demo/demo.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>

#include "base/memory.h"
#include "io/kafka/conf.h"

struct demo_cluster {
    rd_kafka_t *owner; /* a client that only owns the cluster */
    rd_kafka_mock_cluster_t *mock;
};

static void ignore_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    (void)level;
    (void)facility;
    (void)text;
}

struct demo_cluster *demo_cluster_new(char *ret_words)
{
    struct demo_cluster *cluster = memory_new(sizeof *cluster);
    if (cluster == NULL)
        return NULL;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, ignore_log);
    kafka_conf_omit_metrics(conf);
    cluster->owner = rd_kafka_new(RD_KAFKA_PRODUCER, conf, ret_words, CLIENT_REASON_MAX);
    if (cluster->owner == NULL)
        rd_kafka_conf_destroy(conf);
    else
        cluster->mock = rd_kafka_mock_cluster_new(cluster->owner, 1);
    if (cluster->mock != NULL)
        return cluster;
    if (cluster->owner != NULL)
        (void)snprintf(ret_words, CLIENT_REASON_MAX, "the in-memory cluster does not start");
    demo_cluster_free(cluster);
    return NULL;
}

const char *demo_cluster_brokers(const struct demo_cluster *cluster)
{
    return rd_kafka_mock_cluster_bootstraps(cluster->mock);
}

enum err demo_cluster_add_topic(struct demo_cluster *cluster, struct slice topic, int partitions)
{
    char name[256];
    (void)snprintf(name, sizeof name, "%.*s", SLICE_ARG(topic));
    return rd_kafka_mock_topic_create(cluster->mock, name, partitions, 1) ==
                   RD_KAFKA_RESP_ERR_NO_ERROR
               ? OK
               : ERR_IO;
}

void demo_cluster_free(struct demo_cluster *cluster)
{
    if (cluster == NULL)
        return;
    if (cluster->mock != NULL)
        rd_kafka_mock_cluster_destroy(cluster->mock);
    if (cluster->owner != NULL)
        rd_kafka_destroy(cluster->owner);
    memory_free(cluster);
}
