/* A record of the topic of budgets: what the usage of one partition sums to up to an offset, for
 * each tenant with a budget in each span that runs. A worker that starts reads it in place of the
 * usage before that offset. The key names the usage partition (`bedrock.usage-3`); the topic is
 * compacted, so that the latest record of each key stays. schema/budgets.schema.json has the form.
 */
#ifndef WIRE_OUTPUTS_SUMS_H
#define WIRE_OUTPUTS_SUMS_H

#include "wire/outputs/entry.h"
#include "wire/outputs/output.h"

#define SUMS_BYTES_MAX ((size_t)900 * 1024) /* of a value: below what topics take by default */
#define SUMS_KEY_MAX   272                  /* of a key: a topic's name, and a number */

/* Tokens, or, with a currency, units of base/money.h. */
struct sums_amount {
    int64_t value;
    struct slice currency; /* null = tokens */
};

/* What a tenant has spent since a span began. */
struct sums_row {
    struct slice tenant;
    int64_t since_ms;
    struct sums_amount spent;
};

/* A record of a lost call, which counts in a row until another record replaces it. */
struct sums_lost {
    struct entry_id id;
    struct slice tenant;
    int64_t at_ms;
    struct sums_amount spent;
};

struct sums {
    struct slice usage_topic;
    int32_t partition;
    int64_t offset; /* the first that is not in the sums */
    uint64_t rules; /* which budgets there were: sums of others mean something else */
    int64_t wall_ms;
    const struct sums_row *rows;
    size_t row_count;
    const struct sums_lost *lost;
    size_t lost_count;
};

/* A record of the same topic: what a worker has reserved for calls whose cost is not in the usage
 * topic yet. `since_ms` of the rows counts for nothing. The key names the worker. */
struct reserved {
    struct slice usage_topic;
    uint64_t rules;
    struct slice worker; /* a UUID of its process */
    int64_t number;      /* of the process's records, rising */
    int64_t wall_ms;
    const struct sums_row *rows;
    size_t row_count;
};

/* Encodes it for context->budgets_topic. ERR_NO_MEMORY; ERR_TOO_LARGE: above SUMS_BYTES_MAX. */
MUST_CHECK enum err output_sums(const struct output_context *context, const struct sums *sums,
                                struct output **ret_output);

enum sums_verdict {
    SUMS_READ,
    SUMS_FOREIGN, /* not of this kind at all */
    SUMS_VERSION, /* of another version */
    SUMS_DAMAGED, /* says that it is one, and lacks or distorts what it must have */
};

/* Reads a value; rows and texts lie in the arena or the value. ret_why, static, names what is wrong
 * unless it is SUMS_READ. */
MUST_CHECK enum sums_verdict sums_read(struct arena *arena, struct slice value,
                                       struct sums *ret_sums, const char **ret_why);

/* The same of reservations; `key` names the worker. */
MUST_CHECK enum err output_reserved(const struct output_context *context,
                                    const struct reserved *reserved, struct slice key,
                                    struct output **ret_output);
/* Reads such a record; false: it is none, or damaged. */
MUST_CHECK bool reserved_read(struct arena *arena, struct slice value,
                              struct reserved *ret_reserved);

#endif
