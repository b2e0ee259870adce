#include "wire/chat/block.h"

#include "wire/formats/json.h"

const struct block_row block_rows[BLOCK_RAW] = {
#define BLOCK(kind, member, roles) {member, BLOCK_ROLES_##roles},
#define TYPE(type, kind, roles, reader)
#include "wire/chat/blocks.def"
#undef BLOCK
#undef TYPE
};

enum block_kind block_kind_of(struct slice member)
{
    enum block_kind kind = 0;
    while (kind < BLOCK_RAW && !slice_equal_text(member, block_rows[kind].member))
        kind++;
    return kind;
}

void block_add_cites(struct buf *json, const struct block *block)
{
    if (block->cites == CITES_UNSAID)
        return;
    json_add_name(json, "citations");
    buf_add_byte(json, '{');
    json_add_bool_member(json, "enabled", block->cites == CITES);
    buf_add_byte(json, '}');
}
