/* Bedrock's names for the formats of pictures, documents, videos and sounds, by media type or by a
 * file's extension: the list media_formats.def. */
#ifndef WIRE_CHAT_MEDIA_FORMATS_H
#define WIRE_CHAT_MEDIA_FORMATS_H

#include "base/buf.h"
#include "wire/chat/block.h"

/* Of a media type without its parameters (image/png); null = Bedrock has none of that kind for it.
 * Static. */
struct slice media_format(enum block_kind kind, struct slice type);
/* Of an extension (png, jpg, 3gp), likewise. */
struct slice media_format_of_extension(enum block_kind kind, struct slice extension);
/* Appends those of a kind: `png, jpeg, gif, webp`. */
void media_add_formats(struct buf *words, enum block_kind kind);

#endif
