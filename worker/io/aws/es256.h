/* Signatures of the JOSE algorithm ES256: ECDSA over P-256 with SHA-256 (RFC 7518, section 3.4), by
 * OpenSSL, which draws the random number that each signature needs. */
#ifndef IO_AWS_ES256_H
#define IO_AWS_ES256_H

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/slice.h"

#define ES256_COORDINATE    32
#define ES256_SIGNATURE     64
#define ES256_PEM_BYTES_MAX 4096

/* A private key with its public point. Owns the handle. */
struct es256_key {
    void *handle;
    uint8_t x[ES256_COORDINATE], y[ES256_COORDINATE]; /* big-endian */
};

/* Reads a PEM text, `EC PRIVATE KEY` (RFC 5915) or `PRIVATE KEY` (RFC 5958); lines with `-----` are
 * skipped. ERR_FORMAT: it holds no private key of P-256; ERR_TOO_LARGE, ERR_NO_MEMORY. */
MUST_CHECK enum err es256_key_read(struct es256_key *ret_key, struct slice pem);
/* Wipes and frees the key; a zeroed one is fine. */
void es256_key_done(struct es256_key *key);
/* Signs: r and s, each of 32 bytes, big-endian. ERR_NO_MEMORY. */
MUST_CHECK enum err es256_sign(const struct es256_key *key, struct slice data,
                               uint8_t ret_signature[ES256_SIGNATURE]);

#endif
