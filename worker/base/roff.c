#include "base/roff.h"

/* How a byte is written; NULL = as it is. */
static const char *escape_of(char byte)
{
    switch (byte) {
    case '\\':
        return "\\e";
    case '-':
        return "\\-";
    case '\'':
        return "\\(aq";
    case '`':
        return "\\(ga";
    case '^':
        return "\\(ha";
    case '~':
        return "\\(ti";
    case '"':
        return "\\(dq";
    default:
        return NULL;
    }
}

/* Adds one line without its end. With `marks`, backticks switch bold on and off. */
static void add_line(struct buf *page, struct slice line, bool marks)
{
    bool is_bold = false;
    if (line.len > 0 && line.ptr[0] == '.')
        buf_add_text(page, "\\&");
    for (size_t i = 0; i < line.len; i++) {
        const char *escape = escape_of(line.ptr[i]);
        if (marks && line.ptr[i] == '`') {
            is_bold = !is_bold;
            escape = is_bold ? "\\fB" : "\\fR";
        }
        if (escape != NULL)
            buf_add_text(page, escape);
        else
            buf_add_byte(page, line.ptr[i]);
    }
    if (is_bold)
        buf_add_text(page, "\\fR");
}

void roff_add_title(struct buf *page, const char *name, int section, const char *source)
{
    buf_add_text(page, ".TH \"");
    add_line(page, slice_of_text(name), false);
    buf_addf(page, "\" %d \"\" \"", section);
    add_line(page, slice_of_text(source), false);
    buf_add_text(page, "\"\n");
}

void roff_add_heading(struct buf *page, const char *heading, bool is_sub)
{
    buf_add_text(page, is_sub ? ".SS \"" : ".SH \"");
    add_line(page, slice_of_text(heading), false);
    buf_add_text(page, "\"\n");
}

/* The next line of *text, without its end, which it loses. */
static struct slice next_line(struct slice *text)
{
    size_t len = slice_find(*text, '\n');
    struct slice line = slice_sub(*text, 0, len);
    *text = slice_sub(*text, len + 1, text->len);
    return line;
}

void roff_add_text(struct buf *page, struct slice text)
{
    bool is_as_it_is = false;
    while (text.len > 0) {
        struct slice line = next_line(&text);
        bool stays = line.len > 0 && line.ptr[0] == ' ';
        if (stays != is_as_it_is && line.len > 0) {
            buf_add_text(page, stays ? ".nf\n" : ".fi\n");
            is_as_it_is = stays;
        }
        if (line.len == 0) {
            buf_add_text(page, ".sp\n");
            continue;
        }
        add_line(page, line, true);
        buf_add_byte(page, '\n');
    }
    if (is_as_it_is)
        buf_add_text(page, ".fi\n");
}

void roff_add_code(struct buf *page, struct slice text)
{
    buf_add_text(page, ".EX\n");
    while (text.len > 0) {
        add_line(page, next_line(&text), false);
        buf_add_byte(page, '\n');
    }
    buf_add_text(page, ".EE\n");
}

void roff_add_item(struct buf *page, const char *term, const char *value)
{
    buf_add_text(page, ".TP\n\\fB");
    add_line(page, slice_of_text(term), false);
    buf_add_text(page, "\\fR");
    if (value != NULL) {
        buf_add_text(page, " \\fI");
        add_line(page, slice_of_text(value), false);
        buf_add_text(page, "\\fR");
    }
    buf_add_byte(page, '\n');
}
