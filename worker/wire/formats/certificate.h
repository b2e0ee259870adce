/* What is wrong with a certificate, in plain words, by the number that OpenSSL gives
 * (certificate.def). Both TLS clients, curl and librdkafka, know it. */
#ifndef WIRE_FORMATS_CERTIFICATE_H
#define WIRE_FORMATS_CERTIFICATE_H

#define CERTIFICATE_WRONG_HOST 62

/* What may help, whose words differ between the clients. */
enum certificate_remedy {
    CERTIFICATE_TRUST, /* name the CA's file in the settings */
    CERTIFICATE_CLOCK, /* set this machine's clock */
    CERTIFICATE_RENEW, /* the other side must replace its certificate */
    CERTIFICATE_HOST,  /* use the names that the certificate has */
};

/* The end of a sentence that begins with "the certificate". Never NULL. */
const char *certificate_fault(long code, enum certificate_remedy *ret_remedy);

#endif
