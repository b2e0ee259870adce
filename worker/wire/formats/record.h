/* A Kafka record as the floors above io see it: the bytes, borrowed, and where it came from. And
 * headers: an ordered list with repetition; a value may be null (ptr NULL) or empty. */
#ifndef WIRE_FORMATS_RECORD_H
#define WIRE_FORMATS_RECORD_H

#include "base/arena.h"
#include "base/slice.h"

/* More on a request: malformed. They are kept all the same, for its dead letter. */
#define HEADERS_MAX       256
#define HEADERS_BYTES_MAX 65536 /* names and values together */

struct header {
    struct slice name, value;
};

struct headers {
    const struct header *list;
    size_t count;
};

enum timestamp_type { TIMESTAMP_NONE, TIMESTAMP_CREATE, TIMESTAMP_APPEND };

struct record {
    struct slice topic;
    int32_t partition;
    int64_t offset;
    int32_t leader_epoch; /* of the broker that took it; -1 = unknown */
    int64_t timestamp_ms;
    enum timestamp_type timestamp_type;
    struct slice key, value; /* null or empty are different things */
    struct headers headers;
    struct slice traceparent; /* of what answers it; null = its own header's */
    size_t headers_sent;      /* more than headers.count: the copy lacks some */
};

/* The last header of that name (Kafka's rule), or NULL. Case counts. */
const struct header *headers_last(struct headers headers, const char *name);
/* Its value, if that says something; else the null slice. */
struct slice headers_text(struct headers headers, const char *name);
/* What a copy of them takes in an arena, beside the rounding of one allocation. */
size_t headers_copy_bytes(struct headers headers);
/* A deep copy in the arena; false when out of memory. */
MUST_CHECK bool record_copy(struct arena *arena, const struct record *record,
                            struct record *ret_copy);

#endif
