#include "base/wrap.h"

#include "base/utf8.h"

#define ROOM_MIN 8 /* columns beside the indent, even on a narrower page */

struct wrapping {
    struct buf *buf;
    size_t indent, columns;
    size_t column;   /* of the next character */
    bool is_started; /* the current line's indent is written */
};

static void end_line(struct wrapping *wrapping)
{
    buf_add_byte(wrapping->buf, '\n');
    wrapping->column = wrapping->indent;
    wrapping->is_started = false;
}

static void add_blanks(struct wrapping *wrapping, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_add_byte(wrapping->buf, ' ');
}

/* Adds characters, which must fit into the line. */
static void add_piece(struct wrapping *wrapping, struct slice piece)
{
    if (!wrapping->is_started)
        add_blanks(wrapping, wrapping->indent);
    wrapping->is_started = true;
    buf_add(wrapping->buf, piece);
    wrapping->column += utf8_count(piece);
}

/* The first `count` characters of a text that has more of them. */
static struct slice first_characters(struct slice text, size_t count)
{
    size_t len = 0;
    while (count-- > 0)
        do
            len++;
        while (len < text.len && ((unsigned char)text.ptr[len] & 0xc0) == 0x80);
    return slice_sub(text, 0, len);
}

static void add_word(struct wrapping *wrapping, struct slice word, size_t blanks)
{
    size_t width = utf8_count(word);
    bool is_first = wrapping->column == wrapping->indent;
    if (!is_first && wrapping->column + blanks + width > wrapping->columns) {
        end_line(wrapping);
        blanks = 0;
    }
    if (wrapping->column + blanks + width <= wrapping->columns && blanks > 0) {
        if (!wrapping->is_started)
            add_blanks(wrapping, wrapping->indent);
        wrapping->is_started = true;
        add_blanks(wrapping, blanks);
        wrapping->column += blanks;
    }
    while (wrapping->column + utf8_count(word) > wrapping->columns) {
        struct slice piece = first_characters(word, wrapping->columns - wrapping->column);
        add_piece(wrapping, piece);
        end_line(wrapping);
        word = slice_sub(word, piece.len, word.len);
    }
    add_piece(wrapping, word);
}

void wrap_add(struct buf *buf, struct slice text, size_t indent, size_t columns)
{
    struct wrapping wrapping = {
        .buf = buf,
        .indent = indent,
        .columns = columns > indent + ROOM_MIN ? columns : indent + ROOM_MIN,
        .column = indent,
        .is_started = true,
    };
    size_t blanks = 0;
    for (size_t at = 0; at < text.len;) {
        char byte = text.ptr[at];
        size_t len = 0;
        if (byte == '\n' || byte == ' ') {
            blanks = byte == ' ' ? blanks + 1 : 0;
            if (byte == '\n')
                end_line(&wrapping);
            at++;
            continue;
        }
        while (at + len < text.len && text.ptr[at + len] != ' ' && text.ptr[at + len] != '\n')
            len++;
        add_word(&wrapping, slice_sub(text, at, len), blanks);
        blanks = 0;
        at += len;
    }
}
