#include "app/commands/address_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/server/server.h"

struct asking {
    const char *command;
    struct slice path;
    address_hear *hear;
    void *self;
    struct address_tally *tally;
};

static void hear_one(struct asking *asking, struct visit *visit, bool is_named)
{
    asking->tally->answered++;
    asking->tally->good += asking->hear(asking->self, visit, is_named);
}

/* Asks the worker at an address, or that of the settings. */
static void ask_one(struct asking *asking, const char *address, const struct settings *settings,
                    bool is_named)
{
    struct visit visit;
    asking->tally->asked++;
    if (!visit_init(&visit, address, settings))
        (void)fprintf(stderr, "bedrock-worker %s: %s\n", asking->command, visit.reason);
    else if (!visit_get(&visit, asking->path))
        (void)fprintf(stderr, "no worker answers at %s: %s\n", visit.address, visit.reason);
    else
        hear_one(asking, &visit, is_named);
    visit_done(&visit);
}

/* Asks at the default port and those behind it, on which workers of one machine are. */
static void search(struct asking *asking, const struct settings *settings, bool asks_all)
{
    struct visit visits[SERVER_PORTS_TRIED];
    size_t found[SERVER_PORTS_TRIED], count = 0, tried = 0;
    const char *colon = strrchr(SERVER_DEFAULT, ':');
    long first = strtol(colon + 1, NULL, 10);
    while (tried < SERVER_PORTS_TRIED && (asks_all || count == 0)) {
        char address[VISIT_ADDRESS_MAX];
        (void)snprintf(address, sizeof address, "%.*s:%ld", (int)(colon - SERVER_DEFAULT),
                       SERVER_DEFAULT, first + (long)tried);
        struct visit *visit = &visits[tried];
        if (visit_init(visit, address, settings) && visit_get(visit, asking->path) &&
            visit->is_worker)
            found[count++] = tried;
        tried++;
    }
    asking->tally->asked = count;
    if (count == 0)
        (void)fprintf(stderr, "no worker answers at %s to %ld: %s\n", visits[0].address,
                      first + SERVER_PORTS_TRIED - 1,
                      visits[0].status != 0 ? "another program is there" : visits[0].reason);
    for (size_t i = 0; i < count; i++)
        hear_one(asking, &visits[found[i]], count > 1 || found[0] > 0);
    for (size_t i = 0; i < tried; i++)
        visit_done(&visits[i]);
}

void address_options_ask(const struct address_options *options, const char *command,
                         struct slice path, bool asks_all, address_hear *hear, void *self,
                         struct address_tally *ret_tally)
{
    struct asking asking = {
        .command = command, .path = path, .hear = hear, .self = self, .tally = ret_tally};
    *ret_tally = (struct address_tally){.asked = 0};
    for (size_t i = 0; i < options->addresses.count; i++)
        ask_one(&asking, options->addresses.list[i], NULL, options->addresses.count > 1);
    if (options->addresses.count > 0)
        return;
    struct settings *settings = settings_options_load(&options->settings, false, NULL);
    ret_tally->has_wrong_settings = settings == NULL;
    if (settings == NULL)
        return;
    if (slice_equal_text(settings->telemetry_http_address, SERVER_DEFAULT))
        search(&asking, settings, asks_all);
    else
        ask_one(&asking, NULL, settings, false);
    settings_options_free(settings);
}
