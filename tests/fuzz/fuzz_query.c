/* Any bytes as the query of a page's address: reading them has no effect but a value or none, and
 * what was read is written so that it is read again. */
#include <stdint.h>
#include <stdlib.h>

#include "app/pages/query.h"
#include "base/check.h"
#include "base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_value(struct slice query, const char *name)
{
    struct buf value OWNED_BY(buf_done), again OWNED_BY(buf_done), written OWNED_BY(buf_done);
    struct explain_query position;
    buf_init(&value, QUERY_VALUE_MAX);
    buf_init(&again, QUERY_VALUE_MAX);
    buf_init(&written, 4 * QUERY_VALUE_MAX);
    if (!query_value(query, name, &value))
        return;
    CHECK(value.len <= query.len);
    buf_addf(&written, "%s=", name);
    query_add_value(&written, buf_slice(&value));
    CHECK(query_value(buf_slice(&written), name, &again));
    CHECK(slice_equal(buf_slice(&again), buf_slice(&value)));
    if (query_position(buf_slice(&value), &position))
        CHECK(position.partition >= 0 && position.offset >= 0 && position.text.len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t live = memory_live();
    struct slice query = slice_of(data, size);
    check_value(query, "id");
    check_value(query, "key");
    check_value(query, "position");
    CHECK(memory_live() == live);
    return 0;
}
