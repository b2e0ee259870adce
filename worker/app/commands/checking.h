/* What the parts of `bedrock-worker check` share: its settings, and the results that it prints. */
#ifndef APP_COMMANDS_CHECKING_H
#define APP_COMMANDS_CHECKING_H

#include <stdbool.h>
#include <stddef.h>

#include "app/client/kafka_client.h"
#include "app/client/screen.h"
#include "app/settings/settings.h"

struct checking {
    const struct settings *settings;
    struct client *client;
    struct screen screen;
    bool are_policies_known; /* the brokers answer queries for properties of topics */
    size_t failures, warnings;
};

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL };

/* Prints a result, wrapped on a terminal, and counts it. */
void report(struct checking *checking, enum verdict verdict, const char *what, const char *words);
/* As report: VERDICT_OK or VERDICT_FAIL. */
void report_is(struct checking *checking, bool is_good, const char *what, const char *words);

#endif
