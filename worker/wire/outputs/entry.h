/* A usage record as the books need it, read in passing from the record's value
 * (wire/formats/json_scan.h). Texts lie in the value or, when they have escapes, in the arena.
 * Counts are tokens of at most ENTRY_COUNT_MAX, so that 64 bits hold the sums of every topic; money
 * is as in base/money.h. schema/usage.schema.json is what the worker writes. */
#ifndef WIRE_OUTPUTS_ENTRY_H
#define WIRE_OUTPUTS_ENTRY_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/uuid.h"

#define ENTRY_COUNT_MAX  INT64_C(10000000000) /* tokens of a class of one call */
#define ENTRY_TEXT_BYTES 2048                 /* of one text; longer ones are damaged */
#define ENTRY_ID_BYTES   16

/* A UUID. */
struct entry_id {
    uint8_t bytes[ENTRY_ID_BYTES];
};

enum entry_count {
    COUNT_INPUT, /* with cache reads and writes */
    COUNT_OUTPUT,
    COUNT_CACHE_READ,
    COUNT_CACHE_WRITE,
    COUNT_CACHE_WRITE_1H, /* of the writes */
    COUNT_REASONING,      /* of the output */
    ENTRY_COUNTS,
};

enum entry_part { PART_INPUT, PART_OUTPUT, PART_CACHE_READ, PART_CACHE_WRITE, ENTRY_PARTS };

struct entry {
    struct entry_id id;
    struct entry_id replaces; /* if has_replaces */
    int64_t time_ms;          /* when the record was made */
    int64_t started_ms;       /* when the call began; time_ms where that is unknown */
    bool is_final, is_estimated, is_lost, has_cost, has_replaces;
    struct slice tenant, model, api, labels; /* labels: a JSON object as it is written */
    struct slice region, stop_reason, reason, bedrock_request_id; /* null = none */
    struct slice base_model;       /* the request's for an application's profile; null = none */
    struct slice service_tier;     /* that served, else tier_requested; null = neither */
    struct slice tier_requested;   /* null = none */
    struct slice currency, prices; /* if has_cost */
    int64_t counts[ENTRY_COUNTS];
    int64_t amount;            /* if has_cost */
    int64_t recorded;          /* the amount in the record; 0 = none. `amount` may be another one */
    int64_t part[ENTRY_PARTS]; /* likewise; 0 where the record has none */
};

enum entry_verdict {
    ENTRY_READ,
    ENTRY_FOREIGN, /* no usage record at all */
    ENTRY_VERSION, /* a usage record of another version */
    ENTRY_DAMAGED, /* says that it is one, and lacks or distorts what it must have */
};

/* Reads the value of a record. ret_why, static, names what is wrong unless it is ENTRY_READ. */
MUST_CHECK enum entry_verdict entry_read(struct arena *arena, struct slice value,
                                         struct entry *ret_entry, const char **ret_why);
/* Reads the text of a UUID, whose hex digits may be of either case. */
MUST_CHECK bool entry_id_read(struct slice text, struct entry_id *ret_id);
/* Writes the text of a UUID. */
void entry_id_write(const struct entry_id *id, struct uuid *ret_text);
/* The wall time in a UUID of version 7. */
int64_t entry_id_ms(const struct entry_id *id);
/* Finds a label; null: there is none, or the object is damaged. */
struct slice entry_label(struct arena *arena, struct slice labels, struct slice name);

#endif
