/* The worker's pages for people and probes, served by io/server/server.h: the status page at /,
 * /metrics in Prometheus' text format, /livez and /readyz for probes, /status.json with the
 * engine's state and the last warnings, /explain?id=|position=|key= with the reason why a request
 * waits. Loop thread only. */
#ifndef APP_PAGES_H
#define APP_PAGES_H

#include "io/server/server.h"

struct engine;
struct io;
struct metrics;

struct pages {
    struct engine *engine;
    struct io *io;
    struct metrics *metrics;
    bool has_wrong_settings; /* the last change of the settings had mistakes */
};

/* server_config.answer; `self` is a struct pages whose members are set before io_run. */
void pages_answer(void *self, struct slice path, struct slice query, struct server_page *ret_page);

#endif
