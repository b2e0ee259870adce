/* Which partition stands still: it has records, the engine has room and holds no request of it, and
 * for STILL_MS nothing came. librdkafka fetches each partition for itself, so one may stop alone
 * while the others go on; only a new client mends that, so the liveness probe fails. A partition
 * whose requests wait does not stand still, nor does one at the end that the broker named (records
 * of an open transaction are above it), nor any while no broker can be reached. Pure. */
#ifndef IO_KAFKA_STILL_H
#define IO_KAFKA_STILL_H

#include <stdbool.h>
#include <stdint.h>

#define STILL_MS      300000
#define STILL_LOOK_MS 1000  /* between two looks */
#define STILL_GAP_MS  60000 /* between two looks of a process that was suspended */

/* Of one partition; zeroed at its start. */
struct still {
    int64_t next;     /* the position at the last look */
    int64_t since_ms; /* since when it stands there; 0 = it does not */
    int64_t seen_ms;  /* the last look */
};

/* What a look sees. */
struct still_look {
    int64_t next;  /* the next offset to take */
    int64_t end;   /* the last end of the log that the broker named to the consumer; -1 = none */
    int64_t high;  /* offset behind the last record, as far as known; below 0 = not known */
    bool may_come; /* brokers are there, and the engine has room and holds nothing of it */
};

/* Takes note of a look. True: the partition stands still. */
bool still_note(struct still *still, const struct still_look *look, int64_t now_ms);

#endif
