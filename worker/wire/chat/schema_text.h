/* The schema of a request as it is sent: with the changes that LangChain makes for Bedrock
 * (convert_to_openai_function, ChatBedrockConverse), and as a text where Bedrock wants one. Members
 * keep their order, numbers their digits. */
#ifndef WIRE_CHAT_SCHEMA_TEXT_H
#define WIRE_CHAT_SCHEMA_TEXT_H

#include "base/arena.h"
#include "base/buf.h"
#include "wire/formats/json.h"

struct schema_form {
    /* CLOSED: every object with `type` object gets additionalProperties false. STRICT: all
     * properties of an object are required, and no others allowed. */
    enum { SCHEMA_AS_IT_IS, SCHEMA_CLOSED, SCHEMA_STRICT } change;
    /* SPACED and INDENTED: as Python's json.dumps writes it, without and with indent=2. */
    enum { SCHEMA_COMPACT, SCHEMA_SPACED, SCHEMA_INDENTED } layout;
    const char *const *without; /* members of the root that are left out */
    size_t without_count;
};

/* Appends the schema, an object. A failure sticks in the buf; decoded strings take `scratch`. */
void schema_write(struct buf *text, const struct json *schema, const struct schema_form *form,
                  struct arena *scratch);

#endif
