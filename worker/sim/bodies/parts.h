/* Private to the checks: the readers of bodies, and what they share. Each reads a body of the right
 * shape into `reading`. Errors: ERR_REJECTED with a reason, ERR_NO_MEMORY. */
#ifndef SIM_BODIES_PARTS_H
#define SIM_BODIES_PARTS_H

#include "sim/bodies/checks.h"
#include "sim/bodies/readers.h"

#define SAID "The model returned the following errors: "

/* A content block of Converse. */
struct block_place {
    const char *place; /* messages.0.content.1 */
    bool is_user;
    bool is_system;
};

/* converse.c: messages and system text; nova's bodies of InvokeModel have them too */
MUST_CHECK enum err check_converse_turns(struct reading *reading, const struct json *root);
/* the whole of Converse */
MUST_CHECK enum err check_converse(struct reading *reading, const struct json *root);

/* blocks.c */
MUST_CHECK enum err check_block(struct reading *reading, const struct json *block,
                                const struct block_place *place);

/* tools.c: toolConfig */
MUST_CHECK enum err check_tool_config(struct reading *reading, const struct json *config);
/* Does a tool of this name stand in the request, for a choice by name? */
MUST_CHECK enum err check_choice(struct reading *reading, const struct json *name);
/* Each result of this turn has its call in the turn before, and the other way round. */
MUST_CHECK enum err check_pairs(struct reading *reading, const struct json *before,
                                const struct json *content, size_t index);

/* fields.c: the settings of a call */
MUST_CHECK enum err check_fields(struct reading *reading, const struct json *root);
/* `thinking` of Claude, in the body or in the additional fields. */
MUST_CHECK enum err check_thinking(struct reading *reading, const struct json *fields);
/* Some models take no temperature and no top_p. */
MUST_CHECK enum err check_sampling(struct reading *reading, const struct json *fields);
/* The roles alternate and the first is the user's. */
MUST_CHECK enum err check_role(struct reading *reading, const struct json *message,
                               const struct json *before);
/* The final assistant turn has no white space at its end. */
MUST_CHECK enum err check_ending(struct reading *reading, const struct json *last);

#endif
