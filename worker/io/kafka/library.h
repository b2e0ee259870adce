/* The librdkafka that is linked: its version, and what does not work with it (lacks.def). */
#ifndef IO_KAFKA_LIBRARY_H
#define IO_KAFKA_LIBRARY_H

#include "io/kafka/conf.h"

#define KAFKA_MECHANISM_MAX 64

struct kafka_lack {
    int needed; /* the first version without it, as rd_kafka_version() says it */
    const char *needed_text;
    const char *mechanism; /* of the clients that it concerns, its beginning; "" = all */
    const char *consequence;
};

int kafka_library_version(void);
const char *kafka_library_version_text(void);
/* The next row that holds for this version and SASL mechanism; NULL after the last. *cursor is 0
 * before the first. */
const struct kafka_lack *kafka_library_lack(int version, struct slice mechanism, size_t *cursor);
/* The SASL mechanism that the clients use, into ret_mechanism (KAFKA_MECHANISM_MAX); empty without
 * SASL. */
struct slice kafka_library_mechanism(const struct kafka_config *config, char *ret_mechanism);

#endif
