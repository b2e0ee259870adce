#include "wire/chat/blocks_parts.h"

#include "wire/formats/path.h"

enum err piece_refuse(const struct piece *piece, const char *member, enum err err,
                      const char *words)
{
    if (member == NULL)
        return why_set(&piece->reader->why, err, piece->path, "%s", words);
    struct path path = path_member(piece->path, slice_of_text(member));
    return why_set(&piece->reader->why, err, path.text, "%s", words);
}

void piece_add_converse(const struct piece *piece, struct slice json)
{
    struct block block = {.kind = piece->kind, .is_converse = true, .json = json};
    turns_add_block(piece->turns, piece->role, &block);
}

enum err piece_name(const struct piece *piece, const char *member, struct slice *ret_source)
{
    const struct json *node = json_member(piece->node, member);
    if (node == NULL)
        return piece_refuse(piece, member, ERR_INVALID, "missing");
    if (!reader_is_full_string(node))
        return piece_refuse(piece, member, ERR_INVALID, "must be a string that is not empty");
    *ret_source = node->source;
    return OK;
}

enum err blocks_check_members(const struct piece *piece, const char *const *members, size_t count)
{
    for (const struct json *member = piece->node->first; member != NULL; member = member->next)
        if (!slice_is_one_of(member->name, members, count))
            return reader_unknown_member(piece->reader, piece->path, member->name, members, count);
    return OK;
}
