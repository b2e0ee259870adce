#include "io/kafka/certificate.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "wire/formats/certificate.h"

static const char *const REMEDIES[] = {
    [CERTIFICATE_TRUST] = "name the file of its CA in ssl.ca.location of kafka.client",
    [CERTIFICATE_CLOCK] = "check this machine's clock",
    [CERTIFICATE_RENEW] = "the broker needs another one",
    [CERTIFICATE_HOST] = "name it in kafka.bootstrap_servers and advertised.listeners as it does",
};

void kafka_certificate_init(struct kafka_certificate *certificate)
{
    certificate->reason[0] = '\0';
    CHECK(pthread_mutex_init(&certificate->lock, NULL) == 0);
}

void kafka_certificate_done(struct kafka_certificate *certificate)
{
    (void)pthread_mutex_destroy(&certificate->lock);
}

int kafka_certificate_judge(struct kafka_certificate *certificate, const char *broker, int code,
                            char *ret_error, size_t room)
{
    enum certificate_remedy remedy;
    if (code == 0)
        return 1;
    const char *fault = certificate_fault(code, &remedy);
    (void)snprintf(ret_error, room, "it %s", fault);
    if (certificate == NULL)
        return 0;
    (void)pthread_mutex_lock(&certificate->lock);
    (void)snprintf(certificate->reason, sizeof certificate->reason,
                   "the certificate of %.120s %s; %s", broker, fault, REMEDIES[remedy]);
    (void)pthread_mutex_unlock(&certificate->lock);
    return 0;
}

bool kafka_certificate_take(struct kafka_certificate *certificate, char *ret_reason)
{
    (void)pthread_mutex_lock(&certificate->lock);
    memcpy(ret_reason, certificate->reason, KAFKA_CERTIFICATE_MAX);
    certificate->reason[0] = '\0';
    (void)pthread_mutex_unlock(&certificate->lock);
    return ret_reason[0] != '\0';
}
