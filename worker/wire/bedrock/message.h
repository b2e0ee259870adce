/* The pieces of an AIMessage, which every dialect puts together from what Bedrock says: content,
 * tool calls, what is kept of an answer, and why it cannot be kept. Texts are JSON unless they are
 * called decoded. Source: LangChain's AIMessage and ToolCall. */
#ifndef WIRE_BEDROCK_MESSAGE_H
#define WIRE_BEDROCK_MESSAGE_H

#include "wire/chat/answer.h"
#include "wire/formats/json.h"
#include "wire/formats/why.h"

/* The texts of an answer that is put together: `content` is the caller's to open and to close, the
 * arrays of tool calls begin open. */
struct message_texts {
    struct buf content, tool_calls, invalid_tool_calls;
};
void message_init(struct message_texts *texts, size_t limit);
void message_done(struct message_texts *texts);
/* `{"name":…,"args":…,"id":…,"type":"tool_call"}`. A valid call has an object of arguments; an
 * invalid one has them as text. Null = absent. */
void message_add_call(struct message_texts *texts, bool is_valid, struct slice name,
                      struct slice args, struct slice id);
/* A call whose arguments came in parts: `parts` is what stood in their strings, joined and still
 * escaped. An object is a valid call's arguments, nothing is none; anything else makes the call
 * invalid. ERR_NO_MEMORY, ERR_TOO_LARGE. */
MUST_CHECK enum err message_add_call_in_parts(struct arena *scratch, struct message_texts *texts,
                                              struct slice name, struct slice parts,
                                              struct slice id);
/* Closes the arrays of tool calls, and copies all three into the arena. */
MUST_CHECK enum err message_keep(struct message_texts *texts, struct arena *arena,
                                 struct answer *ret_answer);

/* Copies into the arena: ERR_TOO_LARGE when its limit, ERR_NO_MEMORY when the heap is to blame. */
MUST_CHECK enum err message_keep_slice(struct arena *arena, struct slice text,
                                       struct slice *ret_copy);
MUST_CHECK enum err message_keep_buf(struct arena *arena, const struct buf *buf,
                                     struct slice *ret_copy);
/* The decoded value of a string, if it is one: it must outlive the body. */
MUST_CHECK enum err message_keep_string(struct arena *arena, const struct json *node,
                                        struct slice *ret_text);
/* Fills why and returns its error; over a limit becomes ERR_RESPONSE_TOO_LARGE. */
enum err message_failed(struct why *why, enum err err);

/* Counts of which nothing is known. */
void message_no_usage(struct usage_counts *ret_counts);
/* A count that makes sense, else ANSWER_COUNT_ABSENT. */
int64_t message_count(const struct json *object, const char *name);

#endif
