/* Any bytes as the three texts of a login of IAM Identity Center: its file, the answer that renews
 * it and the portal's answer, the first two with a line of dashes between. The file of a renewed
 * login is read again as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "wire/aws/sso.h"

#define FILE_BYTES_MAX ((size_t)1024 * 1024)
#define WALL_MS        INT64_C(1796014800000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_file(const struct sso_login *login)
{
    struct arena arena;
    struct sso_login again;
    struct document_fault fault;
    struct buf file OWNED_BY(buf_done), body OWNED_BY(buf_done);
    arena_init(&arena, DOCUMENT_ARENA_BYTES);
    buf_init(&file, FILE_BYTES_MAX);
    buf_init(&body, FILE_BYTES_MAX);
    sso_add_renewal(&body, login);
    sso_add_login(&file, login);
    CHECK(sso_read_login(&arena, buf_slice(&file), &again, &fault) == OK);
    CHECK(slice_equal(again.access_token, login->access_token));
    CHECK(again.expires_wall_ms / 1000 == login->expires_wall_ms / 1000);
    CHECK(slice_equal(again.refresh_token, login->refresh_token));
    CHECK(slice_equal(again.client_secret, login->client_secret));
    arena_wipe(&arena);
}

static void check_keys(struct slice text)
{
    struct arena arena;
    struct key_answer found;
    struct document_fault fault;
    arena_init(&arena, DOCUMENT_ARENA_BYTES);
    if (sso_read_keys(&arena, text, &found, &fault) == OK)
        CHECK(found.access_key_id.len > 0 && found.expires_wall_ms >= 0);
    arena_wipe(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t live = memory_live();
    struct slice text = slice_of(data, size);
    const char *dashes = size > 0 ? memmem(data, size, "\n---\n", 5) : NULL;
    size_t at = dashes == NULL ? size : (size_t)(dashes - text.ptr);
    struct arena arena;
    struct sso_login login;
    struct document_fault fault;
    arena_init(&arena, DOCUMENT_ARENA_BYTES);
    if (sso_read_login(&arena, slice_sub(text, 0, at), &login, &fault) == OK) {
        enum err err =
            sso_read_renewal(&arena, slice_sub(text, at + 5, size), WALL_MS, &login, &fault);
        if (err == OK)
            CHECK(login.access_token.len > 0 && login.expires_wall_ms > WALL_MS);
        check_file(&login);
    }
    arena_wipe(&arena);
    check_keys(text);
    CHECK(memory_live() == live);
    return 0;
}
