/* From settings to a worker: the configurations of io and engine, borrowed from the settings (which
 * must outlive them), and the bound on memory that is logged at start. */
#ifndef APP_ASSEMBLY_H
#define APP_ASSEMBLY_H

#include "app/settings/topics.h"
#include "engine/engine.h"
#include "io/aws/environment.h"
#include "io/io.h"
#include "wire/bedrock/endpoint.h"

#define ASSEMBLY_WORDS_MAX AWS_REASON_MAX
/* Partitions that the memory bound counts with: how many a worker gets is not known before it has
 * joined. */
#define ASSEMBLY_PARTITIONS 16

struct assembly {
    struct engine_config engine;
    struct io_config io;
    struct aws_environment aws;
    struct slice output_topics[TOPIC_COUNT];
    char source[256]; /* /bedrock-worker/<group> */
    char transactional_id[512];
    char region[128], endpoint_url[ENDPOINT_URL_MAX + 1];
    const char *at_fault; /* what assembly_make was at when it failed: "region", "endpoint", … */
};

/* What the worker's memory stays below, by part. */
struct memory_bound {
    uint64_t held_bytes, calls_bytes, kafka_bytes, total_bytes;
};

/* Fills both configurations; assembly_done in any case. `ret_words` (ASSEMBLY_WORDS_MAX) says what
 * is missing or broken when it returns false: no region, a file of AWS's that cannot be read. */
MUST_CHECK bool assembly_make(const struct settings *settings, struct assembly *ret_assembly,
                              char *ret_words);
void assembly_done(struct assembly *assembly);
/* May this process open a file for each call, and those it needs beside? The limit is the hard one:
 * run raises the soft one to it. */
bool assembly_has_files(const struct assembly *assembly, uint64_t *ret_limit, uint64_t *ret_needed);
void assembly_memory_bound(const struct assembly *assembly, struct memory_bound *ret_bound);

#endif
