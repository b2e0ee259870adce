#include "wire/bedrock/eventstream.h"

#include "base/check.h"
#include "wire/formats/hash.h"

#define PRELUDE_LEN   12 /* total, headers, CRC of both */
#define CRC_LEN       4
#define FRAME_LEN_MIN (PRELUDE_LEN + CRC_LEN)

enum value_type {
    TYPE_TRUE,
    TYPE_FALSE,
    TYPE_INT8,
    TYPE_INT16,
    TYPE_INT32,
    TYPE_INT64,
    TYPE_BYTES,
    TYPE_STRING,
    TYPE_TIMESTAMP,
    TYPE_UUID,
    TYPE_COUNT
};

#define LEN_BY_TWO_BYTES (-1)

static const int VALUE_LEN[TYPE_COUNT] = {
    [TYPE_TRUE] = 0,
    [TYPE_FALSE] = 0,
    [TYPE_INT8] = 1,
    [TYPE_INT16] = 2,
    [TYPE_INT32] = 4,
    [TYPE_INT64] = 8,
    [TYPE_BYTES] = LEN_BY_TWO_BYTES,
    [TYPE_STRING] = LEN_BY_TWO_BYTES,
    [TYPE_TIMESTAMP] = 8,
    [TYPE_UUID] = 16,
};

static uint32_t read_u32(const char *ptr)
{
    const uint8_t *bytes = (const uint8_t *)ptr;
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
           (uint32_t)bytes[3];
}

void event_reader_init(struct event_reader *reader, size_t limit)
{
    *reader = (struct event_reader){.limit = limit, .broken = OK};
    buf_init(&reader->pending, SIZE_MAX / 2);
}

void event_reader_done(struct event_reader *reader)
{
    buf_done(&reader->pending);
    reader->taken = 0;
}

enum err event_reader_hear(struct event_reader *reader, struct slice bytes)
{
    if (reader->broken != OK)
        return OK;
    buf_drop_front(&reader->pending, reader->taken);
    reader->taken = 0;
    if (reader->pending.len > reader->limit)
        return ERR_TOO_LARGE;
    buf_add(&reader->pending, bytes);
    return reader->pending.failed;
}

bool event_reader_is_between(const struct event_reader *reader)
{
    return reader->broken == OK && reader->taken == reader->pending.len;
}

struct header {
    struct slice name;
    struct slice value;
    uint8_t type;
};

/* Reads one header at the front of `rest` and moves it on. */
static bool read_header(struct slice *rest, struct header *ret_header)
{
    size_t name_len = rest->len > 0 ? (uint8_t)rest->ptr[0] : 0;
    size_t at = 1 + name_len;
    if (name_len == 0 || rest->len <= at)
        return false;
    uint8_t type = (uint8_t)rest->ptr[at];
    if (type >= TYPE_COUNT)
        return false;
    struct slice name = slice_sub(*rest, 1, name_len);
    at++;
    size_t value_len;
    if (VALUE_LEN[type] == LEN_BY_TWO_BYTES) {
        if (rest->len - at < 2)
            return false;
        value_len = (size_t)(uint8_t)rest->ptr[at] << 8 | (uint8_t)rest->ptr[at + 1];
        at += 2;
    } else {
        value_len = (size_t)VALUE_LEN[type];
    }
    if (rest->len - at < value_len)
        return false;
    *ret_header = (struct header){name, slice_sub(*rest, at, value_len), type};
    *rest = slice_sub(*rest, at + value_len, rest->len);
    return true;
}

static enum event_kind kind_of(struct slice message_type)
{
    if (slice_equal_text(message_type, "event"))
        return EVENT_KIND_EVENT;
    if (slice_equal_text(message_type, "exception"))
        return EVENT_KIND_EXCEPTION;
    if (slice_equal_text(message_type, "error"))
        return EVENT_KIND_ERROR;
    return EVENT_KIND_OTHER;
}

/* The value of the text header `name`; null when there is none. */
static struct slice text_of(const struct header *headers, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (headers[i].type == TYPE_STRING && slice_equal_text(headers[i].name, name))
            return headers[i].value;
    }
    return SLICE_NULL;
}

static void set_meaning(const struct header *headers, size_t count, struct event *ret_event)
{
    static const char *const TYPE_HEADERS[] = {
        [EVENT_KIND_EVENT] = ":event-type",
        [EVENT_KIND_EXCEPTION] = ":exception-type",
        [EVENT_KIND_ERROR] = ":error-code",
        [EVENT_KIND_OTHER] = ":event-type",
    };
    ret_event->kind = kind_of(text_of(headers, count, ":message-type"));
    ret_event->type = text_of(headers, count, TYPE_HEADERS[ret_event->kind]);
    ret_event->message = text_of(headers, count, ":error-message");
    ret_event->content_type = text_of(headers, count, ":content-type");
}

/* false: a header that cannot be, two of one name, or too many. */
static bool read_headers(struct slice bytes, struct event *ret_event)
{
    struct header headers[EVENT_HEADERS_MAX];
    size_t count = 0;
    while (bytes.len > 0) {
        if (count == EVENT_HEADERS_MAX || !read_header(&bytes, &headers[count]))
            return false;
        for (size_t i = 0; i < count; i++) {
            if (slice_equal(headers[i].name, headers[count].name))
                return false;
        }
        count++;
    }
    set_meaning(headers, count, ret_event);
    return true;
}

static enum err broken(struct event_reader *reader, enum err err)
{
    reader->broken = err;
    return err;
}

enum err event_reader_next(struct event_reader *reader, struct event *ret_event)
{
    if (reader->broken != OK)
        return reader->broken;
    struct slice left = slice_sub(buf_slice(&reader->pending), reader->taken, SIZE_MAX);
    if (left.len < PRELUDE_LEN)
        return ERR_NOT_FOUND;
    /* Nothing the lengths say is believed before their own CRC agrees. */
    if (hash_crc32(0, slice_sub(left, 0, 8)) != read_u32(left.ptr + 8))
        return broken(reader, ERR_BROKEN_STREAM);
    size_t total = read_u32(left.ptr);
    size_t headers_len = read_u32(left.ptr + 4);
    if (total < FRAME_LEN_MIN || headers_len > EVENT_HEADERS_BYTES_MAX ||
        headers_len > total - FRAME_LEN_MIN ||
        total - FRAME_LEN_MIN - headers_len > EVENT_PAYLOAD_BYTES_MAX)
        return broken(reader, ERR_BROKEN_STREAM);
    if (total > reader->limit)
        return broken(reader, ERR_TOO_LARGE);
    if (left.len < total)
        return ERR_NOT_FOUND;
    if (hash_crc32(0, slice_sub(left, 0, total - CRC_LEN)) != read_u32(left.ptr + total - CRC_LEN))
        return broken(reader, ERR_BROKEN_STREAM);
    struct event event;
    if (!read_headers(slice_sub(left, PRELUDE_LEN, headers_len), &event))
        return broken(reader, ERR_BROKEN_STREAM);
    event.payload = slice_sub(left, PRELUDE_LEN + headers_len, total - FRAME_LEN_MIN - headers_len);
    reader->taken += total;
    *ret_event = event;
    return OK;
}

static void add_u32(struct buf *buf, size_t value)
{
    const char bytes[4] = {(char)(value >> 24), (char)(value >> 16), (char)(value >> 8),
                           (char)value};
    buf_add(buf, slice_of(bytes, sizeof bytes));
}

void event_add(struct buf *buf, const struct event_header *headers, size_t count,
               struct slice payload)
{
    size_t start = buf->len;
    size_t headers_len = 0;
    for (size_t i = 0; i < count; i++) {
        size_t name_len = slice_of_text(headers[i].name).len;
        CHECK(name_len > 0 && name_len <= UINT8_MAX);
        CHECK(headers[i].value.len <= UINT16_MAX);
        headers_len += 4 + name_len + headers[i].value.len;
    }
    CHECK(headers_len <= EVENT_HEADERS_BYTES_MAX);
    CHECK(payload.len <= EVENT_PAYLOAD_BYTES_MAX);
    add_u32(buf, FRAME_LEN_MIN + headers_len + payload.len);
    add_u32(buf, headers_len);
    if (buf->failed != OK)
        return;
    add_u32(buf, hash_crc32(0, slice_of(buf->ptr + start, 8)));
    for (size_t i = 0; i < count; i++) {
        struct slice name = slice_of_text(headers[i].name);
        buf_add_byte(buf, (char)name.len);
        buf_add(buf, name);
        buf_add_byte(buf, TYPE_STRING);
        buf_add_byte(buf, (char)(headers[i].value.len >> 8));
        buf_add_byte(buf, (char)headers[i].value.len);
        buf_add(buf, headers[i].value);
    }
    buf_add(buf, payload);
    if (buf->failed != OK)
        return;
    add_u32(buf, hash_crc32(0, slice_of(buf->ptr + start, buf->len - start)));
}
