#include "wire/aws/document.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/instant.h"

#define CODE_MAX    64
#define SECONDS_MAX (INT64_C(10) * 366 * 86400)

enum err document_fail(struct document_fault *ret_fault, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(ret_fault->words, sizeof ret_fault->words, format, args);
    va_end(args);
    return ERR_FORMAT;
}

struct slice document_code(struct slice text)
{
    size_t len = 0;
    for (; len < text.len && len < CODE_MAX; len++) {
        char byte = text.ptr[len];
        bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        if (!is_letter && !(byte >= '0' && byte <= '9') && byte != '_' && byte != '-' &&
            byte != '.')
            break;
    }
    return slice_sub(text, 0, len);
}

enum err document_parse(struct arena *arena, struct slice text, const struct json **ret_root,
                        struct document_fault *ret_fault)
{
    struct json_fault fault;
    enum err err = json_parse(arena, text, ret_root, &fault);
    if (err == ERR_FORMAT)
        return document_fail(ret_fault, "it is not valid JSON at line %zu, column %zu", fault.line,
                             fault.column);
    if (err != OK)
        return err;
    return json_is(*ret_root, JSON_OBJECT) ? OK
                                           : document_fail(ret_fault, "it is not a JSON object");
}

enum err document_read_texts(struct arena *arena, const struct json *object,
                             struct document_fault *ret_fault, ...)
{
    va_list args;
    va_start(args, ret_fault);
    enum err err = OK;
    for (const char *name; err == OK && (name = va_arg(args, const char *)) != NULL;) {
        struct slice *value = va_arg(args, struct slice *);
        const struct json *member = json_member(object, name);
        if (!json_is(member, JSON_STRING))
            err = document_fail(ret_fault, "it has no %s", name);
        else if (!json_string(arena, member, value))
            err = ERR_NO_MEMORY;
        else if (value->len == 0)
            err = document_fail(ret_fault, "its %s is empty", name);
    }
    va_end(args);
    return err;
}

bool document_read_optional(struct arena *arena, const struct json *object, const char *name,
                            struct slice *ret_value)
{
    const struct json *member = json_member(object, name);
    *ret_value = SLICE_NULL;
    if (!json_is(member, JSON_STRING))
        return true;
    if (!json_string(arena, member, ret_value))
        return false;
    if (ret_value->len == 0)
        *ret_value = SLICE_NULL;
    return true;
}

enum err document_read_instant(struct arena *arena, const struct json *object, const char *name,
                               int64_t *ret_wall_ms, struct document_fault *ret_fault)
{
    struct slice text;
    enum err err = document_read_texts(arena, object, ret_fault, name, &text, (const char *)NULL);
    if (err != OK)
        return err;
    char copy[40]; /* more than any form of an instant */
    slice_write(text, copy, sizeof copy);
    if (slice_ends(text, SLICE("UTC")) && text.len < sizeof copy) {
        text = slice_of(copy, text.len - 2);
        copy[text.len - 1] = 'Z';
    }
    return instant_from_rfc3339(text, ret_wall_ms)
               ? OK
               : document_fail(ret_fault, "its %s is not an RFC 3339 date and time", name);
}

enum err document_read_seconds(const struct json *object, const char *name, int64_t now_wall_ms,
                               int64_t *ret_wall_ms, struct document_fault *ret_fault)
{
    int64_t seconds;
    const struct json *member = json_member(object, name);
    if (!json_is(member, JSON_NUMBER))
        return document_fail(ret_fault, "it has no %s", name);
    if (!json_int64(member, &seconds) || seconds < 1 || seconds > SECONDS_MAX)
        return document_fail(ret_fault, "its %s is not a number of seconds", name);
    *ret_wall_ms = now_wall_ms + seconds * 1000;
    return OK;
}

void document_add_instant(struct buf *buf, int64_t wall_ms)
{
    size_t decimals = sizeof ".000Z" - 1;
    instant_add_rfc3339(buf, wall_ms);
    if (buf->failed != OK || buf->len < decimals)
        return;
    buf_cut(buf, buf->len - decimals);
    buf_add_byte(buf, 'Z');
}

void document_add_escaped(struct buf *buf, struct slice text)
{
    static const char DIGITS[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                        (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' ||
                        byte == '~';
        if (is_plain) {
            buf_add_byte(buf, (char)byte);
            continue;
        }
        buf_add_byte(buf, '%');
        buf_add_byte(buf, DIGITS[byte >> 4]);
        buf_add_byte(buf, DIGITS[byte & 15]);
    }
}
