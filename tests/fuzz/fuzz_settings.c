/* Any bytes as a settings file: read or refused, never a crash, a leak or a problem without words.
 *
 * librdkafka would take most of the time, and is not what is tried here. So it judges the first
 * runs (the corpora, and a finding that is run again) and some of the others; in the rest a
 * stand-in does, which knows the properties that the worker sets, and some more, and what of their
 * values matters to our reader: that a number is one and within limits. */
#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/settings/settings.h"
#include "base/check.h"
#include "base/memory.h"
#include "base/slice.h"

#define FIRST_RUNS 4096
#define REAL_EACH  64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_real; /* librdkafka checks the properties in this run */

struct property {
    const char *name;
    int64_t preset, high; /* high 0: a text */
};

static const struct property PROPERTIES[] = {
    {"acks", 0, 0},
    {"auto.offset.reset", 0, 0},
    {"bootstrap.servers", 0, 0},
    {"check.crcs", 0, 0},
    {"client.id", 0, 0},
    {"delivery.report.only.error", 0, 0},
    {"enable.auto.commit", 0, 0},
    {"enable.auto.offset.store", 0, 0},
    {"enable.idempotence", 0, 0},
    {"enable.metrics.push", 0, 0},
    {"enable.partition.eof", 0, 0},
    {"fetch.error.backoff.ms", 500, 300000},
    {"fetch.message.max.bytes", 1048576, 1000000000},
    {"fetch.wait.max.ms", 500, 300000},
    {"group.id", 0, 0},
    {"group.instance.id", 0, 0},
    {"heartbeat.interval.ms", 3000, 3600000},
    {"isolation.level", 0, 0},
    {"linger.ms", 5, 900000},
    {"log.connection.close", 0, 0},
    {"max.poll.interval.ms", 300000, 86400000},
    {"message.max.bytes", 1000000, 1000000000},
    {"message.timeout.ms", 300000, INT32_MAX},
    {"partition.assignment.strategy", 0, 0},
    {"partitioner", 0, 0},
    {"queue.buffering.max.kbytes", 1048576, INT32_MAX},
    {"queue.buffering.max.messages", 100000, 10000000},
    {"queued.max.messages.kbytes", 65536, 2097151},
    {"queued.min.messages", 100000, 10000000},
    {"reconnect.backoff.max.ms", 10000, 3600000},
    {"sasl.password", 0, 0},
    {"session.timeout.ms", 45000, 3600000},
    {"socket.keepalive.enable", 0, 0},
    {"socket.nagle.disable", 0, 0},
    {"socket.timeout.ms", 60000, 300000},
    {"ssl.ca.location", 0, 0},
    {"topic.metadata.propagation.max.ms", 30000, 3600000},
    {"topic.metadata.refresh.interval.ms", 300000, 3600000},
    {"transaction.timeout.ms", 60000, INT32_MAX},
    {"transactional.id", 0, 0},
};

struct rd_kafka_conf_s {
    int64_t numbers[COUNT_OF(PROPERTIES)];
};

/* The linker turns each call of the library's function into one of __wrap_ (--wrap), and __real_
 * into the library's function. */
rd_kafka_conf_t *__real_rd_kafka_conf_new(void);
void __real_rd_kafka_conf_destroy(rd_kafka_conf_t *conf);
rd_kafka_conf_res_t __real_rd_kafka_conf_set(rd_kafka_conf_t *conf, const char *name,
                                             const char *value, char *ret_error, size_t size);
rd_kafka_conf_res_t __real_rd_kafka_conf_get(const rd_kafka_conf_t *conf, const char *name,
                                             char *ret_value, size_t *size);
rd_kafka_conf_t *__wrap_rd_kafka_conf_new(void);
void __wrap_rd_kafka_conf_destroy(rd_kafka_conf_t *conf);
rd_kafka_conf_res_t __wrap_rd_kafka_conf_set(rd_kafka_conf_t *conf, const char *name,
                                             const char *value, char *ret_error, size_t size);
rd_kafka_conf_res_t __wrap_rd_kafka_conf_get(const rd_kafka_conf_t *conf, const char *name,
                                             char *ret_value, size_t *size);

rd_kafka_conf_t *__wrap_rd_kafka_conf_new(void)
{
    if (is_real)
        return __real_rd_kafka_conf_new();
    rd_kafka_conf_t *conf = malloc(sizeof *conf);
    CHECK(conf != NULL);
    for (size_t i = 0; i < COUNT_OF(PROPERTIES); i++)
        conf->numbers[i] = PROPERTIES[i].preset;
    return conf;
}

void __wrap_rd_kafka_conf_destroy(rd_kafka_conf_t *conf)
{
    if (is_real)
        __real_rd_kafka_conf_destroy(conf);
    else
        free(conf);
}

static size_t place_of(const char *name)
{
    size_t place = 0;
    while (place < COUNT_OF(PROPERTIES) &&
           !slice_equal_text(slice_of_text(name), PROPERTIES[place].name))
        place++;
    return place;
}

rd_kafka_conf_res_t __wrap_rd_kafka_conf_set(rd_kafka_conf_t *conf, const char *name,
                                             const char *value, char *ret_error, size_t size)
{
    if (is_real)
        return __real_rd_kafka_conf_set(conf, name, value, ret_error, size);
    size_t place = place_of(name);
    if (place == COUNT_OF(PROPERTIES)) {
        (void)snprintf(ret_error, size, "No such configuration property: \"%s\"", name);
        return RD_KAFKA_CONF_UNKNOWN;
    }
    int64_t number = 0;
    bool is_good = PROPERTIES[place].high == 0
                       ? value[0] != '\0'
                       : slice_to_int64(slice_of_text(value), &number) && number >= 0 &&
                             number <= PROPERTIES[place].high;
    if (is_good) {
        conf->numbers[place] = number;
        return RD_KAFKA_CONF_OK;
    }
    (void)snprintf(ret_error, size, "Invalid value \"%s\" for configuration property \"%s\"", value,
                   name);
    return RD_KAFKA_CONF_INVALID;
}

rd_kafka_conf_res_t __wrap_rd_kafka_conf_get(const rd_kafka_conf_t *conf, const char *name,
                                             char *ret_value, size_t *size)
{
    if (is_real)
        return __real_rd_kafka_conf_get(conf, name, ret_value, size);
    size_t place = place_of(name);
    CHECK(place < COUNT_OF(PROPERTIES) && PROPERTIES[place].high > 0);
    int len = snprintf(ret_value, *size, "%lld", (long long)conf->numbers[place]);
    *size = (size_t)len + 1;
    return RD_KAFKA_CONF_OK;
}

static const char *get_variable(void *self, const char *name)
{
    (void)self;
    return name[0] == 'A' ? "a value" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct settings settings;
    static struct problems problems;
    struct settings_source source = {.text = slice_of(data, size),
                                     .file = "fuzz.yaml",
                                     .environment = {get_variable, NULL, NULL}};
    static size_t runs;
    is_real = ++runs <= FIRST_RUNS || runs % REAL_EACH == 0;
    int64_t before = memory_live();
    bool is_good = settings_read(&settings, &source, &problems);
    CHECK(is_good == (problems.count == 0));
    for (size_t i = 0; i < problems.count; i++)
        CHECK(problems.list[i].text[0] != '\0');
    settings_free(&settings);
    CHECK(memory_live() == before);
    return 0;
}
