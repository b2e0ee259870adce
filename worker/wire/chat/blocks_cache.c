#include "wire/chat/blocks_parts.h"
#include "wire/chat/cache_control.h"
#include "wire/formats/path.h"

enum err blocks_read_cache(const struct piece *piece, struct slice *ret_cache)
{
    const struct json *control = json_member(piece->node, "cache_control");
    struct path path = path_member(piece->path, SLICE("cache_control"));
    *ret_cache = SLICE_NULL;
    if (control == NULL || control->kind == JSON_NULL)
        return OK;
    return cache_control_read(piece->reader, path.text, control, ret_cache);
}

static struct slice ttl_of(const struct json *point)
{
    const struct json *ttl = json_member(point, "ttl");
    return json_is(ttl, JSON_STRING) ? ttl->source : SLICE_NULL;
}

/* {"type": "cache_point", "ttl": "1h"}, or Converse's own form inside. */
enum err blocks_add_cache_point(const struct piece *piece)
{
    static const char *const members[] = {"type",        "ttl",   "cachePoint",
                                          "cache_point", "index", "id"};
    const struct json *point = piece->node;
    struct buf json OWNED_BY(buf_done);
    struct slice converse;
    enum err err = blocks_check_members(piece, members, COUNT_OF(members));
    buf_init(&json, piece->node->source.len + 64);
    if (err != OK)
        return err;
    if (json_member(point, "cachePoint") != NULL)
        point = json_member(point, "cachePoint");
    else if (json_member(point, "cache_point") != NULL)
        point = json_member(point, "cache_point");
    buf_add_text(&json, "{\"cachePoint\":{\"type\":\"default\"");
    json_add_member(&json, "ttl", ttl_of(point));
    buf_add_text(&json, "}}");
    if (json.failed != OK || !arena_copy(piece->reader->arena, buf_slice(&json), &converse))
        return reader_no_memory(piece->reader);
    piece_add_converse(piece, converse);
    return OK;
}
