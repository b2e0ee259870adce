#include "base/utf8.h"
#include "wire/chat/blocks_media.h"
#include "wire/formats/base64.h"

#define DATA   SLICE("data:")
#define BASE64 SLICE(";base64")
#define S3     SLICE("s3://")

enum err medium_string(const struct medium *medium, const char *path, const struct json *node,
                       struct slice *ret_text)
{
    struct turns *turns = medium->piece->turns;
    enum err err = reader_string(medium->piece->reader, path, node, ret_text);
    return err == OK && turns->use != NULL ? blocks_fill(turns, *ret_text, path, ret_text) : err;
}

static enum err refuse(const struct medium *medium, const char *path, const char *words)
{
    return why_set(&medium->piece->reader->why, ERR_INVALID, path, "%s", words);
}

/* --- base64 --- */

static bool is_space(char letter)
{
    return letter == ' ' || letter == '\n' || letter == '\r' || letter == '\t';
}

/* The text without white space: as `base64` and MIME print it, in lines. */
static bool take_lines_out(struct arena *arena, struct slice text, struct slice *ret_text)
{
    char *to = arena_new(arena, text.len);
    size_t len = 0;
    if (to == NULL)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!is_space(text.ptr[i]))
            to[len++] = text.ptr[i];
    *ret_text = slice_of(to, len);
    return true;
}

/* The place in `text` of the character that is the `at`-th without white space. */
static size_t place_with_lines(struct slice text, size_t at)
{
    size_t i = 0;
    for (; i < text.len; i++)
        if (!is_space(text.ptr[i]) && at-- == 0)
            break;
    return i;
}

/* `before` characters stand before the base64 at `path`. */
static enum err refuse_flaw(const struct medium *medium, const char *path, size_t before,
                            const struct base64_flaw *flaw)
{
    return why_set(&medium->piece->reader->why, ERR_INVALID, path, "character %zu %s",
                   before + flaw->at + 1, flaw->words);
}

static enum err take_base64(struct medium *medium, const char *path, size_t before,
                            struct slice text)
{
    struct reader *reader = medium->piece->reader;
    struct base64_flaw flaw;
    struct slice whole = text;
    bool is_good = base64_check(text, &flaw);
    if (!is_good && flaw.at < text.len && is_space(text.ptr[flaw.at])) {
        if (!take_lines_out(reader->arena, whole, &text))
            return reader_no_memory(reader);
        is_good = base64_check(text, &flaw);
        if (!is_good)
            flaw.at = place_with_lines(whole, flaw.at);
    }
    if (!is_good)
        return refuse_flaw(medium, path, before, &flaw);
    if (text.len == 0)
        return refuse(medium, path, "has no bytes");
    medium->block.media.bytes = text;
    return OK;
}

enum err medium_read_base64(struct medium *medium, const char *path, const struct json *node)
{
    struct slice text;
    enum err err = medium_string(medium, path, node, &text);
    return err == OK ? take_base64(medium, path, 0, text) : err;
}

enum err medium_read_text(struct medium *medium, const char *path, const struct json *node)
{
    struct reader *reader = medium->piece->reader;
    struct buf base64 OWNED_BY(buf_done);
    struct slice text;
    enum err err = medium_string(medium, path, node, &text);
    buf_init(&base64, REQUEST_TEXT_MAX);
    if (err != OK)
        return err;
    if (text.len == 0)
        return refuse(medium, path, "is empty");
    base64_add(&base64, text);
    if (base64.failed == ERR_TOO_LARGE)
        return why_set(&reader->why, ERR_REQUEST_TOO_LARGE, path, "is too large");
    if (medium->type.ptr == NULL)
        medium->type = SLICE("text/plain");
    if (base64.failed != OK ||
        !arena_copy(reader->arena, buf_slice(&base64), &medium->block.media.bytes))
        return reader_no_memory(reader);
    return OK;
}

/* --- addresses --- */

static bool has_scheme(struct slice url, const char *scheme)
{
    struct slice name = slice_of_text(scheme);
    return slice_equal_nocase(slice_sub(url, 0, name.len), name);
}

/* `data:image/png;base64,…` (RFC 2397). Its media type counts before that of the block. */
static enum err take_data_url(struct medium *medium, const char *path, struct slice url)
{
    size_t comma = slice_find(url, ',');
    struct slice head = slice_sub(url, DATA.len, comma - DATA.len);
    size_t type_len = slice_find(head, ';');
    size_t tail_at = head.len < BASE64.len ? 0 : head.len - BASE64.len;
    if (comma == url.len || !slice_equal_nocase(slice_sub(head, tail_at, SIZE_MAX), BASE64))
        return refuse(medium, path,
                      "a data URL must be base64, such as data:image/png;base64,iVBORw0…");
    if (type_len > 0) {
        medium->type = slice_sub(head, 0, type_len);
        slice_write(slice_of_text(path), medium->type_path.text, sizeof medium->type_path.text);
    }
    size_t from = comma + 1;
    return take_base64(medium, path, utf8_count(slice_sub(url, 0, from)),
                       slice_sub(url, from, SIZE_MAX));
}

enum err medium_read_url(struct medium *medium, const char *path, const struct json *node)
{
    struct slice url;
    enum err err = medium_string(medium, path, node, &url);
    if (err != OK)
        return err;
    if (has_scheme(url, "data:"))
        return take_data_url(medium, path, url);
    if (has_scheme(url, "http:") || has_scheme(url, "https:"))
        return refuse(medium, path,
                      "the worker opens no addresses; send the bytes as base64 (a data URL), or "
                      "name an object in S3 (s3://…)");
    if (!slice_starts(url, S3))
        return refuse(medium, path, "must be a data URL (data:image/png;base64,…) or an s3:// URL");
    medium->block.media.uri = url;
    return OK;
}

/* {"uri": "s3://…", "bucketOwner": "…"} */
enum err medium_read_s3(struct medium *medium, const char *path, const struct json *node)
{
    const struct json *uri = json_member(node, "uri"), *owner = json_member(node, "bucketOwner");
    struct path uri_path = path_member(path, SLICE("uri"));
    if (owner == NULL)
        owner = json_member(node, "bucket_owner");
    if (!json_is(node, JSON_OBJECT))
        return refuse(medium, path, "must be an object with uri, and bucketOwner if you like");
    enum err err = medium_string(medium, uri_path.text, uri, &medium->block.media.uri);
    if (err == OK && !slice_starts(medium->block.media.uri, S3))
        return refuse(medium, uri_path.text, "must begin with s3://");
    if (err != OK || owner == NULL)
        return err;
    struct path owner_path = path_member(path, SLICE("bucketOwner"));
    return medium_string(medium, owner_path.text, owner, &medium->block.media.owner);
}
