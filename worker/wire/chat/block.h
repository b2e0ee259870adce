/* A content block of a message, typed by what it holds. The kinds are listed in blocks.def. */
#ifndef WIRE_CHAT_BLOCK_H
#define WIRE_CHAT_BLOCK_H

#include "base/buf.h"
#include "base/slice.h"

enum role {
    ROLE_SYSTEM,
    ROLE_USER,
    ROLE_ASSISTANT,
    ROLE_TOOL, /* the content of a tool result, which is part of a user's turn */
};

enum block_kind {
#define BLOCK(kind, member, roles) BLOCK_##kind,
#define TYPE(type, kind, roles, reader)
#include "wire/chat/blocks.def"
#undef BLOCK
#undef TYPE
    BLOCK_RAW /* of an answer, in a form that the list does not know */
};

/* Whose messages may have a block. */
enum block_roles {
    BLOCK_ROLES_ASSISTANT = 1U << ROLE_ASSISTANT,
    BLOCK_ROLES_TOOL = 1U << ROLE_TOOL,
    BLOCK_ROLES_SPEAKER = 1U << ROLE_USER | 1U << ROLE_ASSISTANT,
    BLOCK_ROLES_SHOWN = BLOCK_ROLES_SPEAKER | BLOCK_ROLES_TOOL,
    BLOCK_ROLES_UNSHOWN = 1U << ROLE_SYSTEM | BLOCK_ROLES_SPEAKER,
    BLOCK_ROLES_ANYONE = BLOCK_ROLES_UNSHOWN | BLOCK_ROLES_TOOL,
};

struct block_row {
    const char *member; /* of Converse's ContentBlock */
    enum block_roles roles;
};

/* Of all kinds but BLOCK_RAW. */
extern const struct block_row block_rows[BLOCK_RAW];

/* The kind of a block in Converse's form, by its one member; BLOCK_RAW = no row has it. */
enum block_kind block_kind_of(struct slice member);

/* A block. `json` of one that is in Converse's form is that form, byte for byte as it came; the
 * members of its kind are filled as far as it could be read. Values called JSON are as they were
 * written (strings with their quotes), so that ids, names and inputs pass untouched; texts are
 * decoded. A slice may be null. */
struct block {
    enum block_kind kind;
    bool is_converse;
    bool begins;                                   /* the first of its message */
    bool is_string;                                /* the content of its message was a string */
    bool is_blank, goes_on;                        /* while it is read: see blocks.h */
    bool is_apart, is_call;                        /* … of a tool's message; of tool_calls */
    enum { CITES_UNSAID, CITES_NOT, CITES } cites; /* of DOCUMENT: whether the answer may cite it */
    struct slice text;  /* of TEXT, of CITED that is not is_converse, of GUARD, of REASONING; of
                           DOCUMENT its context, a hint for the model */
    struct slice json;  /* see is_converse; else of CITED the citations, of JSON its value, of
                           media the value of their member where it came in Converse's form */
    struct slice cache; /* JSON: LangChain's cache_control on the block */
    union {
        struct {
            struct slice id, name, input; /* JSON; the input is an object unless is_converse */
        } use;
        struct {
            struct slice id;           /* JSON */
            const struct block *parts; /* its content */
            size_t count;
            enum { RESULT_STATUS_NONE, RESULT_SUCCESS, RESULT_ERROR } status;
        } result;
        struct {
            struct slice signature, redacted; /* JSON */
        } reasoning;
        struct {
            struct slice format;     /* Converse's name for it: png, pdf, three_gp */
            struct slice name;       /* of DOCUMENT: decoded */
            struct slice bytes;      /* base64, checked, without quotes; or … */
            struct slice uri, owner; /* … decoded: s3://…, and the bucket's owner */
        } media;
    };
};

/* Appends `"citations":{"enabled":…}`, in which Converse and Anthropic's Messages API agree, if it
 * is said whether the answer may cite the block. */
void block_add_cites(struct buf *json, const struct block *block);

#endif
