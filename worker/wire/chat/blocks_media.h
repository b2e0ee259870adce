/* A medium on its way: a picture, document, video or sound, whose forms blocks_media.c knows, whose
 * data blocks_source.c reads, and whose name, of a document, blocks_names.c finds. Private to them.
 */
#ifndef WIRE_CHAT_BLOCKS_MEDIA_H
#define WIRE_CHAT_BLOCKS_MEDIA_H

#include "wire/chat/blocks_parts.h"
#include "wire/formats/path.h"

struct medium {
    const struct piece *piece;
    struct block block;
    struct slice type;     /* its media type (image/png); null = none is given */
    struct path type_path; /* where that stands, or should */
};

/* Reads a text of the medium, filled in where the turns have template variables. */
MUST_CHECK enum err medium_string(const struct medium *medium, const char *path,
                                  const struct json *node, struct slice *ret_text);

/* Reads the data of a medium: the base64 text at `path`, or the address, which is a data URL, or of
 * an object in S3; a text as it is; an object in S3, {uri, bucketOwner}. A flaw's place is named.
 */
MUST_CHECK enum err medium_read_base64(struct medium *medium, const char *path,
                                       const struct json *node);
MUST_CHECK enum err medium_read_url(struct medium *medium, const char *path,
                                    const struct json *node);
MUST_CHECK enum err medium_read_text(struct medium *medium, const char *path,
                                     const struct json *node);
MUST_CHECK enum err medium_read_s3(struct medium *medium, const char *path,
                                   const struct json *node);

/* Gives a document its name: what the block says, else one that follows from its bytes. */
MUST_CHECK enum err medium_read_name(struct medium *medium);

#endif
