#include "unit/unit.h"

#include "base/random.h"
#include "wire/formats/hash.h"

/* FIPS 180-4's own examples, and the empty text. */
static void sha256_agrees_with_the_standard(void **state)
{
    (void)state;
    static const struct {
        const char *text, *digest;
    } ROWS[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct buf hex OWNED_BY(buf_done);
        uint8_t digest[SHA256_LEN];
        buf_init(&hex, 64);
        hash_sha256(slice_of_text(ROWS[i].text), digest);
        hash_add_hex(&hex, digest, sizeof digest);
        assert_buf(&hex, ROWS[i].digest);
    }
}

/* FIPS 180-4's own example. */
static void sha1_agrees_with_the_standard(void **state)
{
    (void)state;
    struct buf hex OWNED_BY(buf_done);
    uint8_t digest[SHA1_LEN];
    buf_init(&hex, 64);
    hash_sha1(SLICE("abc"), digest);
    hash_add_hex(&hex, digest, sizeof digest);
    assert_buf(&hex, "a9993e364706816aba3e25717850c26c9cd0d89d");
}

/* RFC 4231, test cases 1, 2 and 6: a short key, a shorter one, one over a block. */
static void hmac_agrees_with_the_standard(void **state)
{
    (void)state;
    char long_key[131], short_key[20];
    memset(long_key, 0xaa, sizeof long_key);
    memset(short_key, 0x0b, sizeof short_key);
    const struct {
        struct slice key;
        const char *text, *digest;
    } rows[] = {
        {slice_of(short_key, sizeof short_key), "Hi There",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {SLICE("Jefe"), "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {slice_of(long_key, sizeof long_key),
         "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf hex OWNED_BY(buf_done);
        uint8_t digest[SHA256_LEN];
        buf_init(&hex, 64);
        hash_hmac_sha256(rows[i].key, slice_of_text(rows[i].text), digest);
        hash_add_hex(&hex, digest, sizeof digest);
        assert_buf(&hex, rows[i].digest);
    }
}

static void hex_stops_at_the_limit(void **state)
{
    (void)state;
    struct buf hex OWNED_BY(buf_done);
    buf_init(&hex, 5);
    hash_add_hex(&hex, (const uint8_t *)"\x01\xfe", 2);
    assert_buf(&hex, "01fe");
    hash_add_hex(&hex, (const uint8_t *)"\x01", 1);
    assert_int_equal(hex.failed, ERR_TOO_LARGE);
}

static void crc32_agrees_with_zlib(void **state)
{
    (void)state;
    assert_int_equal(hash_crc32(0, SLICE("")), 0);
    assert_int_equal(hash_crc32(0, SLICE("123456789")), 0xcbf43926U);
}

static void crc32_of_parts_equals_crc32_of_the_whole(void **state)
{
    (void)state;
    struct random random;
    char text[500];
    random_init(&random, 7);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)random_next(&random);
    struct slice all = slice_of(text, sizeof text);
    for (size_t cut = 0; cut <= sizeof text; cut += 7) {
        uint32_t first = hash_crc32(0, slice_sub(all, 0, cut));
        assert_int_equal(hash_crc32(first, slice_sub(all, cut, sizeof text)), hash_crc32(0, all));
    }
}

/* Bit by bit, as the standard defines it. */
static uint32_t crc32_by_bits(struct slice data)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < data.len; i++) {
        crc ^= (uint8_t)data.ptr[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320U : 0);
    }
    return ~crc;
}

static void crc32_is_that_of_the_polynomial_at_every_length_and_place(void **state)
{
    (void)state;
    struct random random;
    char text[80];
    random_init(&random, 8);
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = (char)random_next(&random);
        for (size_t from = 0; from < 9; from++)
            for (size_t len = 0; from + len <= sizeof text; len++) {
                struct slice part = slice_of(text + from, len);
                assert_int_equal(hash_crc32(0, part), crc32_by_bits(part));
            }
    }
}

/* Values of Kafka's own Utils.murmur2, masked positive. */
static void murmur2_picks_the_partitions_of_kafka(void **state)
{
    (void)state;
    assert_int_equal(hash_murmur2(SLICE("21")), (uint32_t)-973932308 & 0x7fffffffU);
    assert_int_equal(hash_murmur2(SLICE("foobar")), (uint32_t)-790332482 & 0x7fffffffU);
    assert_int_equal(hash_murmur2(SLICE("a-little-bit-long-string")),
                     (uint32_t)-985981536 & 0x7fffffffU);
    assert_int_equal(hash_murmur2(SLICE("a-little-bit-longer-string")),
                     (uint32_t)-1486304829 & 0x7fffffffU);
    assert_int_equal(hash_murmur2(SLICE("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8")),
                     (uint32_t)-58897971 & 0x7fffffffU);
    assert_int_equal(hash_murmur2(SLICE("abc")), 479470107);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_agrees_with_the_standard),
        cmocka_unit_test(sha1_agrees_with_the_standard),
        cmocka_unit_test(hmac_agrees_with_the_standard),
        cmocka_unit_test(hex_stops_at_the_limit),
        cmocka_unit_test(crc32_agrees_with_zlib),
        cmocka_unit_test(crc32_is_that_of_the_polynomial_at_every_length_and_place),
        cmocka_unit_test(crc32_of_parts_equals_crc32_of_the_whole),
        cmocka_unit_test(murmur2_picks_the_partitions_of_kafka),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
