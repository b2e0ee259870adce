/* The headers that make a record a dead letter: names of Spring Kafka's
 * DeadLetterPublishingRecoverer, then the worker's. output_letter writes them, app/redrive reads
 * them. */
#ifndef WIRE_OUTPUTS_LETTER_NAMES_H
#define WIRE_OUTPUTS_LETTER_NAMES_H

#define LETTER_SPRINGS         "kafka_dlt-" /* Spring writes some more that begin with it */
#define LETTER_TOPIC           "kafka_dlt-original-topic"
#define LETTER_PARTITION       "kafka_dlt-original-partition" /* 4 bytes, big-endian */
#define LETTER_OFFSET          "kafka_dlt-original-offset"    /* 8 bytes, as the next one */
#define LETTER_TIMESTAMP       "kafka_dlt-original-timestamp"
#define LETTER_TIMESTAMP_TYPE  "kafka_dlt-original-timestamp-type"
#define LETTER_GROUP           "kafka_dlt-original-consumer-group"
#define LETTER_TYPE            "kafka_dlt-exception-fqcn"
#define LETTER_MESSAGE         "kafka_dlt-exception-message"
#define LETTER_CODE            "bedrock-error-code"
#define LETTER_ATTEMPTS        "bedrock-attempts"
#define LETTER_VALUE_OMITTED   "bedrock-value-omitted"
#define LETTER_HEADERS_OMITTED "bedrock-headers-omitted"

#endif
