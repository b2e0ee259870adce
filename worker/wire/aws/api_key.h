/* API keys of Amazon Bedrock ("bedrock-api-key-…", bearer tokens). A short-term one is a presigned
 * URL in base64, so it says itself until when it is valid; a long-term one does not. */
#ifndef WIRE_AWS_API_KEY_H
#define WIRE_AWS_API_KEY_H

#include "base/slice.h"

/* When the key ends; INT64_MAX = it does not say. */
int64_t api_key_expires_ms(struct slice key);

#endif
