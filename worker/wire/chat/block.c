#include "wire/chat/block.h"

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
