/* The pages of a running worker, for commands that ask one: a GET over plain HTTP, without a proxy.
 * The address is HOST, HOST:PORT or [IPv6]:PORT; without a port it is the default one. */
#ifndef APP_CLIENT_VISIT_H
#define APP_CLIENT_VISIT_H

#include "app/settings/settings.h"
#include "base/attr.h"
#include "base/buf.h"

#define VISIT_ADDRESS_MAX 300
#define VISIT_REASON_MAX  512

struct visit {
    char address[VISIT_ADDRESS_MAX];
    int status;                    /* HTTP; 0 = no answer */
    bool is_worker;                /* the answer has the worker's Server header */
    struct buf body;               /* for visit_done */
    char reason[VISIT_REASON_MAX]; /* why there is no answer, or no address */
};

/* Begins a visit to this address; NULL: to the worker of these settings, on this machine. False:
 * ret_visit->reason says what is wrong with the address. visit_done is due in any case. */
MUST_CHECK bool visit_init(struct visit *ret_visit, const char *address,
                           const struct settings *settings);
void visit_done(struct visit *visit);
/* Asks for a path with its query. False: no answer came, and `reason` says why. */
MUST_CHECK bool visit_get(struct visit *visit, struct slice path);

#endif
