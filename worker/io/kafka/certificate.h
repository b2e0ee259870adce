/* Says in plain words why the certificate of a broker is rejected: librdkafka's own text is the
 * same for every reason. */
#ifndef IO_KAFKA_CERTIFICATE_H
#define IO_KAFKA_CERTIFICATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define KAFKA_CERTIFICATE_MAX 384 /* bytes of a reason, with its NUL */

/* The last reason of a client; librdkafka's threads write it. */
struct kafka_certificate {
    pthread_mutex_t lock;
    char reason[KAFKA_CERTIFICATE_MAX]; /* "" = none */
};

void kafka_certificate_init(struct kafka_certificate *certificate);
void kafka_certificate_done(struct kafka_certificate *certificate);
/* For the callback of rd_kafka_conf_set_ssl_cert_verify_cb: what OpenSSL rejects (`code` is not 0)
 * is rejected, and the reason kept and written to ret_error. `certificate` NULL: not kept. */
int kafka_certificate_judge(struct kafka_certificate *certificate, const char *broker, int code,
                            char *ret_error, size_t room);
/* Moves the reason to ret_reason (KAFKA_CERTIFICATE_MAX); false: there is none. */
bool kafka_certificate_take(struct kafka_certificate *certificate, char *ret_reason);

#endif
