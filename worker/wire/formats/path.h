/* The place of a value in a request, for error records: messages[2].content[0].text. Too long ones
 * are cut. */
#ifndef WIRE_FORMATS_PATH_H
#define WIRE_FORMATS_PATH_H

#include "wire/formats/why.h"

struct path {
    char text[WHY_FIELD_MAX];
};

/* `base` may be empty; `name` may be foreign. */
struct path path_member(const char *base, struct slice name);
struct path path_element(const char *base, size_t index);

#endif
