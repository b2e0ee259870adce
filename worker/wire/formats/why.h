/* Why a request or an answer was refused: the error, the field at fault and a text for people. The
 * text never quotes prompts or secrets: it names fields, limits and settings. One that is foreign
 * may, until quote_hide has seen it. */
#ifndef WIRE_FORMATS_WHY_H
#define WIRE_FORMATS_WHY_H

#include "base/attr.h"
#include "base/err.h"
#include "base/slice.h"

#define WHY_FIELD_MAX   128
#define WHY_TYPE_MAX    64
#define WHY_MESSAGE_MAX 352
#define WHY_OTHERS_MAX  4096 /* bytes of `others` with its NUL */

struct why {
    enum err err;
    char type[WHY_TYPE_MAX];       /* Bedrock's name for it (ThrottlingException); "" = none */
    char field[WHY_FIELD_MAX];     /* JSON path such as messages[2].content; "" = none */
    char message[WHY_MESSAGE_MAX]; /* "" = err_words(err) */
    bool is_foreign;               /* the message is the service's own: it may quote the request
                                      (wire/bedrock/quote.h) */
    const char *others;            /* further mistakes of a request, to stand behind the message:
                                      `; temperature: must be …`; in its arena, NULL = none */
};

/* err OK and empty texts. */
void why_clear(struct why *why);
/* Sets err, field (NULL = none) and message (clipped between code points; control characters become
 * spaces); clears type: a new reason has nothing of the old one. Returns err, so that `return
 * why_set(…)` reads well. */
enum err why_set(struct why *why, enum err err, const char *field, const char *format, ...)
    PRINTF(4, 5);
/* Clips foreign text (UTF-8 or not) into a field of `room` bytes, NUL-terminated, controls made
 * spaces. */
void why_copy(char *ret_text, size_t room, struct slice text);

#endif
