/* Which log lines of librdkafka say what an event of the worker says already (io/kafka/held.def).
 * The clients of one worker share this room: while the worker has logged that no broker can be
 * reached, none of them logs its connections, and the lines held back are counted.
 *
 * librdkafka reports a failed connection before it reports that all brokers are down. So such a
 * line waits for KAFKA_LINES_WAIT_MS: when the event has begun until then, the line is held back,
 * else it is logged, that much later. Any thread, except where noted. */
#ifndef IO_KAFKA_LINES_H
#define IO_KAFKA_LINES_H

#include "base/attr.h"
#include "base/slice.h"
#include "io/loop/log_sink.h"

#define KAFKA_LINES_WAIT_MS 1500
#define KAFKA_LINE_MAX      600 /* bytes of a line that waits, with its NUL */

enum held_when { HELD_NOT, HELD_ALWAYS, HELD_WHILE };

struct kafka_lines;

/* Makes the room. `sink` is borrowed until kafka_lines_free. NULL: out of memory. */
MUST_CHECK struct kafka_lines *kafka_lines_new(struct log_sink *sink);
/* Logs the lines that still wait. No client may log any more. NULL is fine. */
void kafka_lines_free(struct kafka_lines *lines);
struct log_sink *kafka_lines_sink(struct kafka_lines *lines);

/* What the list says of a line, and of which event (only then *ret_event is set). */
enum held_when kafka_lines_find(const char *facility, const char *line, enum log_event *ret_event);
/* The event was logged and stands from now on; again while it stands changes nothing. */
void kafka_lines_begin(struct kafka_lines *lines, enum log_event event);
/* The event has ended. Returns how many lines were held back since it began. */
unsigned kafka_lines_end(struct kafka_lines *lines, enum log_event event);
/* Does the event stand? If so, counts a line as held back. */
bool kafka_lines_hold(struct kafka_lines *lines, enum log_event event);
/* Lets a line wait whether the event begins. `client` is a constant; `text` is copied, clipped to
 * KAFKA_LINE_MAX. */
void kafka_lines_delay(struct kafka_lines *lines, enum log_event event, const char *client,
                       struct slice text);
/* Logs lines that have waited, or holds them back. The loop, at least each second. */
void kafka_lines_step(struct kafka_lines *lines, int64_t now_ms);

#endif
