/* A guess how many input tokens the media of a request count, before Bedrock has counted them: a
 * fixed number for each image, document, video and audio, whatever its size. Bedrock's count
 * depends on pages, pixels and seconds, which the worker does not look at. */
#ifndef WIRE_CHAT_MEDIA_TOKENS_H
#define WIRE_CHAT_MEDIA_TOKENS_H

#include "wire/chat/request.h"

size_t media_tokens(const struct request *request);

#endif
