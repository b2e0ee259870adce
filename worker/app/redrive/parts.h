/* Private to redrive: shared by redrive.c (reading and deciding) and commit.c (transactions). */
#ifndef APP_REDRIVE_PARTS_H
#define APP_REDRIVE_PARTS_H

#include <signal.h>

#include "app/client/screen.h"
#include "app/client/kafka_transactions.h"
#include "app/redrive/progress.h"
#include "app/redrive/redrive.h"
#include "app/redrive/shipment.h"
#include "app/redrive/tally.h"

/* A partition of the dead-letter topic. */
struct part {
    struct progress progress;
    int64_t next; /* offset of the next record to read */
    int64_t end;  /* where it ended when the run began */
    bool had_progress, is_changed;
};

struct run {
    const struct settings *settings;
    const struct redrive_options *options;
    struct client *client;
    struct screen screen;
    sigset_t signals;
    struct slice topic; /* of the dead letters */
    struct part *parts;
    int32_t part_count;
    struct choice_rules rules;
    struct tally *tally;
    struct shipment *shipment;
    struct arena arena; /* of one letter */
    int64_t sent, began_ms;
    bool is_interrupted;
};

/* Prints what failed, and why, to standard error. Returns false. */
bool redrive_fail(const char *what, const char *why);
/* Whether SIGINT or SIGTERM came. */
bool redrive_is_interrupted(struct run *run);
void redrive_pause(int64_t ms);
/* Commits the shipment, and empties it, and the progress that changed; retries what may succeed
 * later, and leaves out what the broker rejects. False: standard error says why. */
MUST_CHECK bool redrive_commit(struct run *run);

#endif
