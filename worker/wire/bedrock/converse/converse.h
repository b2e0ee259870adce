/* Bedrock's Converse and ConverseStream: one body for all models that have messages. */
#ifndef WIRE_BEDROCK_CONVERSE_CONVERSE_H
#define WIRE_BEDROCK_CONVERSE_CONVERSE_H

#include "wire/bedrock/dialect.h"

extern const struct api api_converse;
extern const struct dialect dialect_converse;

#endif
