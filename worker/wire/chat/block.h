/* A content block of a message, typed by what it holds. The kinds are listed in blocks.def. */
#ifndef WIRE_CHAT_BLOCK_H
#define WIRE_CHAT_BLOCK_H

#include "base/slice.h"

enum role { ROLE_SYSTEM, ROLE_USER, ROLE_ASSISTANT };

enum block_kind {
#define BLOCK(kind, member, roles) BLOCK_##kind,
#define TYPE(type, kind, roles, reader)
#define LATER(type)
#include "wire/chat/blocks.def"
#undef BLOCK
#undef TYPE
#undef LATER
    BLOCK_RAW /* of an answer, in a form that the list does not know */
};

/* Whose messages may have a block. */
enum block_roles {
    BLOCK_ROLES_ASSISTANT = 1U << ROLE_ASSISTANT,
    BLOCK_ROLES_SPEAKER = 1U << ROLE_USER | 1U << ROLE_ASSISTANT,
    BLOCK_ROLES_ANYONE = 1U << ROLE_SYSTEM | BLOCK_ROLES_SPEAKER,
};

struct block_row {
    const char *member; /* of Converse's ContentBlock */
    enum block_roles roles;
};

/* Of all kinds but BLOCK_RAW. */
extern const struct block_row block_rows[BLOCK_RAW];

/* The kind of a block in Converse's form, by its one member; BLOCK_RAW = no row has it. */
enum block_kind block_kind_of(struct slice member);

struct block {
    enum block_kind kind;
    bool is_converse;       /* `json` is the block in Converse's form, byte for byte as it came */
    bool is_blank, goes_on; /* while it is read: see blocks.h */
    struct slice text; /* of TEXT, and of CITED that is not is_converse: decoded, never blank */
    struct slice json; /* see is_converse; else of CITED: the array of citations. May be null */
};

#endif
