#include "wire/formats/text.h"

#include "base/attr.h"

bool text_is_topic(struct slice text)
{
    if (text.len == 0 || text.len > TEXT_TOPIC_MAX || slice_equal_text(text, ".") ||
        slice_equal_text(text, ".."))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        bool is_digit = byte >= '0' && byte <= '9';
        if (!is_letter && !is_digit && byte != '.' && byte != '_' && byte != '-')
            return false;
    }
    return true;
}

bool text_is_region(struct slice text)
{
    if (text.len == 0 || text.len > TEXT_REGION_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        if (!((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-'))
            return false;
    }
    return text.ptr[0] != '-' && text.ptr[text.len - 1] != '-';
}

bool text_has_control(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if (byte < 0x20 || byte == 0x7f)
            return true;
        if (byte == 0xc2 && i + 1 < text.len && (unsigned char)text.ptr[i + 1] < 0xa0)
            return true;
    }
    return false;
}

/* Bytes of the white space character that ends the text; 0 = it ends in something else. */
static size_t space_at_end(struct slice text)
{
    static const char *const wide[] = {
        "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\xa8",
        "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80",
    };
    unsigned char last = (unsigned char)text.ptr[text.len - 1];
    if (last < 0x80)
        return last == ' ' || (last >= '\t' && last <= '\r') || (last >= 0x1c && last <= 0x1f);
    for (size_t i = 0; i < COUNT_OF(wide); i++)
        if (slice_ends(text, slice_of_text(wide[i])))
            return slice_of_text(wide[i]).len;
    /* U+2000 to U+200A, the spaces of typesetting. */
    bool is_thin = text.len >= 3 && last >= 0x80 && last <= 0x8a &&
                   slice_ends(slice_sub(text, 0, text.len - 1), SLICE("\xe2\x80"));
    return is_thin ? 3 : 0;
}

struct slice text_trim_end(struct slice text)
{
    size_t space = 1;
    while (text.len > 0 && space > 0) {
        space = space_at_end(text);
        text.len -= space;
    }
    return text;
}

/* Bytes of the first character. */
static size_t first_len(struct slice text)
{
    unsigned char lead = (unsigned char)text.ptr[0];
    return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

struct slice text_trim(struct slice text)
{
    text = text_trim_end(text);
    while (text.len > 0 && space_at_end(slice_sub(text, 0, first_len(text))) > 0)
        text = slice_sub(text, first_len(text), SIZE_MAX);
    return text;
}

bool text_is_blank(struct slice text)
{
    return text_trim_end(text).len == 0;
}
