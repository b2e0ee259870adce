/* Manual pages in troff's language, with the macros of man(7). Text is escaped, so that it can
 * neither be a request nor an escape, and minus, quote, circumflex, grave and tilde stay what they
 * are in a terminal and on paper. `like this` in a text is bold. Failures are the buf's. */
#ifndef BASE_ROFF_H
#define BASE_ROFF_H

#include "base/buf.h"

/* The first line: name and section of the page, and what it belongs to. */
void roff_add_title(struct buf *page, const char *name, int section, const char *source);
/* A section, or with `is_sub` one below it. */
void roff_add_heading(struct buf *page, const char *heading, bool is_sub);
/* Paragraphs, with an empty line between them; lines that begin with a blank stay as they are. */
void roff_add_text(struct buf *page, struct slice text);
/* Lines as they are, in the font of code. */
void roff_add_code(struct buf *page, struct slice text);
/* A term, in bold, and what follows it in italics (NULL = nothing). Its text comes next, indented
 * up to the next item or heading. */
void roff_add_item(struct buf *page, const char *term, const char *value);

#endif
