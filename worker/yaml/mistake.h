/* A value that is not what it should be, as a problem that says what to write instead. Knows the
 * slips that YAML invites: a colon or a brace that makes a map of a text, `yes` for true, an amount
 * without its unit. Values are quoted as they stand in the file, before variables are put in. */
#ifndef YAML_MISTAKE_H
#define YAML_MISTAKE_H

#include "yaml/document.h"

#define MISTAKE_SPAN "a duration such as 200ms, 30s, 5m or 1h"
#define MISTAKE_SIZE "a size such as 64KiB, 16MiB or 1GB"
#define MISTAKE_FLAG "true or false"

/* It is a list, a map, a text or empty, and should be `wanted`. */
void mistake_add_kind(struct problems *problems, const struct document_node *node,
                      struct slice path, const char *wanted);
/* It is no text. The text is shown in quotes where they are missing, unless it may be a secret. */
void mistake_add_no_text(struct problems *problems, const struct document_node *node,
                         struct slice path, bool may_be_secret);
/* A text, and not `wanted`. */
void mistake_add_value(struct problems *problems, const struct document_node *node,
                       struct slice path, const char *wanted);
/* A text that is not within `limits`, such as `1 to 15`. */
void mistake_add_limits(struct problems *problems, const struct document_node *node,
                        struct slice path, const char *limits);
/* A text, and not MISTAKE_FLAG, MISTAKE_SPAN, MISTAKE_SIZE. */
void mistake_add_flag(struct problems *problems, const struct document_node *node,
                      struct slice path);
void mistake_add_span(struct problems *problems, const struct document_node *node,
                      struct slice path);
void mistake_add_size(struct problems *problems, const struct document_node *node,
                      struct slice path);

#endif
