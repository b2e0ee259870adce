/* Prompt templates as LangChain's f-string ones: `{name}` is a variable, `{{` and `}}` are literal
 * braces. A name is letters, digits and `_`, not only digits (those are positions in Python);
 * format specs, conversions, attributes, indexing and empty names are errors. */
#ifndef WIRE_CHAT_TEMPLATE_H
#define WIRE_CHAT_TEMPLATE_H

#include "wire/formats/json.h"
#include "wire/formats/why.h"

#define TEMPLATE_VARIABLES_MAX 256
#define TEMPLATE_PIECES_MAX    65536 /* of one text: literal parts and variables; a bound on time */

/* Which variables a run of fills has used, so that template_all_used can name the others. Zeroed
 * but for `variables`. */
struct template_use {
    const struct json *variables;      /* the request's object; NULL = none */
    bool used[TEMPLATE_VARIABLES_MAX]; /* by position in the object */
    struct slice
        values[TEMPLATE_VARIABLES_MAX]; /* decoded, of those used; in the arena of the fills */
};

/* Appends the text with its variables put in: strings as they are, numbers and booleans as their
 * JSON text (true, 1.50). ERR_TEMPLATE_VARIABLES names the first one missing; ERR_INVALID for null,
 * an array or an object, and for a broken template (a lone brace), naming `field` and the byte;
 * ERR_REQUEST_TOO_LARGE when the text outgrows the buf. */
MUST_CHECK enum err template_fill(struct arena *arena, struct slice text, struct template_use *use,
                                  const char *field, struct buf *ret_text, struct why *ret_why);
/* ERR_TEMPLATE_VARIABLES naming those that no template used. */
MUST_CHECK enum err template_all_used(const struct template_use *use, struct why *ret_why);
/* Checks the syntax of a template (for `check`): OK, or ERR_INVALID with the byte of the fault,
 * from 1, and static words about it. */
MUST_CHECK enum err template_check(struct slice text, size_t *ret_column, const char **ret_words);

#endif
