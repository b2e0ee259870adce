/* The instance metadata service of EC2, version 2 (Amazon EC2 User Guide, "Instance metadata"): the
 * provider `instance`, and the region of the instance. */
#ifndef IO_AWS_INSTANCE_H
#define IO_AWS_INSTANCE_H

#include "io/aws/provider.h"

/* Appends the region of the instance, the last resort where nothing names one. ERR_NOT_FOUND: no
 * instance, or its metadata are disabled; search->reason says what is missing. Other errors as a
 * provider's. */
MUST_CHECK enum err instance_find_region(struct search *search, struct buf *ret_region);

#endif
