#include "wire/formats/hash.h"

#include <string.h>

/* The low-level functions need no heap, cannot fail and look up no provider per call, unlike EVP.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "base/check.h"

#define SHA256_BLOCK 64
#define MURMUR_SEED  0x9747b28cU
#define MURMUR_MIX   0x5bd1e995U

_Static_assert(SHA256_LEN == SHA256_DIGEST_LENGTH, "a digest has 32 bytes");

void hash_sha256(struct slice data, uint8_t ret_digest[SHA256_LEN])
{
    SHA256_CTX context;
    CHECK(SHA256_Init(&context) == 1);
    CHECK(SHA256_Update(&context, data.ptr, data.len) == 1);
    CHECK(SHA256_Final(ret_digest, &context) == 1);
}

void hash_sha1(struct slice data, uint8_t ret_digest[SHA1_LEN])
{
    SHA_CTX context;
    CHECK(SHA1_Init(&context) == 1);
    CHECK(SHA1_Update(&context, data.ptr, data.len) == 1);
    CHECK(SHA1_Final(ret_digest, &context) == 1);
}

/* One half of RFC 2104: H((key ^ pad) || data). */
static void keyed_hash(const uint8_t key[SHA256_BLOCK], uint8_t pad, struct slice data,
                       uint8_t ret_digest[SHA256_LEN])
{
    uint8_t block[SHA256_BLOCK];
    for (size_t i = 0; i < SHA256_BLOCK; i++)
        block[i] = key[i] ^ pad;
    SHA256_CTX context;
    CHECK(SHA256_Init(&context) == 1);
    CHECK(SHA256_Update(&context, block, sizeof block) == 1);
    CHECK(SHA256_Update(&context, data.ptr, data.len) == 1);
    CHECK(SHA256_Final(ret_digest, &context) == 1);
    explicit_bzero(block, sizeof block);
    explicit_bzero(&context, sizeof context);
}

void hash_hmac_sha256(struct slice key, struct slice data, uint8_t ret_digest[SHA256_LEN])
{
    uint8_t block[SHA256_BLOCK] = {0};
    uint8_t inner[SHA256_LEN];
    if (key.len > SHA256_BLOCK)
        hash_sha256(key, block);
    else if (key.len > 0)
        memcpy(block, key.ptr, key.len);
    keyed_hash(block, 0x36, data, inner);
    keyed_hash(block, 0x5c, slice_of(inner, sizeof inner), ret_digest);
    explicit_bzero(block, sizeof block);
}

void hash_add_hex(struct buf *buf, const uint8_t *bytes, size_t len)
{
    static const char DIGITS[] = "0123456789abcdef";
    char *text = buf_reserve(buf, len * 2);
    if (text == NULL)
        return;
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = DIGITS[bytes[i] >> 4];
        text[2 * i + 1] = DIGITS[bytes[i] & 15];
    }
    buf->len += len * 2;
}

/* Slicing by eight: table k has the CRC of each byte with k zero bytes behind it. CRC-32 is linear,
 * so a table follows from its entries for the single bits, 1 to 128. */
/* clang-format off */
#define CRC_OF(i, b0, b1, b2, b3, b4, b5, b6, b7)                                                  \
    (((i) & 1 ? (b0) : 0) ^ ((i) & 2 ? (b1) : 0) ^ ((i) & 4 ? (b2) : 0) ^ ((i) & 8 ? (b3) : 0) ^   \
     ((i) & 16 ? (b4) : 0) ^ ((i) & 32 ? (b5) : 0) ^ ((i) & 64 ? (b6) : 0) ^ ((i) & 128 ? (b7) : 0))
#define FOUR(i, ...)                                                                               \
    CRC_OF(i, __VA_ARGS__), CRC_OF((i) + 1, __VA_ARGS__), CRC_OF((i) + 2, __VA_ARGS__),            \
        CRC_OF((i) + 3, __VA_ARGS__)
#define SIXTEEN(i, ...)                                                                            \
    FOUR(i, __VA_ARGS__), FOUR((i) + 4, __VA_ARGS__), FOUR((i) + 8, __VA_ARGS__),                  \
        FOUR((i) + 12, __VA_ARGS__)
#define SIXTY_FOUR(i, ...)                                                                         \
    SIXTEEN(i, __VA_ARGS__), SIXTEEN((i) + 16, __VA_ARGS__), SIXTEEN((i) + 32, __VA_ARGS__),       \
        SIXTEEN((i) + 48, __VA_ARGS__)
#define TABLE(...)                                                                                 \
    {SIXTY_FOUR(0, __VA_ARGS__), SIXTY_FOUR(64, __VA_ARGS__), SIXTY_FOUR(128, __VA_ARGS__),        \
     SIXTY_FOUR(192, __VA_ARGS__)}
static const uint32_t CRC[8][256] = {
    TABLE(0x77073096U, 0xee0e612cU, 0x076dc419U, 0x0edb8832U,
          0x1db71064U, 0x3b6e20c8U, 0x76dc4190U, 0xedb88320U),
    TABLE(0x191b3141U, 0x32366282U, 0x646cc504U, 0xc8d98a08U,
          0x4ac21251U, 0x958424a2U, 0xf0794f05U, 0x3b83984bU),
    TABLE(0x01c26a37U, 0x0384d46eU, 0x0709a8dcU, 0x0e1351b8U,
          0x1c26a370U, 0x384d46e0U, 0x709a8dc0U, 0xe1351b80U),
    TABLE(0xb8bc6765U, 0xaa09c88bU, 0x8f629757U, 0xc5b428efU,
          0x5019579fU, 0xa032af3eU, 0x9b14583dU, 0xed59b63bU),
    TABLE(0x3d6029b0U, 0x7ac05360U, 0xf580a6c0U, 0x30704bc1U,
          0x60e09782U, 0xc1c12f04U, 0x58f35849U, 0xb1e6b092U),
    TABLE(0xcb5cd3a5U, 0x4dc8a10bU, 0x9b914216U, 0xec53826dU,
          0x03d6029bU, 0x07ac0536U, 0x0f580a6cU, 0x1eb014d8U),
    TABLE(0xa6770bb4U, 0x979f1129U, 0xf44f2413U, 0x33ef4e67U,
          0x67de9cceU, 0xcfbd399cU, 0x440b7579U, 0x8816eaf2U),
    TABLE(0xccaa009eU, 0x4225077dU, 0x844a0efaU, 0xd3e51bb5U,
          0x7cbb312bU, 0xf9766256U, 0x299dc2edU, 0x533b85daU),
};
/* clang-format on */

static uint32_t word_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

uint32_t hash_crc32(uint32_t crc, struct slice data)
{
    const uint8_t *bytes = (const uint8_t *)data.ptr;
    size_t left = data.len;
    crc = ~crc;
    for (; left >= 8; left -= 8, bytes += 8) {
        uint32_t low = crc ^ word_at(bytes), high = word_at(bytes + 4);
        crc = CRC[7][low & 0xff] ^ CRC[6][low >> 8 & 0xff] ^ CRC[5][low >> 16 & 0xff] ^
              CRC[4][low >> 24] ^ CRC[3][high & 0xff] ^ CRC[2][high >> 8 & 0xff] ^
              CRC[1][high >> 16 & 0xff] ^ CRC[0][high >> 24];
    }
    for (; left > 0; left--, bytes++)
        crc = (crc >> 8) ^ CRC[0][(crc ^ *bytes) & 0xff];
    return ~crc;
}

uint32_t hash_murmur2(struct slice key)
{
    const uint8_t *bytes = (const uint8_t *)key.ptr;
    uint32_t hash = MURMUR_SEED ^ (uint32_t)key.len;
    size_t at = 0;
    for (; key.len - at >= 4; at += 4) {
        uint32_t word = word_at(bytes + at);
        word *= MURMUR_MIX;
        word ^= word >> 24;
        word *= MURMUR_MIX;
        hash *= MURMUR_MIX;
        hash ^= word;
    }
    size_t left = key.len - at;
    if (left > 2)
        hash ^= (uint32_t)bytes[at + 2] << 16;
    if (left > 1)
        hash ^= (uint32_t)bytes[at + 1] << 8;
    if (left > 0) {
        hash ^= bytes[at];
        hash *= MURMUR_MIX;
    }
    hash ^= hash >> 13;
    hash *= MURMUR_MIX;
    hash ^= hash >> 15;
    return hash & 0x7fffffffU;
}
