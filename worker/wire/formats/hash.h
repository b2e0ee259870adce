/* SHA-256, HMAC-SHA-256 and SHA-1 (OpenSSL), CRC-32 (zlib's polynomial), MurmurHash2 (Kafka's
 * partitioner). Only this room and io/aws/es256.h see OpenSSL. */
#ifndef WIRE_FORMATS_HASH_H
#define WIRE_FORMATS_HASH_H

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

#define SHA256_LEN 32
#define SHA1_LEN   20

/* FIPS 180-4, and RFC 2104 with it; by OpenSSL. */
void hash_sha256(struct slice data, uint8_t ret_digest[SHA256_LEN]);
void hash_hmac_sha256(struct slice key, struct slice data, uint8_t ret_digest[SHA256_LEN]);
/* FIPS 180-4; for names of files only. */
void hash_sha1(struct slice data, uint8_t ret_digest[SHA1_LEN]);
void hash_add_hex(struct buf *buf, const uint8_t *bytes, size_t len); /* lower case */
/* CRC-32 as in IEEE 802.3 and zlib. Continue with the result of the call before; start with 0. */
uint32_t hash_crc32(uint32_t crc, struct slice data);
/* MurmurHash2 as Kafka's default partitioner has it (seed 0x9747b28c), masked positive: `%
 * partitions` picks one. */
uint32_t hash_murmur2(struct slice key);

#endif
