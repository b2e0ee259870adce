#include "wire/formats/certificate.h"

#include <stddef.h>

static const struct {
    long code;
    const char *words;
    enum certificate_remedy remedy;
} FAULTS[] = {
#define CERTIFICATE(code, words, remedy) {(code), (words), CERTIFICATE_##remedy},
#include "wire/formats/certificate.def"
#undef CERTIFICATE
};

const char *certificate_fault(long code, enum certificate_remedy *ret_remedy)
{
    for (size_t i = 0; i < sizeof FAULTS / sizeof FAULTS[0]; i++) {
        if (FAULTS[i].code != code)
            continue;
        *ret_remedy = FAULTS[i].remedy;
        return FAULTS[i].words;
    }
    *ret_remedy = CERTIFICATE_RENEW;
    return "cannot be verified";
}
