/* Any bytes as the headers of a record: a name's number, the value's length (255 = null), the
 * value, and so on. Whatever they hold, an error response can be written. */
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "wire/chat/request.h"

#define ARENA_LIMIT ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"ce_id", "ce_expirytime", "kafka_replyTopic",
                                    "kafka_replyPartition", "other"};

static size_t read_headers(struct slice rest, struct header *list, size_t room)
{
    size_t count = 0;
    while (rest.len >= 2 && count < room) {
        size_t name = (unsigned char)rest.ptr[0], len = (unsigned char)rest.ptr[1];
        struct slice value = len == 255 ? SLICE_NULL : slice_sub(rest, 2, len);
        list[count++] = (struct header){slice_of_text(names[name % COUNT_OF(names)]), value};
        rest = slice_sub(rest, 2 + value.len, SIZE_MAX);
    }
    return count;
}

static void check_request(enum err err, const struct request *request, const struct why *why)
{
    CHECK(err == OK || err == ERR_INVALID || err == ERR_MALFORMED || err == ERR_REPLY_REFUSED);
    CHECK(why->err == err);
    CHECK(request->id.len > 0 && utf8_count(request->id) <= REQUEST_ID_MAX);
    CHECK(utf8_valid_len(request->id) == request->id.len);
    CHECK(slice_equal_text(request->tenant, "default"));
    CHECK(request->reply_partition >= -1);
    CHECK(request->reply_partition == -1 || request->reply_topic.ptr != NULL);
    for (size_t i = 0; i < request->reply_topic.len; i++)
        CHECK(request->reply_topic.ptr[i] > ' ' && request->reply_topic.ptr[i] < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct header list[HEADERS_MAX + 8];
    int64_t live = memory_live();
    struct record record = {.topic = SLICE("q"), .timestamp_type = TIMESTAMP_CREATE};
    struct arena arena;
    struct request request;
    struct why why;
    record.headers.list = list;
    record.headers.count = read_headers(slice_of(data, size), list, COUNT_OF(list));
    arena_init(&arena, ARENA_LIMIT);
    enum err err = request_from_headers(&arena, &record, &request, &why);
    check_request(err, &request, &why);
    arena_done(&arena);
    CHECK(memory_live() == live);
    return 0;
}
