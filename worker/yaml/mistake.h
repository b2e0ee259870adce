/* Problems for values of the wrong kind, each with what to write instead. They recognize the slips
 * that YAML invites: a colon or a brace that turns a text into a map, `yes` for true, an amount
 * without its unit. They quote the value as it stands in the file, before `${…}` is replaced. Each
 * function adds one problem at the place of `node`; `path` names the setting. */
#ifndef YAML_MISTAKE_H
#define YAML_MISTAKE_H

#include "yaml/document.h"

#define MISTAKE_SPAN "a duration such as 200ms, 30s, 5m or 1h"
#define MISTAKE_SIZE "a size such as 64KiB, 16MiB or 1GB"
#define MISTAKE_FLAG "true or false"

/* The kind of the node (empty, list, map or text) is wrong; `wanted` says what to write. */
void mistake_add_kind(struct problems *problems, const struct document_node *node,
                      struct slice path, const char *wanted);
/* The node must be a text and is not. Shows the text in quotes where they are missing, unless it
 * may be a secret. */
void mistake_add_no_text(struct problems *problems, const struct document_node *node,
                         struct slice path, bool may_be_secret);
/* The text is not `wanted`, such as MISTAKE_SIZE. */
void mistake_add_value(struct problems *problems, const struct document_node *node,
                       struct slice path, const char *wanted);
/* The value is outside of `limits`, such as `1 to 15`. */
void mistake_add_limits(struct problems *problems, const struct document_node *node,
                        struct slice path, const char *limits);
/* The text is not MISTAKE_FLAG, MISTAKE_SPAN or MISTAKE_SIZE; guesses what it should be. */
void mistake_add_flag(struct problems *problems, const struct document_node *node,
                      struct slice path);
void mistake_add_span(struct problems *problems, const struct document_node *node,
                      struct slice path);
void mistake_add_size(struct problems *problems, const struct document_node *node,
                      struct slice path);

#endif
