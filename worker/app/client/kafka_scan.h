/* Reads a topic from one time to another, all partitions, as fast as librdkafka does: in batches
 * that borrow its memory. Only committed records. The partitions advance together: none is read
 * more than SCAN_APART_MS of its records' time ahead of the slowest one that has more. It ends at
 * the end that the topic had at the beginning, or follows it. One thread; calls block up to their
 * time-out. */
#ifndef APP_CLIENT_KAFKA_SCAN_H
#define APP_CLIENT_KAFKA_SCAN_H

#include "app/client/kafka_client.h"

#define SCAN_BATCH    1000 /* records at once */
#define SCAN_APART_MS (INT64_C(3600) * 1000)
#define SCAN_START    INT64_MIN /* of a window: the topic's beginning */
#define SCAN_END      INT64_MAX /* its end */

struct scan;

struct scan_window {
    struct slice topic;
    int64_t since_ms, until_ms; /* by the records' timestamps; later records may come, too */
    bool follows;               /* does not end at the topic's end; until_ms is then SCAN_END */
};

struct scan_record {
    int32_t partition;
    int64_t offset;
    struct slice value; /* null = none */
};

struct scan_batch {
    struct scan_record records[SCAN_BATCH];
    size_t count;
    int64_t now_ms; /* how far the reading has come: all partitions have reached this time */
};

/* Begins; borrows the settings. NULL: ret_reason (CLIENT_REASON_MAX) says why, with what to do. */
MUST_CHECK struct scan *scan_new(const struct settings *settings, const struct scan_window *window,
                                 int64_t timeout_ms, char *ret_reason);
void scan_free(struct scan *scan); /* NULL is fine */
/* Reads some records, which are borrowed until the next call; none may come in the time. ERR_IO:
 * scan_reason says why. */
MUST_CHECK enum err scan_next(struct scan *scan, int64_t timeout_ms, struct scan_batch *ret_batch);
const char *scan_reason(const struct scan *scan);
/* All was read that was there at the beginning? */
bool scan_is_over(const struct scan *scan);
/* Offsets that were read, and all that there are to read: records, and a few that are none. */
void scan_progress(const struct scan *scan, int64_t *ret_done, int64_t *ret_all);

#endif
