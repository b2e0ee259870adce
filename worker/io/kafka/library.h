/* The librdkafka that is linked: its version, and what does not work with that version (lacks.def),
 * which `check` and `run` warn about. */
#ifndef IO_KAFKA_LIBRARY_H
#define IO_KAFKA_LIBRARY_H

#include "io/kafka/conf.h"

#define KAFKA_MECHANISM_MAX 64

/* A row of lacks.def; the texts are constants. */
struct kafka_lack {
    int needed; /* the first version where it works, in the form of rd_kafka_version() */
    const char *needed_text;
    const char *mechanism; /* concerns SASL mechanisms that begin with this; "" = every client */
    const char *consequence;
};

/* The version at run time, as a number and as text. */
int kafka_library_version(void);
const char *kafka_library_version_text(void);
/* The next row that applies to this version and SASL mechanism; NULL after the last. *cursor must
 * be 0 at the first call. */
const struct kafka_lack *kafka_library_lack(int version, struct slice mechanism, size_t *cursor);
/* Writes the SASL mechanism of the clients to ret_mechanism (KAFKA_MECHANISM_MAX bytes) and returns
 * it; empty without SASL. */
struct slice kafka_library_mechanism(const struct kafka_config *config, char *ret_mechanism);

#endif
