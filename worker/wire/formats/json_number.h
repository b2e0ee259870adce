/* Numbers of JSON, compared as they are written: digit by digit, of any length and exponent, so
 * that 1.0 is 1, and 9007199254740993 is not 9007199254740992. */
#ifndef WIRE_FORMATS_JSON_NUMBER_H
#define WIRE_FORMATS_JSON_NUMBER_H

#include "wire/formats/json.h"

/* Both are numbers. <0, 0 or >0. */
int json_number_compare(const struct json *a, const struct json *b);
/* Whether the number has no fraction: 3, 3.0, 30e-1. */
bool json_number_is_whole(const struct json *number);

#endif
