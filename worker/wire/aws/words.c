#include "wire/aws/words.h"

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Reads the word at *at and appends its characters to `word`, which has room for the rest of the
 * text. */
static enum err read_word(struct slice text, size_t *at, char *word, size_t *ret_len)
{
    char quote = '\0';
    *ret_len = 0;
    while (*at < text.len && (quote != '\0' || !is_blank(text.ptr[*at]))) {
        char byte = text.ptr[(*at)++];
        if (byte == quote) {
            quote = '\0';
        } else if (quote == '\0' && (byte == '"' || byte == '\'')) {
            quote = byte;
        } else if (byte == '\\' && quote != '\'') {
            if (*at == text.len)
                return ERR_FORMAT;
            char next = text.ptr[(*at)++];
            if (quote == '"' && next != '"' && next != '\\')
                word[(*ret_len)++] = '\\';
            word[(*ret_len)++] = next;
        } else {
            word[(*ret_len)++] = byte;
        }
    }
    return quote == '\0' ? OK : ERR_FORMAT;
}

enum err words_split(struct arena *arena, struct slice text, struct slice *ret_words, size_t max,
                     size_t *ret_count)
{
    /* No word is longer than what it is read from, so one block holds all with their NULs. */
    char *room = arena_new(arena, 2 * text.len + 1);
    if (room == NULL)
        return ERR_NO_MEMORY;
    *ret_count = 0;
    for (size_t at = 0; at < text.len;) {
        if (is_blank(text.ptr[at])) {
            at++;
            continue;
        }
        size_t len;
        enum err err = *ret_count == max ? ERR_TOO_LARGE : read_word(text, &at, room, &len);
        if (err != OK)
            return err;
        ret_words[(*ret_count)++] = slice_of(room, len);
        room[len] = '\0';
        room += len + 1;
    }
    return OK;
}
