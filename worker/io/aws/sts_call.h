/* Calls of the Security Token Service in a search: where it is, how a call is signed, what its
 * refusals mean. */
#ifndef IO_AWS_STS_CALL_H
#define IO_AWS_STS_CALL_H

#include "io/aws/provider.h"

#define STS_CALL_WHAT_MAX 800 /* of the words for a call, with their NUL */

/* Sends the form to STS, by AWS_ENDPOINT_URL_STS, `services`, endpoint_url or the region, and waits
 * for an answer with status 200; tries three times in all while the service fails. `source` (NULL =
 * not signed) signs by this machine's clock, and by the service's when the two differ. *ret_skew_ms
 * is how far the service's clock is ahead. `what` names what the call is for. ERR_NO_CREDENTIALS:
 * search->reason says why it failed and what to do; ERR_CANCELLED; ERR_NO_MEMORY. */
MUST_CHECK enum err sts_call(struct search *search, struct slice form,
                             const struct credentials *source, const char *what,
                             struct search_answer *ret_answer, int64_t *ret_skew_ms);

#endif
