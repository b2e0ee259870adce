/* What the providers that ask a service share: requests with a few retries, URLs of metadata
 * services, and files of cached logins. All of it runs in the search's thread. */
#ifndef IO_AWS_ASKING_H
#define IO_AWS_ASKING_H

#include "io/aws/file.h"
#include "io/aws/provider.h"
#include "wire/aws/document.h"
#include "wire/bedrock/endpoint.h"

#define ASKING_URL_MAX 4096 /* bytes of a URL, with its path and query */

/* Sends the request, and again after a pause of `pause_ms`, up to `attempts` times in all, while
 * there is no answer or it is a failure of the service (429, 500 and above). Errors as
 * search_http. */
MUST_CHECK enum err asking_send(struct search *search, const struct search_request *request,
                                int attempts, int64_t pause_ms, struct search_answer *ret_answer);

/* As search_fail_with, for a request that had no answer: `who` does not answer, why, and `remedy`.
 */
enum err asking_fail(struct search *search, enum err err, const char *who,
                     const struct search_answer *answer, const char *remedy);

/* Takes a metadata service's URL apart, path and query included, so that a line end or a user info
 * can smuggle nothing in. False: it is none. */
MUST_CHECK bool asking_read_url(struct slice url, struct endpoint *ret_endpoint);
/* Is plain HTTP fine there: loopback, 169.254.170.2 (ECS), 169.254.170.23 and fd00:ec2::23 (EKS)?
 * `host` may have a port. */
bool asking_is_local(struct slice host);

/* Takes keys that a service found. Errors as search_take. */
MUST_CHECK enum err asking_take(struct search *search, struct keys *ret_keys,
                                const struct key_answer *found, const char *source);

/* Replaces a file of a cached login, readable by its owner only, in one step: a reader finds the
 * old text or the new one. ERR_IO: *ret_cause says why. */
MUST_CHECK enum err asking_replace_file(const char *path, struct slice text,
                                        const char **ret_cause);

#endif
