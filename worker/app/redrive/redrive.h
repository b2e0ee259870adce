/* Sends dead letters back to their request topics. The letters of a batch and the progress
 * (app/redrive/progress.h) are one Kafka transaction, so that a run that is killed anywhere neither
 * loses a letter nor sends it twice. The progress is committed under the consumer group and the
 * transactional id `<kafka.group_id>-redrive`: a second run fences the first. */
#ifndef APP_REDRIVE_REDRIVE_H
#define APP_REDRIVE_REDRIVE_H

#include "app/redrive/choice.h"
#include "app/settings/settings.h"

struct redrive_options {
    struct choice_filter filter;
    const char *topic; /* of the dead letters; NULL = topics.dead_letters */
    const char *park;  /* topic for letters over the limit; NULL = they stay */
    int64_t rate;      /* requests a second; 0 = as fast as it goes */
    int64_t max;       /* requests of this run; 0 = all */
    int64_t limit;     /* redrives of one request */
    bool sends;        /* false: a dry run, which changes nothing */
};

/* Runs, and prints what it does to standard output and problems to standard error. SIGINT and
 * SIGTERM end it after the running transaction. Returns the exit code. */
int redrive_run(const struct settings *settings, const struct redrive_options *options);

#endif
