/* Ports of a search without a loop, for commands such as `check`: requests block the caller,
 * nothing cancels, and nothing is logged. */
#ifndef IO_AWS_ALONE_H
#define IO_AWS_ALONE_H

#include "io/aws/provider.h"
#include "io/http/client.h"

/* Fills in the ports, which borrow `config` (certificates, proxy and connect_ms). */
void alone_ports(const struct http_config *config, struct search_ports *ret_ports);
/* Ports of a search that must not wait: it ends with ERR_CANCELLED where it would send a request or
 * start a process. */
void quick_ports(struct search_ports *ret_ports);

#endif
