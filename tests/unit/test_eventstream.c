/* wire/bedrock/eventstream.c against what botocore reads (tests/vectors/make.py). */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "unit/torture.h"
#include "wire/bedrock/eventstream.h"
#include "wire/formats/hash.h"

#define FRAME_LIMIT (1 << 20)

struct vector {
    const char *name;
    int events;
    bool broken;
    const char *kind, *type;
    size_t payload_len;
    uint32_t payload_crc;
};

static const struct vector VECTORS[] = {
#define STREAM(...) {__VA_ARGS__},
#include "vectors/eventstream.inc"
#undef STREAM
};

static struct buf file;

static struct slice read_vector(const char *name)
{
    char path[512];
    char room[4096];
    (void)snprintf(path, sizeof path, "%s/vectors/eventstream/%s.bin", TESTS_DIR, name);
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    buf_init(&file, FRAME_LIMIT);
    for (size_t len; (len = fread(room, 1, sizeof room, stream)) > 0;)
        buf_add(&file, slice_of(room, len));
    assert_int_equal(fclose(stream), 0);
    assert_int_equal(file.failed, OK);
    return buf_slice(&file);
}

/* The events of a stream; the parts of the last event are copied, because the slices do not
 * last. */
struct seen {
    int events;
    enum err err;
    bool between;
    enum event_kind kind;
    uint32_t type_crc, payload_crc;
    size_t payload_len;
};

/* Feeds the bytes in pieces of `step`, and takes events out after each. */
static struct seen feed(struct slice bytes, size_t step, size_t limit)
{
    struct event_reader reader;
    struct event event;
    struct seen seen = {.err = ERR_NOT_FOUND};
    event_reader_init(&reader, limit);
    for (size_t at = 0; at < bytes.len && seen.err == ERR_NOT_FOUND; at += step) {
        assert_int_equal(event_reader_hear(&reader, slice_sub(bytes, at, step)), OK);
        while ((seen.err = event_reader_next(&reader, &event)) == OK) {
            seen.events++;
            seen.kind = event.kind;
            seen.type_crc = hash_crc32(0, event.type);
            seen.payload_crc = hash_crc32(0, event.payload);
            seen.payload_len = event.payload.len;
        }
    }
    assert_int_equal(event_reader_next(&reader, &event), seen.err);
    seen.between = event_reader_is_between(&reader);
    event_reader_done(&reader);
    return seen;
}

static enum event_kind kind_named(const char *name)
{
    static const char *const NAMES[] = {"event", "exception", "error"};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (strcmp(NAMES[i], name) == 0)
            return (enum event_kind)i;
    }
    return EVENT_KIND_OTHER;
}

static void frames_are_read_as_botocore_reads_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(VECTORS); i++) {
        const struct vector *vector = &VECTORS[i];
        struct slice bytes = read_vector(vector->name);
        struct seen seen = feed(bytes, bytes.len, FRAME_LIMIT);
        if (seen.events != vector->events)
            print_message("%s\n", vector->name);
        assert_int_equal(seen.events, vector->events);
        assert_int_equal(seen.err, vector->broken ? ERR_BROKEN_STREAM : ERR_NOT_FOUND);
        if (vector->events > 0) {
            assert_int_equal(seen.kind, kind_named(vector->kind));
            assert_int_equal(seen.type_crc, hash_crc32(0, slice_of_text(vector->type)));
            assert_int_equal(seen.payload_len, vector->payload_len);
            assert_int_equal(seen.payload_crc, vector->payload_crc);
        }
        buf_done(&file);
    }
}

/* botocore takes a stream that ends within a frame for complete; the worker does not. */
static void an_end_within_a_frame_is_an_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(VECTORS); i++) {
        const struct vector *vector = &VECTORS[i];
        struct slice bytes = read_vector(vector->name);
        bool whole = !vector->broken && strncmp(vector->name, "cut_", 4) != 0;
        assert_int_equal(feed(bytes, bytes.len, FRAME_LIMIT).between, whole);
        buf_done(&file);
    }
}

static void events_do_not_depend_on_how_bytes_arrive(void **state)
{
    (void)state;
    static const size_t STEPS[] = {1, 2, 3, 5, 11, 12, 13, 64, 1000};
    for (size_t i = 0; i < COUNT_OF(VECTORS); i++) {
        struct slice bytes = read_vector(VECTORS[i].name);
        struct seen whole = feed(bytes, bytes.len, FRAME_LIMIT);
        for (size_t step = bytes.len > 40000 ? COUNT_OF(STEPS) - 1 : 0; step < COUNT_OF(STEPS);
             step++) {
            struct seen seen = feed(bytes, STEPS[step], FRAME_LIMIT);
            assert_int_equal(seen.events, whole.events);
            assert_int_equal(seen.err, whole.err);
            assert_int_equal(seen.between, whole.between);
            assert_int_equal(seen.type_crc, whole.type_crc);
            assert_int_equal(seen.payload_crc, whole.payload_crc);
        }
        buf_done(&file);
    }
}

static void every_flipped_bit_is_detected(void **state)
{
    (void)state;
    struct slice bytes = read_vector("one_event");
    for (size_t bit = 0; bit < bytes.len * 8; bit++) {
        file.ptr[bit / 8] ^= (char)(1 << bit % 8);
        struct seen seen = feed(bytes, bytes.len, FRAME_LIMIT);
        assert_int_equal(seen.events, 0);
        assert_int_equal(seen.err, ERR_BROKEN_STREAM);
        file.ptr[bit / 8] ^= (char)(1 << bit % 8);
    }
    assert_int_equal(feed(bytes, bytes.len, FRAME_LIMIT).events, 1);
    buf_done(&file);
}

static void encoded_frames_are_read_back(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 11);
    for (int round = 0; round < 200; round++) {
        struct buf bytes OWNED_BY(buf_done);
        struct event_reader reader;
        struct event event;
        char payload[300];
        size_t payload_len = random_below(&random, sizeof payload);
        for (size_t i = 0; i < payload_len; i++)
            payload[i] = (char)random_next(&random);
        const struct event_header headers[] = {
            {":message-type", SLICE("exception")},
            {":exception-type", SLICE("throttlingException")},
            {":content-type", SLICE("application/json")},
        };
        buf_init(&bytes, FRAME_LIMIT);
        event_add(&bytes, headers, COUNT_OF(headers), SLICE(""));
        event_add(&bytes, headers, COUNT_OF(headers), slice_of(payload, payload_len));
        event_reader_init(&reader, FRAME_LIMIT);
        assert_int_equal(event_reader_hear(&reader, buf_slice(&bytes)), OK);
        assert_int_equal(event_reader_next(&reader, &event), OK);
        assert_int_equal(event.payload.len, 0);
        assert_int_equal(event_reader_next(&reader, &event), OK);
        assert_int_equal(event.kind, EVENT_KIND_EXCEPTION);
        assert_slice(event.type, "throttlingException");
        assert_slice(event.content_type, "application/json");
        assert_null(event.message.ptr);
        assert_true(slice_equal(event.payload, slice_of(payload, payload_len)));
        assert_true(event_reader_is_between(&reader));
        event_reader_done(&reader);
    }
}

static void an_error_event_has_its_message(void **state)
{
    (void)state;
    struct event_reader reader;
    struct event event;
    struct slice bytes = read_vector("an_error");
    event_reader_init(&reader, FRAME_LIMIT);
    assert_int_equal(event_reader_hear(&reader, bytes), OK);
    assert_int_equal(event_reader_next(&reader, &event), OK);
    assert_int_equal(event_reader_next(&reader, &event), OK);
    assert_int_equal(event.kind, EVENT_KIND_ERROR);
    assert_slice(event.type, "InternalError");
    assert_slice(event.message, "An internal error occurred.");
    event_reader_done(&reader);
    buf_done(&file);
}

static void too_many_headers_break_the_stream(void **state)
{
    (void)state;
    static char names[EVENT_HEADERS_MAX + 1][8];
    struct event_header headers[EVENT_HEADERS_MAX + 1];
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        (void)snprintf(names[i], sizeof names[i], "h%zu", i);
        headers[i] = (struct event_header){names[i], SLICE("v")};
    }
    for (size_t count = EVENT_HEADERS_MAX; count <= EVENT_HEADERS_MAX + 1; count++) {
        struct buf bytes OWNED_BY(buf_done);
        buf_init(&bytes, FRAME_LIMIT);
        event_add(&bytes, headers, count, SLICE("{}"));
        struct seen seen = feed(buf_slice(&bytes), bytes.len, FRAME_LIMIT);
        assert_int_equal(seen.err, count > EVENT_HEADERS_MAX ? ERR_BROKEN_STREAM : ERR_NOT_FOUND);
    }
}

static void a_frame_over_the_limit_is_too_large_but_not_corrupt(void **state)
{
    (void)state;
    struct buf bytes OWNED_BY(buf_done);
    static char payload[1000];
    buf_init(&bytes, FRAME_LIMIT);
    event_add(&bytes, NULL, 0, slice_of(payload, sizeof payload));
    assert_int_equal(feed(buf_slice(&bytes), 100, 1016).events, 1);
    assert_int_equal(feed(buf_slice(&bytes), 100, 1015).err, ERR_TOO_LARGE);
    assert_int_equal(feed(buf_slice(&bytes), 1016, 1015).err, ERR_TOO_LARGE);
}

static void unread_bytes_are_limited(void **state)
{
    (void)state;
    struct event_reader reader;
    static char bytes[600];
    event_reader_init(&reader, 1000);
    assert_int_equal(event_reader_hear(&reader, slice_of(bytes, sizeof bytes)), OK);
    assert_int_equal(event_reader_hear(&reader, slice_of(bytes, sizeof bytes)), OK);
    assert_int_equal(event_reader_hear(&reader, slice_of(bytes, sizeof bytes)), ERR_TOO_LARGE);
    event_reader_done(&reader);
}

static void a_broken_reader_drops_further_bytes(void **state)
{
    (void)state;
    struct event_reader reader;
    struct event event;
    struct slice bytes = read_vector("a_spoiled_prelude_crc");
    event_reader_init(&reader, FRAME_LIMIT);
    assert_int_equal(event_reader_hear(&reader, bytes), OK);
    assert_int_equal(event_reader_next(&reader, &event), OK);
    assert_int_equal(event_reader_next(&reader, &event), ERR_BROKEN_STREAM);
    size_t len = reader.pending.len;
    for (int i = 0; i < 10; i++)
        assert_int_equal(event_reader_hear(&reader, bytes), OK);
    assert_int_equal(reader.pending.len, len);
    assert_int_equal(event_reader_next(&reader, &event), ERR_BROKEN_STREAM);
    assert_false(event_reader_is_between(&reader));
    event_reader_done(&reader);
    buf_done(&file);
}

static bool reads(void *self)
{
    const struct slice *bytes = self;
    struct event_reader reader;
    struct event event;
    event_reader_init(&reader, FRAME_LIMIT);
    enum err err = OK;
    int events = 0;
    for (size_t at = 0; at < bytes->len && err == OK; at += 50) {
        err = event_reader_hear(&reader, slice_sub(*bytes, at, 50));
        while (err == OK && event_reader_next(&reader, &event) == OK)
            events++;
    }
    event_reader_done(&reader);
    assert_true(err == ERR_NO_MEMORY || events == 3);
    return err == OK;
}

static void failed_allocations_lose_no_event(void **state)
{
    (void)state;
    static char copy[1000];
    struct slice bytes = read_vector("several_events");
    memcpy(copy, bytes.ptr, bytes.len);
    bytes = slice_of(copy, bytes.len);
    buf_done(&file);
    assert_true(torture(reads, &bytes) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_read_as_botocore_reads_them),
        cmocka_unit_test(an_end_within_a_frame_is_an_error),
        cmocka_unit_test(events_do_not_depend_on_how_bytes_arrive),
        cmocka_unit_test(every_flipped_bit_is_detected),
        cmocka_unit_test(encoded_frames_are_read_back),
        cmocka_unit_test(an_error_event_has_its_message),
        cmocka_unit_test(too_many_headers_break_the_stream),
        cmocka_unit_test(a_frame_over_the_limit_is_too_large_but_not_corrupt),
        cmocka_unit_test(unread_bytes_are_limited),
        cmocka_unit_test(a_broken_reader_drops_further_bytes),
        cmocka_unit_test(failed_allocations_lose_no_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
