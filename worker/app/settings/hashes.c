/* Hashes of what was read, to see whether it has changed: of the file, and of lists and maps with
 * their variables replaced. */
#include "app/settings/parts.h"

#define HASH_START 0xcbf29ce484222325U /* FNV-1a, 64 bits */
#define HASH_PRIME 0x100000001b3U

static uint64_t add_bytes(uint64_t hash, struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        hash = (hash ^ (unsigned char)bytes.ptr[i]) * HASH_PRIME;
    return (hash ^ bytes.len) * HASH_PRIME;
}

uint64_t settings_text_hash(struct slice text)
{
    return add_bytes(HASH_START, text);
}

static uint64_t add_node(uint64_t hash, const struct settings_reader *reader,
                         const struct document_node *node)
{
    struct buf text OWNED_BY(buf_done);
    char name[UNITS_NAME_MAX];
    buf_init(&text, DOCUMENT_BYTES_MAX);
    if (units_add_expanded(&text, node->text, &reader->environment, name) != OK) {
        buf_reset(&text);
        buf_add(&text, node->text);
    }
    hash = (hash ^ (uint64_t)node->kind) * HASH_PRIME;
    hash = (hash ^ (uint64_t)node->is_plain) * HASH_PRIME;
    hash = add_bytes(hash, node->key);
    hash = (hash ^ node->count) * HASH_PRIME;
    return add_bytes(hash, buf_slice(&text));
}

uint64_t settings_node_hash(const struct settings_reader *reader, const struct document_node *node)
{
    const struct document_node *waiting[DOCUMENT_DEPTH_MAX + 1];
    uint64_t hash = add_node(HASH_START, reader, node);
    size_t depth = 0;
    waiting[depth++] = node->first;
    while (depth > 0) {
        const struct document_node *next = waiting[depth - 1];
        if (next == NULL) {
            depth--;
            continue;
        }
        waiting[depth - 1] = next->next;
        hash = add_node(hash, reader, next);
        if (next->first != NULL && depth < COUNT_OF(waiting))
            waiting[depth++] = next->first;
    }
    return hash;
}
