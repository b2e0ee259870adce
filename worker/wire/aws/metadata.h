/* The documents with keys of the container's and the instance's metadata endpoints (Amazon ECS
 * Developer Guide, "Task IAM role"; Amazon EC2 User Guide, "Retrieve security credentials from
 * instance metadata"): AccessKeyId, SecretAccessKey, Token and Expiration; a Code other than
 * Success is a refusal. */
#ifndef WIRE_AWS_METADATA_H
#define WIRE_AWS_METADATA_H

#include "wire/aws/document.h"

/* Reads a document. ERR_FORMAT: ret_fault says why, without data; ERR_NO_MEMORY. The texts borrow
 * `text` and the arena. */
MUST_CHECK enum err metadata_read(struct arena *arena, struct slice text,
                                  struct key_answer *ret_keys, struct document_fault *ret_fault);

#endif
