#include "app/pages/query.h"

#include "wire/formats/text.h"

static int hex_digit(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    char lower = (char)(byte | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool add_decoded(struct slice coded, struct buf *ret_value)
{
    for (size_t i = 0; i < coded.len; i++) {
        char byte = coded.ptr[i];
        if (byte == '%') {
            int high = i + 2 < coded.len ? hex_digit(coded.ptr[i + 1]) : -1;
            int low = i + 2 < coded.len ? hex_digit(coded.ptr[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            byte = (char)(high * 16 + low);
            i += 2;
        } else if (byte == '+') {
            byte = ' ';
        }
        buf_add_byte(ret_value, byte);
    }
    return ret_value->failed == OK;
}

bool query_value(struct slice query, const char *name, struct buf *ret_value)
{
    while (query.len > 0) {
        size_t end = slice_find(query, '&');
        struct slice pair = slice_sub(query, 0, end);
        size_t equals = slice_find(pair, '=');
        if (slice_equal_text(slice_sub(pair, 0, equals), name))
            return add_decoded(slice_sub(pair, equals + 1, SIZE_MAX), ret_value);
        query = slice_sub(query, end + 1, SIZE_MAX);
    }
    return false;
}

static bool is_plain(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '/';
}

void query_add_value(struct buf *query, struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (is_plain(value.ptr[i]))
            buf_add_byte(query, value.ptr[i]);
        else
            buf_addf(query, "%%%02X", (unsigned)(unsigned char)value.ptr[i]);
    }
}

/* A whole number from 0 to `max`, without signs. */
static bool read_number(struct slice text, int64_t max, int64_t *ret_number)
{
    int64_t number = 0;
    for (size_t i = 0; i < text.len; i++) {
        int digit = text.ptr[i] - '0';
        if (digit < 0 || digit > 9 || number > (max - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *ret_number = number;
    return text.len > 0;
}

bool query_position(struct slice text, struct explain_query *ret_query)
{
    int64_t partition, offset;
    size_t first = slice_find(text, '/');
    struct slice rest = slice_sub(text, first + 1, SIZE_MAX);
    size_t second = slice_find(rest, '/');
    struct slice topic = slice_sub(text, 0, first);
    if (!text_is_topic(topic) || !read_number(slice_sub(rest, 0, second), INT32_MAX, &partition) ||
        !read_number(slice_sub(rest, second + 1, SIZE_MAX), INT64_MAX, &offset))
        return false;
    *ret_query = (struct explain_query){
        .kind = EXPLAIN_POSITION, .text = topic, .partition = (int32_t)partition, .offset = offset};
    return true;
}
