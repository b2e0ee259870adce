/* Makes the configurations of io and engine from the settings, and computes the memory bound that
 * the worker logs at its start. The configurations borrow from the settings, which must outlive
 * them. */
#ifndef APP_ASSEMBLY_H
#define APP_ASSEMBLY_H

#include "app/settings/topics.h"
#include "app/settings/tracing.h"
#include "engine/engine.h"
#include "io/aws/chain.h"
#include "io/io.h"
#include "wire/bedrock/endpoint.h"

#define ASSEMBLY_REASON_MAX AWS_REASON_MAX
/* The number of partitions that the first memory bound assumes; the real one is not known before
 * the worker has joined the group. */
#define ASSEMBLY_PARTITIONS 16

struct assembly {
    struct engine_config engine;
    struct io_config io;
    struct aws_environment aws;
    struct chain_identity identities[2 + SETTING_IDENTITIES_MAX]; /* by number; 0 = the default; the
                                                             last one logs in to Kafka */
    struct tracing tracing;
    struct slice output_topics[TOPIC_COUNT];
    char source[256]; /* /bedrock-worker/<group> */
    char transactional_id[512];
    char region[128], endpoint_url[ENDPOINT_URL_MAX + 1];
    const char *at_fault; /* the step at which assembly_make failed: "region", "endpoint", … */
};

/* The most bytes that the worker uses, by part. */
struct memory_bound {
    uint64_t held_bytes, calls_bytes, kafka_bytes, total_bytes;
};

/* Makes both configurations. False: ret_reason (ASSEMBLY_REASON_MAX) says what is missing or
 * invalid, such as the region or a file of AWS. Call assembly_done in any case. */
MUST_CHECK bool assembly_make(const struct settings *settings, struct assembly *ret_assembly,
                              char *ret_reason);
/* Changes the members that may change while the worker runs to those of `settings`, which both then
 * borrow from. */
void assembly_change(const struct settings *settings, struct engine_config *engine,
                     struct io_config *io);
void assembly_done(struct assembly *assembly);
/* May this process open enough files, one per call and some more? *ret_limit is the hard limit, to
 * which `run` raises the soft limit. */
bool assembly_has_files(const struct assembly *assembly, uint64_t *ret_limit, uint64_t *ret_needed);
/* Computes the memory bound with this number of partitions. */
void assembly_memory_bound(const struct assembly *assembly, size_t partitions,
                           struct memory_bound *ret_bound);

#endif
