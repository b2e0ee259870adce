/* The event stream (application/vnd.amazon.eventstream): a reader that is fed bytes as they come,
 * and an encoder. Frame, big-endian: total u32 | headers u32 | CRC-32 of these 8 | headers |
 * payload | CRC-32 of all before. Lengths are believed only after the prelude's CRC. Source: AWS
 * "Event stream encoding", Smithy specification. */
#ifndef WIRE_BEDROCK_EVENTSTREAM_H
#define WIRE_BEDROCK_EVENTSTREAM_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define EVENT_HEADERS_BYTES_MAX (128 * 1024)
#define EVENT_PAYLOAD_BYTES_MAX (24 * 1024 * 1024)
#define EVENT_HEADERS_MAX       64

enum event_kind { EVENT_KIND_EVENT, EVENT_KIND_EXCEPTION, EVENT_KIND_ERROR, EVENT_KIND_OTHER };

struct event {
    enum event_kind kind;      /* :message-type */
    struct slice type;         /* :event-type, :exception-type or :error-code; null = none */
    struct slice message;      /* :error-message; null = none */
    struct slice content_type; /* null = none */
    struct slice payload;
};

struct event_reader {
    struct buf pending; /* bytes of a frame that is not whole yet */
    size_t taken;       /* of pending: bytes of frames already given out */
    size_t limit;       /* most bytes of one frame */
    enum err broken;    /* OK, or why nothing more can be read */
};

/* limit: most bytes of one frame (its payload cap is EVENT_PAYLOAD_BYTES_MAX in any case). */
void event_reader_init(struct event_reader *reader, size_t limit);
/* Frees the pending bytes. */
void event_reader_done(struct event_reader *reader);
/* Adds bytes; take all whole frames out before you add the next ones. ERR_TOO_LARGE (more is
 * pending than a frame may have), ERR_NO_MEMORY. A broken reader drops further bytes. */
MUST_CHECK enum err event_reader_hear(struct event_reader *reader, struct slice bytes);
/* The next whole frame: OK and *ret_event (borrowed until the next call on the reader);
 * ERR_NOT_FOUND = needs more bytes; ERR_BROKEN_STREAM = corrupt (CRC, lengths, headers);
 * ERR_TOO_LARGE = a sound frame over the limit; these two stay so. */
MUST_CHECK enum err event_reader_next(struct event_reader *reader, struct event *ret_event);
/* true when the bytes end between frames. */
bool event_reader_is_between(const struct event_reader *reader);

/* One header of type string, for the encoder. */
struct event_header {
    const char *name;
    struct slice value;
};
/* Appends one frame; its three parts must be within the limits above. */
void event_add(struct buf *buf, const struct event_header *headers, size_t count,
               struct slice payload);

#endif
