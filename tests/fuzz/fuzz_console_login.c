/* Any bytes as the two texts of a session of `aws login`: its file and the answer that renews it,
 * with a line of dashes between. The file of a renewed session is read again as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "wire/aws/console_login.h"

#define FILE_BYTES_MAX ((size_t)1024 * 1024)
#define WALL_MS        INT64_C(1796014800000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_file(const struct console_login *login)
{
    struct arena arena;
    struct console_login again;
    struct document_fault fault;
    struct buf file OWNED_BY(buf_done), body OWNED_BY(buf_done);
    arena_init(&arena, DOCUMENT_ARENA_BYTES);
    buf_init(&file, FILE_BYTES_MAX);
    buf_init(&body, FILE_BYTES_MAX);
    console_login_add_renewal(&body, login);
    console_login_add(&file, login);
    CHECK(console_login_read(&arena, buf_slice(&file), &again, &fault) == OK);
    CHECK(slice_equal(again.keys.secret_access_key, login->keys.secret_access_key));
    CHECK(again.keys.expires_wall_ms / 1000 == login->keys.expires_wall_ms / 1000);
    CHECK(slice_equal(again.refresh_token, login->refresh_token));
    CHECK(slice_equal(again.dpop_key, login->dpop_key));
    arena_wipe(&arena);
}

static void check_refusal(struct slice text)
{
    struct arena arena;
    struct slice error;
    arena_init(&arena, DOCUMENT_ARENA_BYTES);
    if (console_login_read_refusal(&arena, text, &error) == OK)
        CHECK(error.len <= 64 && memchr(error.ptr, '\n', error.len) == NULL);
    arena_wipe(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t live = memory_live();
    struct slice text = slice_of(data, size);
    const char *dashes = size > 0 ? memmem(data, size, "\n---\n", 5) : NULL;
    size_t at = dashes == NULL ? size : (size_t)(dashes - text.ptr);
    struct arena arena;
    struct console_login login;
    struct document_fault fault;
    arena_init(&arena, DOCUMENT_ARENA_BYTES);
    if (console_login_read(&arena, slice_sub(text, 0, at), &login, &fault) == OK) {
        enum err err = console_login_read_renewal(&arena, slice_sub(text, at + 5, size), WALL_MS,
                                                  &login, &fault);
        if (err == OK)
            CHECK(login.keys.expires_wall_ms > WALL_MS);
        check_file(&login);
    }
    arena_wipe(&arena);
    check_refusal(text);
    CHECK(memory_live() == live);
    return 0;
}
