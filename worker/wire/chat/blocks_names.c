/* Names of documents, as LangChain finds them. */
#include "wire/chat/blocks_media.h"
#include "wire/formats/base64.h"
#include "wire/formats/hash.h"

#define DIGEST_SHOWN 6 /* bytes: 12 digits */

/* Where a block may have its name, first one first. `file` is OpenAI's object in the block. */
static const struct {
    const char *object, *member; /* object NULL = the block */
} places[] = {
    {NULL, "name"},         {NULL, "filename"},       {"metadata", "name"},  {"extras", "name"},
    {"extras", "filename"}, {"metadata", "filename"}, {"metadata", "title"}, {"extras", "title"},
    {NULL, "title"},        {"file", "filename"},
};

/* How often each digest came: a trie by its bits, so that no choice of bytes makes it slow. */
struct document_names {
    struct document_names *next[2];
    uint64_t digest;
    unsigned int count;
};

static const struct json *find_name(const struct json *block)
{
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        const struct json *object =
            places[i].object == NULL ? block : json_member(block, places[i].object);
        const struct json *name = json_member(object, places[i].member);
        if (json_is(name, JSON_STRING) && !json_equal_text(name, ""))
            return name;
    }
    return NULL;
}

/* 0: no memory. */
static unsigned int count_digest(struct turns *turns, uint64_t digest)
{
    struct document_names **at = &turns->document_names;
    for (uint64_t bits = digest; *at != NULL && (*at)->digest != digest; bits >>= 1)
        at = &(*at)->next[bits & 1];
    if (*at == NULL)
        *at = arena_new(turns->reader->scratch, sizeof **at);
    if (*at == NULL)
        return 0;
    (*at)->digest = digest;
    return ++(*at)->count;
}

/* Of the document's bytes; of one in S3, of its address. */
static enum err digest_of(const struct medium *medium, uint8_t ret_digest[SHA256_LEN])
{
    struct buf bytes OWNED_BY(buf_done);
    struct slice text = medium->block.media.bytes, uri = medium->block.media.uri;
    size_t offset;
    buf_init(&bytes, text.len);
    if (uri.ptr == NULL && base64_add_decoded(&bytes, text, &offset) != OK)
        return reader_no_memory(medium->piece->reader);
    hash_sha256(uri.ptr == NULL ? buf_slice(&bytes) : uri, ret_digest);
    return OK;
}

/* The same document always has the same name, so that a prompt cache finds it; Bedrock refuses a
 * name that comes twice. */
static enum err name_by_bytes(struct medium *medium)
{
    struct reader *reader = medium->piece->reader;
    struct buf name OWNED_BY(buf_done);
    uint8_t digest[SHA256_LEN];
    uint64_t number = 0;
    buf_init(&name, 64);
    enum err err = digest_of(medium, digest);
    if (err != OK)
        return err;
    for (size_t i = 0; i < DIGEST_SHOWN; i++)
        number = number << 8 | digest[i];
    unsigned int count = count_digest(medium->piece->turns, number);
    hash_add_hex(&name, digest, DIGEST_SHOWN);
    if (count > 1)
        buf_addf(&name, "-%u", count);
    if (count == 0 || name.failed != OK ||
        !arena_copy(reader->arena, buf_slice(&name), &medium->block.media.name))
        return reader_no_memory(reader);
    return OK;
}

enum err medium_read_name(struct medium *medium)
{
    const struct json *name = find_name(medium->piece->node);
    return name == NULL
               ? name_by_bytes(medium)
               : medium_string(medium, medium->piece->path, name, &medium->block.media.name);
}
