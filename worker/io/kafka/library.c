#include "io/kafka/library.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"

#define SECURITY_MAX 32

static const struct kafka_lack LACKS[] = {
#define LACK(major, minor, patch, mechanism, consequence)                                          \
    {(major) << 24 | (minor) << 16 | (patch) << 8, #major "." #minor "." #patch, mechanism,        \
     consequence},
#include "io/kafka/lacks.def"
#undef LACK
};

int kafka_library_version(void)
{
    return rd_kafka_version();
}

const char *kafka_library_version_text(void)
{
    return rd_kafka_version_str();
}

const struct kafka_lack *kafka_library_lack(int version, struct slice mechanism, size_t *cursor)
{
    while (*cursor < COUNT_OF(LACKS)) {
        const struct kafka_lack *lack = &LACKS[(*cursor)++];
        if (version < lack->needed && slice_starts(mechanism, slice_of_text(lack->mechanism)))
            return lack;
    }
    return NULL;
}

struct slice kafka_library_mechanism(const struct kafka_config *config, char *ret_mechanism)
{
    char error[KAFKA_ERROR_MAX], security[SECURITY_MAX] = "";
    size_t security_size = sizeof security, size = KAFKA_MECHANISM_MAX;
    rd_kafka_conf_t *conf = kafka_conf_new(config, KAFKA_CONSUMER, error);
    ret_mechanism[0] = '\0';
    if (conf == NULL)
        return slice_of_text(ret_mechanism);
    bool uses_sasl = rd_kafka_conf_get(conf, "security.protocol", security, &security_size) ==
                         RD_KAFKA_CONF_OK &&
                     slice_starts(slice_of_text(security), SLICE("sasl_"));
    if (uses_sasl &&
        rd_kafka_conf_get(conf, "sasl.mechanisms", ret_mechanism, &size) != RD_KAFKA_CONF_OK)
        ret_mechanism[0] = '\0';
    rd_kafka_conf_destroy(conf);
    return slice_of_text(ret_mechanism);
}
