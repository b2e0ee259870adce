/* The source tree as the tests about it see it: files of a folder, their text, their lines, their
 * text without comments and literals. Violations are collected as lines in a report, so that a test
 * shows all of them at once. */
#ifndef UNIT_SOURCES_H
#define UNIT_SOURCES_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/slice.h"

#define SOURCE_BYTES_MAX ((size_t)4 << 20)
#define REPORT_BYTES_MAX ((size_t)1 << 20)

/* `name` is the file's, without the folder. */
typedef void source_visitor(const char *folder, const char *name, struct slice text, void *self);

static inline bool source_read(const char *path, struct buf *ret_text)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    char piece[4096];
    size_t got;
    while ((got = fread(piece, 1, sizeof piece, file)) > 0)
        buf_add(ret_text, slice_of(piece, got));
    bool whole = feof(file) != 0;
    (void)fclose(file);
    return whole && ret_text->failed == OK;
}

static inline bool source_has_kind(const char *name)
{
    struct slice file = slice_of_text(name);
    return slice_ends(file, SLICE(".c")) || slice_ends(file, SLICE(".h")) ||
           slice_ends(file, SLICE(".def"));
}

/* Every .c, .h and .def file in SOURCE_DIR/folder and the folders below it; returns how many. A
 * file that cannot be read is fatal. */
static inline size_t sources_visit(const char *folder, source_visitor *visit, void *self)
{
    char path[4096];
    size_t count = 0;
    (void)snprintf(path, sizeof path, "%s/%s", SOURCE_DIR, folder);
    DIR *directory = opendir(path);
    struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.') {
            (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            count += sources_visit(path, visit, self);
            continue;
        }
        if (!source_has_kind(entry->d_name))
            continue;
        struct buf text OWNED_BY(buf_done);
        buf_init(&text, SOURCE_BYTES_MAX);
        (void)snprintf(path, sizeof path, "%s/%s/%s", SOURCE_DIR, folder, entry->d_name);
        CHECK(source_read(path, &text));
        visit(folder, entry->d_name, buf_slice(&text), self);
        count++;
    }
    if (directory != NULL)
        (void)closedir(directory);
    return count;
}

/* Takes the first line off `rest`, without its newline; false when nothing is left. */
static inline bool source_next_line(struct slice *rest, struct slice *ret_line)
{
    if (rest->len == 0)
        return false;
    size_t end = slice_find(*rest, '\n');
    *ret_line = slice_sub(*rest, 0, end);
    *rest = slice_sub(*rest, end + 1, SIZE_MAX);
    return true;
}

/* Only the code: comments and the contents of string and character literals become blanks; newlines
 * stay. */
static inline void source_strip(struct slice text, struct buf *ret_code)
{
    enum { CODE, STRING, LETTER, BLOCK_COMMENT, LINE_COMMENT } in = CODE;
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i], next = i + 1 < text.len ? text.ptr[i + 1] : '\0';
        bool kept = in == CODE;
        if (in == CODE && byte == '/' && (next == '*' || next == '/')) {
            in = next == '*' ? BLOCK_COMMENT : LINE_COMMENT;
            kept = false;
        } else if (in == CODE && (byte == '"' || byte == '\'')) {
            in = byte == '"' ? STRING : LETTER;
        } else if ((in == STRING || in == LETTER) && byte == '\\') {
            buf_add_byte(ret_code, ' ');
            i++;
        } else if ((in == STRING && byte == '"') || (in == LETTER && byte == '\'')) {
            in = CODE;
            kept = true;
        } else if (in == BLOCK_COMMENT && byte == '*' && next == '/') {
            buf_add_byte(ret_code, ' ');
            i++;
            in = CODE;
        } else if (in == LINE_COMMENT && byte == '\n') {
            in = CODE;
        }
        buf_add_byte(ret_code, kept || byte == '\n' ? byte : ' ');
    }
}

#endif
