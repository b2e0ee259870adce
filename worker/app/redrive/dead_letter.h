/* A record of a dead-letter topic, read for `redrive`: the worker's own (schema/README.md), and
 * those of Spring Kafka's DeadLetterPublishingRecoverer, which have the same kafka_dlt-* headers
 * and no bedrock-error-code. All slices are borrowed from the record or lie in the arena. */
#ifndef APP_REDRIVE_DEAD_LETTER_H
#define APP_REDRIVE_DEAD_LETTER_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "wire/formats/record.h"

#define DEAD_LETTER_REDRIVES_MAX 1000000
#define DEAD_LETTER_NO_TIME      INT64_MAX

struct dead_letter {
    struct slice
        topic; /* of the request; null = the record has no or damaged kafka_dlt-* headers */
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;    /* -1 = none */
    struct slice code;       /* bedrock-error-code, else the exception's class, else null */
    bool is_retryable;       /* by its code: the same request may succeed later */
    int64_t redrives;        /* how often it was redriven before */
    bool is_cut;             /* its value or headers were too large for the topic */
    struct slice id, tenant; /* of the request */
    int64_t expires_ms;      /* by its value and ce_expirytime; DEAD_LETTER_NO_TIME = it does not */
};

/* Reads a record. A value that is no request has the default id and tenant, and no time limit.
 * ERR_NO_MEMORY. */
MUST_CHECK enum err dead_letter_read(struct arena *arena, const struct record *record,
                                     struct dead_letter *ret_letter);
/* Makes the request's headers: those of `record` without what the worker and Spring added, and
 * `bedrock-redrives` counted up. The list lies in the arena. ERR_NO_MEMORY. */
MUST_CHECK enum err dead_letter_headers(struct arena *arena, const struct dead_letter *letter,
                                        struct headers headers, struct headers *ret_headers);
/* Whether a record at the original place is the request of this letter: the key and timestamp are
 * the same. A topic that was deleted and created again has others there. */
bool dead_letter_is_of(const struct record *letter_record, const struct dead_letter *letter,
                       const struct record *original);

#endif
