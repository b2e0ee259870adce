/* Small questions about texts that more than one room asks. */
#ifndef WIRE_FORMATS_TEXT_H
#define WIRE_FORMATS_TEXT_H

#include "base/slice.h"

#define TEXT_TOPIC_MAX  249 /* bytes of a topic's name: Kafka's limit */
#define TEXT_MODEL_MAX  2048
#define TEXT_REGION_MAX 63 /* bytes of a label of a host's name: RFC 1035 */

/* A name that Kafka takes for a topic: letters, digits, `.`, `_` and `-`, but not `.` or `..`. */
bool text_is_topic(struct slice text);
/* A region's name by the patterns of AWS's partitions (botocore's partitions.json), such as
 * us-gov-west-1: it becomes part of a host's name. */
bool text_is_region(struct slice text);
/* A model id, or the ARN of something that Bedrock can call, by the pattern of Converse's modelId
 * (AWS, "Amazon Bedrock Runtime API Reference"); the lengths of an ARN's parts are free, and its
 * region and account may be empty. */
bool text_is_model(struct slice text);

/* The following ask of valid UTF-8. */

/* A C0 or C1 control character, or DEL. */
bool text_has_control(struct slice text);
/* Without white space at its end; white space is what Unicode calls so, for Bedrock refuses a blank
 * text whichever characters make it blank. */
struct slice text_trim_end(struct slice text);
/* Without white space at either end. */
struct slice text_trim(struct slice text);
/* Empty, or nothing but white space. */
bool text_is_blank(struct slice text);

#endif
