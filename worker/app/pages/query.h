/* The query of a page's address: name=value pairs with & between them, percent-coded (RFC 3986;
 * `+` is a blank, as in forms). Foreign bytes: nothing fails but the look-up. */
#ifndef APP_PAGES_QUERY_H
#define APP_PAGES_QUERY_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/slice.h"
#include "engine/engine.h"

#define QUERY_VALUE_MAX 65536

/* Appends the decoded value of the first member with this name. False: there is none, or its
 * percent code is broken. */
MUST_CHECK bool query_value(struct slice query, const char *name, struct buf *ret_value);
/* Appends bytes so that query_value reads them back. */
void query_add_value(struct buf *query, struct slice value);

/* Reads topic/partition/offset; borrows the topic. False: it is none. */
MUST_CHECK bool query_position(struct slice text, struct explain_query *ret_query);

#endif
