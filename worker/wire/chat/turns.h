/* The turns of a conversation while it is read: blocks are added in the order in which they are
 * said, and kept at the end: blank texts dropped, texts that go on joined. A tool's message is part
 * of the user's turn, but its blocks stand apart (is_apart): a blank string beside them counts. The
 * calls of a message's tool_calls (is_call) stand behind all that the assistant's turn says; one
 * that the content has too, by its id, wins over it. The arrays lie in the scratch arena, with room
 * for all there can be. */
#ifndef WIRE_CHAT_TURNS_H
#define WIRE_CHAT_TURNS_H

#include "wire/chat/reader.h"
#include "wire/chat/template.h"

#define BLANK_TEXT SLICE(".") /* LangChain's stand-in: Bedrock refuses blank texts */

struct document_names;

struct turns {
    struct reader *reader;
    struct template_use *use; /* NULL = the texts are no templates */
    /* One array: what the turns say from its begin, what the system says from its end, last one
     * first. */
    struct block *blocks;
    size_t system_count, said_count, room;
    struct turn *list; /* their blocks are in `blocks` */
    size_t count, list_room;
    bool is_broken; /* a part of it is wrong: what only follows from that is no mistake */
    bool begins;    /* the next block is the first of its message */
    bool is_string; /* the content of the message that is read is a string */
    bool was_text;  /* the last message's content was a string, and its role … */
    enum role last_role;
    struct document_names *document_names; /* made up so far: blocks_names.c */
    bool drops_reasoning;                  /* the message's reasoning cannot go back to the model */
    bool has_calls;                        /* a block is_call */
};

/* The most blocks that a content can make, NULL too; and a message. */
size_t turns_count_blocks(const struct json *content);
size_t turns_count_message(const struct json *message);
/* For at most so many blocks and messages. ERR_NO_MEMORY. */
MUST_CHECK enum err turns_make_room(struct turns *turns, size_t blocks, size_t messages);
/* The blocks that follow are of a new message. */
void turns_begin_message(struct turns *turns, bool is_string);
/* Appends to the system blocks, or to the turn of that role. */
void turns_add_block(struct turns *turns, enum role role, const struct block *block);
/* The block that was added last to these; there is one. */
struct block *turns_last_block(struct turns *turns, enum role role);
/* Notes a mistake in a part of the conversation: reader_note. */
bool turns_note(struct turns *turns, enum err err);
/* The content of a tool result, which is no turn: drops its blank strings now. */
void turns_drop_blanks(struct turns *turns);
/* Moves the parts of them that are sent to the request and its arena. There must be a turn.
 * ERR_REQUEST_TOO_LARGE, ERR_NO_MEMORY. */
MUST_CHECK enum err turns_keep(struct turns *turns);

#endif
