#include "io/aws/es256.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/buf.h"
#include "wire/formats/base64.h"

#define SIGNATURE_DER_MAX 80

/* Appends the bytes of the PEM text's base64 lines. */
static enum err add_der(struct buf *der, struct slice pem)
{
    struct buf letters;
    buf_init(&letters, ES256_PEM_BYTES_MAX);
    if (buf_reserve(&letters, pem.len) == NULL)
        return letters.failed;
    while (pem.len > 0) {
        size_t len = slice_find(pem, '\n');
        struct slice line = slice_trim(slice_sub(pem, 0, len));
        if (!slice_starts(line, SLICE("-----")))
            buf_add(&letters, line);
        pem = slice_sub(pem, len + 1, pem.len);
    }
    size_t flaw;
    enum err err =
        letters.failed != OK ? letters.failed : base64_add_decoded(der, buf_slice(&letters), &flaw);
    explicit_bzero(letters.ptr, letters.room);
    buf_done(&letters);
    return err;
}

static bool read_point(struct es256_key *key)
{
    BIGNUM *x = NULL, *y = NULL;
    char group[32];
    bool is_right = EVP_PKEY_get_utf8_string_param(key->handle, OSSL_PKEY_PARAM_GROUP_NAME, group,
                                                   sizeof group, NULL) == 1 &&
                    strcmp(group, "prime256v1") == 0 &&
                    EVP_PKEY_get_bn_param(key->handle, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
                    EVP_PKEY_get_bn_param(key->handle, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1 &&
                    BN_bn2binpad(x, key->x, ES256_COORDINATE) == ES256_COORDINATE &&
                    BN_bn2binpad(y, key->y, ES256_COORDINATE) == ES256_COORDINATE;
    BN_free(x);
    BN_free(y);
    return is_right;
}

enum err es256_key_read(struct es256_key *ret_key, struct slice pem)
{
    memset(ret_key, 0, sizeof *ret_key);
    if (pem.len > ES256_PEM_BYTES_MAX)
        return ERR_TOO_LARGE;
    struct buf der;
    buf_init(&der, ES256_PEM_BYTES_MAX);
    char *room = buf_reserve(&der, ES256_PEM_BYTES_MAX); /* at once: it never moves */
    enum err err = room == NULL ? ERR_NO_MEMORY : add_der(&der, pem);
    if (err == OK) {
        const unsigned char *at = (const unsigned char *)der.ptr;
        ret_key->handle = d2i_AutoPrivateKey(NULL, &at, (long)der.len);
        if (ret_key->handle == NULL || !read_point(ret_key))
            err = ERR_FORMAT;
        ERR_clear_error();
    }
    if (room != NULL)
        explicit_bzero(der.ptr, der.room);
    buf_done(&der);
    if (err != OK)
        es256_key_done(ret_key);
    return err;
}

void es256_key_done(struct es256_key *key)
{
    EVP_PKEY_free(key->handle);
    memset(key, 0, sizeof *key);
}

/* Two numbers of DER as two of 32 bytes. */
static bool split(const unsigned char *der, size_t len, uint8_t ret_signature[ES256_SIGNATURE])
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);
    bool is_right = pair != NULL &&
                    BN_bn2binpad(ECDSA_SIG_get0_r(pair), ret_signature, ES256_COORDINATE) > 0 &&
                    BN_bn2binpad(ECDSA_SIG_get0_s(pair), ret_signature + ES256_COORDINATE,
                                 ES256_COORDINATE) > 0;
    ECDSA_SIG_free(pair);
    return is_right;
}

enum err es256_sign(const struct es256_key *key, struct slice data,
                    uint8_t ret_signature[ES256_SIGNATURE])
{
    unsigned char der[SIGNATURE_DER_MAX];
    size_t len = sizeof der;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_signed =
        context != NULL &&
        EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key->handle) == 1 &&
        EVP_DigestSign(context, der, &len, (const unsigned char *)data.ptr, data.len) == 1 &&
        split(der, len, ret_signature);
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return is_signed ? OK : ERR_NO_MEMORY;
}
